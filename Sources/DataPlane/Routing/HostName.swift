import Domain

/// How the host that a device names is read, wherever it names one: in an SNI, a Host field or a request target.
enum HostName {
    enum Reading: Hashable {
        /// A host name, which is now in the routing name.
        case name
        /// An IP address, or what would be taken for one. It names no service.
        case address
        case invalid
    }

    /// Reads the octets of `range` into `name`, which is left empty unless the answer is `.name`.
    ///
    /// Letters, digits, hyphens and underscores, in labels of 1 to 63, 253 in all. Where a hyphen stands is not
    /// checked: a name that DNS would not have is one that no service has. A last label of digits makes an address of
    /// it, as it does in a browser.
    static func read(_ bytes: Span<UInt8>, in range: Range<Int>, into name: inout RoutingName) -> Reading {
        name.removeAll()
        var label = 0
        var isNumber = true
        for index in range {
            let octet = bytes[index]
            if octet == UInt8(ascii: ".") {
                guard label > 0 else { break }
                label = 0
                isNumber = true
            } else {
                guard octet.isLetter || octet.isDigit || octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_"),
                    label < 63
                else {
                    label = 0
                    break
                }
                label &+= 1  // at most 63
                if !octet.isDigit { isNumber = false }
            }
            guard name.append(octet) else {
                label = 0
                break
            }
        }
        // A loop that was left early has left a label of no octets behind, as a dot at the end does.
        if label > 0, !isNumber { return .name }
        name.removeAll()
        return label > 0 ? .address : .invalid
    }

    /// Whether `range` is an IPv6 address, without brackets.
    static func isIPv6(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        guard range.count <= 45 else { return false }  // eight groups, the last two as dotted decimal
        return Address(parsing: bytes.extracting(range)) != nil && contains(bytes, UInt8(ascii: ":"), in: range)
    }

    private static func contains(_ bytes: Span<UInt8>, _ octet: UInt8, in range: Range<Int>) -> Bool {
        for index in range where bytes[index] == octet { return true }
        return false
    }
}
