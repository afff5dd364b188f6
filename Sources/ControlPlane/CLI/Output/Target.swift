import JSON

/// An endpoint or fallback as it is written on the command line and in tables: `HOST` or `HOST:HTTP:HTTPS`.
///
/// Both ports or none: a single one would leave open which it is. An IPv6 address with ports stands in brackets.
struct Target: Equatable, CustomStringConvertible {
    var host: String
    /// Nil where the API's default, or what was there before, shall hold.
    var httpPort: Int?
    var httpsPort: Int?

    init(host: String, httpPort: Int? = nil, httpsPort: Int? = nil) {
        self.host = host
        self.httpPort = httpPort
        self.httpsPort = httpsPort
    }

    init(parsing text: String) throws(Failure) {
        let expected =
            "expected HOST or HOST:HTTP-PORT:HTTPS-PORT, such as origin.acme.example or [2001:db8::1]:8080:8443"
        let malformed = Failure.usage("'\(text.printable)' is no endpoint; \(expected)")
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw malformed }
            host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if rest.isEmpty { return }
            let ports = rest.split(separator: ":", omittingEmptySubsequences: false)
            guard ports.count == 3, ports[0].isEmpty, let http = Int(ports[1]), let https = Int(ports[2]) else {
                throw malformed
            }
            (httpPort, httpsPort) = (http, https)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1 where !text.isEmpty:
            host = text
        // An IPv6 address of two colons has an empty part, so three full ones are a host and its ports.
        case 3 where parts.allSatisfy { !$0.isEmpty }:
            guard let http = Int(parts[1]), let https = Int(parts[2]) else { throw malformed }
            (host, httpPort, httpsPort) = (String(parts[0]), http, https)
        case 3...:
            host = text
        default:
            throw malformed
        }
    }

    /// Reads `{"host", "httpPort", "httpsPort"}`; nil when there is no host.
    init?(_ json: JSONValue) {
        guard let host = json["host"].text else { return nil }
        self.init(
            host: host, httpPort: json["httpPort"].integer,
            httpsPort: json["httpsPort"].integer)
    }

    var json: JSONValue {
        var members: JSONObject = ["host": .string(host)]
        if let httpPort { members["httpPort"] = .integer(httpPort) }
        if let httpsPort { members["httpsPort"] = .integer(httpsPort) }
        return .object(members)
    }

    /// The members that were given, from a host that may name its ports and from ports given apart.
    static func members(host: String?, httpPort: Int?, httpsPort: Int?) throws(Failure) -> JSONObject {
        var target: JSONObject = [:]
        if let host {
            let parsed = try Target(parsing: host)
            if parsed.httpPort != nil, httpPort != nil || httpsPort != nil {
                throw .usage("'\(host.printable)' names its ports already; leave --http-port and --https-port out")
            }
            target = parsed.json.members
        }
        if let httpPort { target["httpPort"] = .integer(httpPort) }
        if let httpsPort { target["httpsPort"] = .integer(httpsPort) }
        return target
    }

    /// Without the ports where they are the usual ones.
    var description: String {
        let (http, https) = (httpPort ?? 80, httpsPort ?? 443)
        if (http, https) == (80, 443) { return host }
        return "\(host.contains(":") ? "[\(host)]" : host):\(http):\(https)"
    }
}
