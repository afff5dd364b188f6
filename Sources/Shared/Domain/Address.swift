/// An IPv4 or IPv6 address, without a port or a zone.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address that it stands for, so one peer has one address
/// however the kernel spells it, and no prefix rule can be walked around by the other spelling.
public struct Address: Hashable, Sendable, BitwiseCopyable {
    public enum Family: UInt8, Hashable, Sendable, BitwiseCopyable {
        case ipv4 = 4
        case ipv6 = 6
    }

    public let family: Family
    /// The address as a number, most significant octet first; an IPv4 address is in the low 32 bits.
    public let bits: UInt128

    public init(ipv4 bits: UInt32) {
        self.init(family: .ipv4, bits: UInt128(bits))
    }

    public init(ipv6 bits: UInt128) {
        if bits >> 32 == 0xFFFF {
            self.init(ipv4: UInt32(truncatingIfNeeded: bits))
        } else {
            self.init(family: .ipv6, bits: bits)
        }
    }

    private init(family: Family, bits: UInt128) {
        self.family = family
        self.bits = bits
    }

    /// The number of bits of an address of this family: 32 or 128.
    public var width: Int { family == .ipv4 ? 32 : 128 }

    /// Reads dotted decimal, or the IPv6 text form of RFC 4291 section 2.2.
    ///
    /// Octal, hexadecimal and shortened IPv4 (`010.1`, `0x7f.1`, `127.1`) are refused, since programs disagree on what
    /// they mean.
    public init(_ text: String) throws(InvalidValue) {
        guard let address = Address(parsing: text.utf8Span.span) else {
            throw InvalidValue(text, "is not an IP address", expected: "an address such as 192.0.2.10 or 2001:db8::10")
        }
        self = address
    }

    /// The address that `text` spells from its first octet to its last, or nil.
    public init?(parsing text: Span<UInt8>) {
        if let bits = Address.ipv4(text, from: 0) {
            self.init(ipv4: bits)
        } else if let bits = Address.ipv6(text) {
            self.init(ipv6: bits)
        } else {
            return nil
        }
    }

    private static func ipv4(_ text: Span<UInt8>, from start: Int) -> UInt32? {
        var bits: UInt32 = 0
        var octets = 0
        var digits = 0
        var octet: UInt32 = 0
        for index in start..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                guard digits > 0, octets < 3 else { return nil }
                bits = bits << 8 | octet
                octets += 1
                digits = 0
                octet = 0
            } else {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digits < 3 else { return nil }
                guard !(digits > 0 && octet == 0) else { return nil }  // a leading zero means octal to some
                octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
                guard octet <= 255 else { return nil }
                digits += 1
            }
        }
        guard octets == 3, digits > 0 else { return nil }
        return bits << 8 | octet
    }

    private static func ipv6(_ text: Span<UInt8>) -> UInt128? {
        // The groups read so far, the last in the low bits: a sum on the stack, since hosts and PROXY headers are read
        // on the hot path.
        var bits: UInt128 = 0
        var groups = 0
        var gap: Int?
        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            index = 2
        }
        while index < text.count {
            guard groups < 8 else { return nil }
            let start = index
            var group: UInt32 = 0
            while index < text.count, let digit = hexDigit(text[index]), index - start < 4 {
                group = group << 4 | UInt32(digit)
                index += 1
            }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard groups <= 6, let last = ipv4(text, from: start) else { return nil }
                bits = bits << 32 | UInt128(last)
                groups += 2
                index = text.count
                break
            }
            guard index > start else { return nil }
            bits = bits << 16 | UInt128(group)
            groups += 1
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":") else { return nil }
            index += 1
            guard index < text.count else { return nil }
            if text[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups
                index += 1
            }
        }
        guard let gap else { return groups == 8 ? bits : nil }
        guard groups < 8 else { return nil }
        // What stands before the gap goes up by the groups that the gap stands for.
        let after: UInt128 = (1 << UInt128(16 * (groups - gap))) - 1
        return (bits & ~after) << UInt128(16 * (8 - groups)) | bits & after
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Address: CustomStringConvertible {
    /// Dotted decimal, or the canonical IPv6 form of RFC 5952.
    public var description: String {
        guard family == .ipv6 else {
            return (0..<4).map { String(UInt8(truncatingIfNeeded: bits >> UInt128(24 - 8 * $0))) }.joined(
                separator: ".")
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        // The longest run of two or more zero groups is shortened; the first of equals.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        let text = { (range: Range<Int>) in groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }
}

extension Address: Comparable {
    public static func < (left: Address, right: Address) -> Bool {
        (left.family.rawValue, left.bits) < (right.family.rawValue, right.bits)
    }
}

/// An address and a TCP port: one end of a connection.
public struct TransportAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let address: Address
    public let port: UInt16

    public init(_ address: Address, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `192.0.2.1:443` or `[2001:db8::1]:443`; port 0, which lets the kernel choose, is allowed.
    public init(_ text: String) throws(InvalidValue) {
        let expected = "an address and a port such as 192.0.2.1:443 or [2001:db8::1]:443"
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw InvalidValue(text, "has no port between 0 and 65535 at its end", expected: expected)
        }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard let address = Address(parsing: Array(host.utf8).span), bracketed == (host.contains(":")) else {
            throw InvalidValue(text, "does not begin with an IP address", expected: expected)
        }
        self.init(address, port: port)
    }

    public var description: String {
        address.family == .ipv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
