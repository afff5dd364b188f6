import ArgumentParser
import JSON

/// Who changes a zone.
enum ZoneProviderKind: String, CaseIterable, ExpressibleByArgument {
    case rfc2136, powerdns, route53, command

    /// The members that a provider of this kind has beside its kind.
    var members: Set<String> {
        switch self {
        case .rfc2136: ["server", "keyName", "algorithm", "credential"]
        case .powerdns: ["url", "serverID", "credential"]
        case .route53: ["hostedZone", "url", "credential"]
        case .command: ["command"]
        }
    }
}

/// A zone's fields on the command line; what is not given is not sent.
struct ZoneOptions: ParsableArguments {
    @Option(help: "Who changes the zone.")
    var provider: ZoneProviderKind?

    @Option(
        help: ArgumentHelp(
            "rfc2136: the primary server that takes dynamic updates. (default port: 53)", valueName: "address:port"))
    var server: String?

    @Option(help: ArgumentHelp("rfc2136: the name of the TSIG key.", valueName: "key"))
    var keyName: String?

    @Option(help: ArgumentHelp("rfc2136: hmac-sha256 or hmac-sha512.", valueName: "algorithm"))
    var algorithm: String?

    @Option(
        help: ArgumentHelp(
            "powerdns: its API. route53: another API than Amazon's; none for Amazon's.", valueName: "url"))
    var url: String?

    @Option(
        name: .customLong("server-id"),
        help: ArgumentHelp("powerdns: its ID of the server. (default for a new zone: localhost)", valueName: "id"))
    var serverID: String?

    @Option(help: ArgumentHelp("route53: the ID of the hosted zone.", valueName: "id"))
    var hostedZone: String?

    @Option(help: ArgumentHelp("command: the executable, among the control plane's commands.", valueName: "command"))
    var command: String?

    @Option(
        help: ArgumentHelp("The name of the secret among the control plane's credentials.", valueName: "credential"))
    var credential: String?

    @Option(
        help: ArgumentHelp(
            "An authoritative server that is asked after a change; again for each. The list replaces the present one.",
            valueName: "address:port"))
    var authority: [String] = []

    @Flag(help: "Ask those that the zone's NS records name.")
    var noAuthorities = false

    /// `replacing` says that there may be a provider of another kind already, whose members have to go (RFC 7396 would
    /// keep them).
    func members(replacing: Bool) throws -> JSONObject {
        if noAuthorities, !authority.isEmpty {
            throw Failure.usage("--authority and --no-authorities contradict each other; give one of them")
        }
        var given: JSONObject = [:]
        if let provider {
            given["kind"] = .string(provider.rawValue)
            if replacing {
                let others = ZoneProviderKind.allCases.reduce(into: Set()) { $0.formUnion($1.members) }
                for member in others.subtracting(provider.members) { given[member] = .null }
            }
        }
        let values = [
            ("server", server), ("keyName", keyName), ("algorithm", algorithm), ("url", url), ("serverID", serverID),
            ("hostedZone", hostedZone), ("command", command), ("credential", credential),
        ]
        for case (let member, let value?) in values { given[member] = .string(value) }
        if url == "none" { given["url"] = .null }
        var members: JSONObject = [:]
        if !given.isEmpty { members["provider"] = .object(given) }
        if !authority.isEmpty { members["authorities"] = .array(authority.map(JSONValue.string)) }
        if noAuthorities { members["authorities"] = [] }
        return members
    }
}
