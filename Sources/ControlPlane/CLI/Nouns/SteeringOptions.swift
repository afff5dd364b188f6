import ArgumentParser
import JSON

/// The names that steer a service's traffic and its own uptime check, on the command line; what is not given is not
/// sent.
struct SteeringOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A name that a failover makes lead to the standby: cname (usual) or addresses, and the TTL in seconds; again for each. The list replaces the present one.",
            valueName: "zone:name[:kind[:ttl]]"))
    var dns: [String] = []

    @Flag(name: .customLong("no-dns"), help: "Have no name changed: whoever looks after them moves the service.")
    var noDNS = false

    @Option(
        help: ArgumentHelp(
            "Ask for this path through the service's servers; the endpoint has to answer.", valueName: "path"))
    var check: String?

    @Flag(inversion: .prefixedNo, help: "Ask by plain HTTP instead of TLS.")
    var checkHttp: Bool?

    @Option(
        help: ArgumentHelp("The name to ask for. (default: the first client domain)", valueName: "domain"))
    var checkHost: String?

    @Flag(help: "Have no check of its own.")
    var noCheck = false

    func members() throws -> JSONObject {
        if noDNS, !dns.isEmpty {
            throw Failure.usage("--dns and --no-dns contradict each other; give one of them")
        }
        if noCheck, check != nil || checkHttp != nil || checkHost != nil {
            throw Failure.usage("--no-check and the other options of the check contradict each other; give one of them")
        }
        var members: JSONObject = [:]
        if !dns.isEmpty { members["dns"] = .array(try dns.map { try Binding(parsing: $0).json }) }
        if noDNS { members["dns"] = [] }
        var request: JSONObject = [:]
        if let check { request["path"] = .string(check) }
        if let checkHttp { request["scheme"] = checkHttp ? "http" : "https" }
        if let checkHost { request["host"] = .string(checkHost) }
        if !request.isEmpty { members["check"] = .object(request) }
        if noCheck { members["check"] = .null }
        return members
    }
}

/// A DNS binding as it is written on the command line and shown: `ZONE:NAME:KIND:TTL`.
struct Binding: CustomStringConvertible {
    let json: JSONValue

    init(parsing text: String) throws(Failure) {
        let malformed = Failure.usage(
            "--dns is '\(text.printable)'; expected ZONE:NAME, ZONE:NAME:KIND or ZONE:NAME:KIND:TTL, "
                + "such as acme.example:app.acme.example:cname:5")
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (2...4).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { throw malformed }
        var members: JSONObject = ["zone": .string(parts[0]), "name": .string(parts[1])]
        if parts.count > 2 { members["kind"] = .string(parts[2]) }
        if parts.count > 3 {
            guard let seconds = Int(parts[3]) else { throw malformed }
            members["ttl"] = .integer(seconds)
        }
        json = .object(members)
    }

    /// Nil when it is something else.
    init?(shown json: JSONValue) {
        guard json["zone"].text != nil, json["name"].text != nil else { return nil }
        self.json = json
    }

    var description: String {
        let seconds = json["ttl"].integer.map(String.init)
        return [json["zone"].text, json["name"].text, json["kind"].text, seconds].compactMap { $0 }
            .joined(separator: ":")
    }
}

/// A service's own uptime check, as a person would write it: `https://app.acme.example/health`.
enum ServiceCheckText {
    static func text(_ check: JSONValue) -> String? {
        guard let host = check["host"].text, let path = check["path"].text else { return nil }
        return "\(check["scheme"].text ?? "https")://\(host)\(path)"
    }
}
