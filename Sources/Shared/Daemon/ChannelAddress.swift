public import Domain

/// Where the two ends of the channel meet: `unix:PATH` on one machine, `tcp:HOST:PORT` between two, inside mutual TLS.
public enum ChannelAddress: Hashable, Sendable, CustomStringConvertible {
    case unix(path: String)
    case tcp(host: EndpointHost, port: UInt16)

    public static let usualPath = "/run/ddirect/channel.sock"

    public init(_ text: String) throws(InvalidValue) {
        let expected = "unix:PATH such as unix:\(ChannelAddress.usualPath), or tcp:HOST:PORT such as tcp:192.0.2.1:7443"
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            // sockaddr_un holds 108 octets with the final zero.
            guard (1...107).contains(path.utf8.count), !path.utf8.contains(0) else {
                throw InvalidValue(
                    text, "has a path of \(path.utf8.count) octets",
                    expected: "1 to 107, the most that a socket's name can have")
            }
            self = .unix(path: path)
        } else if text.hasPrefix("tcp:") {
            self = try ChannelAddress(hostAndPort: String(text.dropFirst(4)))
        } else {
            throw InvalidValue(text, "is no address of a channel", expected: expected)
        }
    }

    /// `HOST:PORT`, where the host is a name or an address; one of IPv6 in brackets.
    public init(hostAndPort text: String) throws(InvalidValue) {
        let expected = "a host and a port such as control.example.net:7443, 192.0.2.1:7443 or [2001:db8::1]:7443"
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw InvalidValue(text, "has no port between 0 and 65535 at its end", expected: expected)
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard isBracketed == host.contains(":") else {
            throw InvalidValue(text, "has an address of IPv6 without brackets", expected: expected)
        }
        self = .tcp(host: try EndpointHost(String(host)), port: port)
    }

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(.address(let address), let port): "tcp:\(TransportAddress(address, port: port))"
        case .tcp(.name(let name), let port): "tcp:\(name):\(port)"
        }
    }

    public var isTCP: Bool {
        if case .tcp = self { true } else { false }
    }
}
