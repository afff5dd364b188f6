public import Daemon
public import Domain

/// Everything that can be set on the control plane from outside: where it listens and where it keeps things. What it *does* is configured
/// through its API.
public struct ControlSettings: Sendable {
    public let database: String
    public let listen: TransportAddress
    public let channelPath: String
    public let adminTokenFile: String
    public let exceptions: [Prefix]

    /// The flags as they were given; nil where none was, and the environment and then the default counts.
    public struct Flags: Sendable {
        public var database: String?
        public var listen: String?
        public var channel: String?
        public var adminTokenFile: String?
        public var allowEndpoint: [String] = []

        public init() {}
    }

    public init(_ flags: Flags, environment: [String: String]) throws(SettingsFaults) {
        var reader = SettingsReader(environment: environment)
        database = reader.path("--database", flags.database, "DDIRECT_DATABASE", default: "/var/lib/ddirect/control.db")
        adminTokenFile = reader.path(
            "--admin-token-file", flags.adminTokenFile, "DDIRECT_ADMIN_TOKEN_FILE",
            default: "/var/lib/ddirect/admin.token")
        listen = reader.apiAddress(flags.listen)
        channelPath = reader.channel("--channel", flags.channel, "DDIRECT_CHANNEL")
        exceptions = reader.prefixes(flags.allowEndpoint)
        try reader.check()
    }
}

extension SettingsReader {
    fileprivate mutating func apiAddress(_ value: String?) -> TransportAddress {
        let fallback = TransportAddress(Address(ipv4: 0x7F00_0001), port: 7080)
        guard let given = given("--listen", value, "DDIRECT_LISTEN"),
            let listen = self.value(given, { text throws(InvalidValue) in try TransportAddress(text) })
        else { return fallback }
        let isLoopback = listen.address.family == .ipv4 ? listen.address.bits >> 24 == 127 : listen.address.bits == 1
        if !isLoopback {
            // Tokens would cross the network in the clear.
            add(
                fault: "\(given.name) is '\(given.text)', which others can reach, and the API does not offer TLS yet; "
                    + "expected a loopback address such as 127.0.0.1:7080, with a TLS proxy in front of it where needed"
            )
        }
        return listen
    }

    fileprivate mutating func prefixes(_ flags: [String]) -> [Prefix] {
        givenList("--allow-endpoint", flags, "DDIRECT_ALLOW_ENDPOINT").compactMap { given in
            value(given) { text throws(InvalidValue) in try Prefix(text) }
        }
    }
}
