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

    /// Everything that is wrong, so that it can be mended in one go.
    public struct Faults: Error, Equatable, CustomStringConvertible {
        public let sentences: [String]
        public var description: String { sentences.joined(separator: "\n") }
    }

    public init(_ flags: Flags, environment: [String: String]) throws(Faults) {
        var reader = SettingsReader(environment: environment)
        database = reader.path("--database", flags.database, "DDIRECT_DATABASE", default: "/var/lib/ddirect/control.db")
        adminTokenFile = reader.path(
            "--admin-token-file", flags.adminTokenFile, "DDIRECT_ADMIN_TOKEN_FILE", default: "/var/lib/ddirect/admin.token")
        listen = reader.listenAddress(flags.listen)
        channelPath = reader.channel(flags.channel)
        exceptions = reader.prefixes(flags.allowEndpoint)
        guard reader.faults.isEmpty else { throw Faults(sentences: reader.faults) }
    }
}

/// Reads setting after setting and remembers what is wrong.
private struct SettingsReader {
    let environment: [String: String]
    var faults: [String] = []

    init(environment: [String: String]) { self.environment = environment }

    /// What was set, and by what name; nil when neither the flag nor the variable is.
    private func given(_ flag: String, _ value: String?, _ variable: String) -> (name: String, text: String)? {
        if let value { return (flag, value) }
        // An empty variable is how a unit file or a shell unsets one.
        if let value = environment[variable], !value.isEmpty { return (variable, value) }
        return nil
    }

    mutating func path(_ flag: String, _ value: String?, _ variable: String, default fallback: String) -> String {
        guard let (name, text) = given(flag, value, variable) else { return fallback }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            faults.append("\(name) is empty; expected a path such as \(fallback)")
            return fallback
        }
        return text
    }

    mutating func listenAddress(_ value: String?) -> TransportAddress {
        let fallback = TransportAddress(Address(ipv4: 0x7F00_0001), port: 7080)
        guard let (name, text) = given("--listen", value, "DDIRECT_LISTEN") else { return fallback }
        do {
            let listen = try TransportAddress(text)
            let isLoopback =
                listen.address.family == .ipv4 ? listen.address.bits >> 24 == 127 : listen.address.bits == 1
            if !isLoopback {
                // Tokens would cross the network in the clear.
                faults.append(
                    "\(name) is '\(text)', which others can reach, and the API does not offer TLS yet; "
                        + "expected a loopback address such as 127.0.0.1:7080, with a TLS proxy in front of it where needed")
            }
            return listen
        } catch {
            faults.append("\(name): \(error)")
            return fallback
        }
    }

    mutating func channel(_ value: String?) -> String {
        let fallback = "/run/ddirect/channel.sock"
        guard let (name, text) = given("--channel", value, "DDIRECT_CHANNEL") else { return fallback }
        let expected = "expected unix:PATH, such as unix:\(fallback)"
        guard text.hasPrefix("unix:") else {
            faults.append(
                text.hasPrefix("tcp:")
                    ? "\(name) is '\(text)', and the channel over TCP needs mutual TLS, which this release does not offer; \(expected)"
                    : "\(name) is '\(text)'; \(expected)")
            return fallback
        }
        let path = String(text.dropFirst(5))
        // sockaddr_un holds 108 octets with the final zero.
        guard (1...107).contains(path.utf8.count) else {
            faults.append("\(name) has a path of \(path.utf8.count) octets; expected 1 to 107, the most that a socket's name can have")
            return fallback
        }
        return path
    }

    mutating func prefixes(_ flags: [String]) -> [Prefix] {
        var texts = flags.map { ("--allow-endpoint", $0) }
        if flags.isEmpty {
            texts = (environment["DDIRECT_ALLOW_ENDPOINT"] ?? "").split(separator: ",").map {
                ("DDIRECT_ALLOW_ENDPOINT", $0.filter { $0 != " " })
            }
        }
        var prefixes: [Prefix] = []
        for (name, text) in texts {
            do {
                prefixes.append(try Prefix(text))
            } catch {
                faults.append("\(name): \(error)")
            }
        }
        return prefixes
    }
}
