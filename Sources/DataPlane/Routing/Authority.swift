/// A host and a port as a Host field or a request target names them: RFC 3986 section 3.2, RFC 9110 section 7.2. No
/// user information.
struct Authority: Hashable {
    /// Where the host stands, without brackets or a final dot.
    private let host: Range<Int>

    /// Reads `range`, and the host's name, unless it is an address, into `name`; nil when it is neither.
    init?(_ bytes: Span<UInt8>, in range: Range<Int>, name: inout RoutingName) {
        name.removeAll()
        guard !range.isEmpty else { return nil }
        var end = range.lowerBound
        if bytes[end] == UInt8(ascii: "[") {
            while end < range.upperBound, bytes[end] != UInt8(ascii: "]") { end &+= 1 }
            host = range.lowerBound &+ 1..<end
            guard end < range.upperBound, HostName.isIPv6(bytes, in: host) else { return nil }
            end &+= 1
        } else {
            while end < range.upperBound, bytes[end] != UInt8(ascii: ":") { end &+= 1 }
            guard end > range.lowerBound else { return nil }
            // `app.example.` is the same name spelled out to the root; browsers send it as it was typed.
            host = range.lowerBound..<(bytes[end &- 1] == UInt8(ascii: ".") ? end &- 1 : end)
            guard HostName.read(bytes, in: host, into: &name) != .invalid else { return nil }
        }
        guard Authority.hasPort(bytes, in: end..<range.upperBound) else {
            name.removeAll()
            return nil
        }
    }

    /// Whether the two name the same host, wherever in `bytes` they stand.
    func namesSameHost(as other: Authority, _ bytes: Span<UInt8>) -> Bool {
        guard host.count == other.host.count else { return false }
        for index in 0..<host.count {
            let octet = bytes[host.lowerBound &+ index]
            guard octet.lowercased == bytes[other.host.lowerBound &+ index].lowercased else { return false }
        }
        return true
    }

    /// Whether what follows the host is nothing, or a colon and a port, which may be left out.
    private static func hasPort(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return true }
        guard bytes[range.lowerBound] == UInt8(ascii: ":"), range.count <= 6 else { return false }
        var port = 0
        for index in range.lowerBound &+ 1..<range.upperBound {
            guard bytes[index].isDigit else { return false }
            port = port &* 10 &+ Int(bytes[index] &- UInt8(ascii: "0"))  // at most five digits
        }
        return port <= 65535
    }
}
