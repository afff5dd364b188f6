/// The secret by which a server knows the probes of its own fleet. The control plane makes it from the fleet's key and
/// the server's name.
///
/// It never says itself: neither a log line nor an error message can show it by accident.
public struct ProbeKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// As long as the output of SHA-256, which is what an HMAC of it wants (RFC 2104 section 3).
    public static let length = 32

    public let octets: [UInt8]

    /// Nil when there are not exactly `length` octets.
    public init?(octets: [UInt8]) {
        guard octets.count == ProbeKey.length else { return nil }
        self.octets = octets
    }

    public var description: String { "a probe key" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a probe shows in its request, so that the monitor endpoint knows a probe of its own fleet among strangers.
///
///     DDirect-Probe: v1 VANTAGE TIME NONCE MAC
///
/// TIME is in seconds since 1970, NONCE is 16 octets and MAC 32, both in hexadecimal. MAC is the HMAC-SHA256 of server,
/// vantage, time and nonce under the server's key. Port 80 is in the clear, so anybody on the way can read a token: the
/// time makes it worthless soon, and the server takes each nonce once. A request without a valid token is answered all
/// the same.
public struct ProbeToken: Hashable, Sendable {
    /// Makes an HMAC-SHA256. Each plane has a library of its own for it, and this module imports none.
    public typealias Authentication = (_ octets: [UInt8], _ key: ProbeKey) -> [UInt8]

    public static let fieldName = "DDirect-Probe"
    /// How far the clocks of a vantage and a server may be apart, in seconds. With time synchronisation it is well
    /// below one. A vantage whose clock is worse is answered as a stranger.
    public static let window: UInt64 = 180
    /// The longest value of the field: a vantage's name has 63 octets at most, and a time 20.
    static let longestValue = 2 + 1 + 63 + 1 + 20 + 1 + 32 + 1 + 64

    /// Who probes: the name of a server, or `control`.
    public let vantage: String
    /// Seconds since 1970.
    public let time: UInt64
    public let nonce: UInt128
    private let mac: [UInt8]

    /// Makes the token of one request.
    public init(
        of vantage: String, for server: ServerName, time: UInt64, nonce: UInt128, key: ProbeKey,
        authenticate: Authentication
    ) {
        self.vantage = vantage
        self.time = time
        self.nonce = nonce
        mac = authenticate(ProbeToken.signed(vantage: vantage, server: server, time: time, nonce: nonce), key)
    }

    /// Reads the value of the field; nil when it is no token of this version.
    public init?(_ value: String) {
        guard value.utf8.count <= ProbeToken.longestValue else { return nil }
        let parts = value.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "v1", let vantage = try? ServerName(String(parts[1])),
            let time = UInt64(parts[2]), let nonce = ProbeToken.octets(parts[3], count: 16),
            let mac = ProbeToken.octets(parts[4], count: 32)
        else { return nil }
        self.vantage = vantage.text
        self.time = time
        self.nonce = nonce.reduce(0) { $0 << 8 | UInt128($1) }
        self.mac = mac
    }

    public var value: String {
        let octets = (0..<16).map { UInt8(truncatingIfNeeded: nonce >> UInt128(120 - 8 * $0)) }
        return "v1 \(vantage) \(time) \(octets.hexadecimal) \(mac.hexadecimal)"
    }

    /// Whether its time is near enough to `now`, in seconds since 1970.
    public func isTimely(at now: UInt64) -> Bool {
        (time > now ? time - now : now - time) <= ProbeToken.window
    }

    /// Whether somebody who has `key` made it for `server`.
    public func isGenuine(for server: ServerName, key: ProbeKey, authenticate: Authentication) -> Bool {
        let expected = authenticate(
            ProbeToken.signed(vantage: vantage, server: server, time: time, nonce: nonce), key)
        // Every octet is looked at: how long this takes tells nothing about the first one that differs.
        return expected.count == 32 && mac.count == 32 && zip(expected, mac).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// What is authenticated. Names have no line breaks, so no two tokens are the same octets.
    private static func signed(vantage: String, server: ServerName, time: UInt64, nonce: UInt128) -> [UInt8] {
        Array("\(fieldName) v1\n\(server.text)\n\(vantage)\n\(time)\n\(nonce)".utf8)
    }

    /// What the control plane authenticates with the fleet's key to make the key of a server.
    public static func keyMaterial(of server: ServerName) -> [UInt8] { Array("\(fieldName) key\n\(server.text)".utf8) }

    private static func octets(_ text: Substring, count: Int) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == count * 2 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(count)
        for index in 0..<count {
            guard let high = digit(digits[2 * index]), let low = digit(digits[2 * index + 1]) else { return nil }
            octets.append(high << 4 | low)
        }
        return octets
    }

    /// Lower case only: one token has one spelling.
    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension ProbeToken {
    /// The request of a probe for `path` at `host`, as it goes over one connection. Both planes probe with it. Names
    /// and paths have been checked: nothing in them could be taken for a second line.
    public static func request(path: String, host: DomainName, token: ProbeToken?) -> String {
        var lines = ["GET \(path) HTTP/1.1", "Host: \(host)", "User-Agent: D-Direct probe"]
        if let token { lines.append("\(fieldName): \(token.value)") }
        lines += ["Connection: close", "", ""]
        return lines.joined(separator: "\r\n")
    }
}
