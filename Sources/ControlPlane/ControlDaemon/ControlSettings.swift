package import Daemon
package import Domain
import FoundationEssentials

/// Everything that can be set on the control plane from outside: where it listens and where it keeps things. What it
/// *does* is configured through its API.
package struct ControlSettings: Sendable {
    package let database: String
    package let listen: TransportAddress
    /// Where data planes connect to: one Unix socket at most, and any number of addresses over TCP.
    package let channelPath: String?
    package let secureChannel: [TransportAddress]
    /// The file with the key and the certificate of the channel's authority; of use with addresses over TCP only.
    package let authority: String
    /// Whether the service manager put that file there (systemd's LoadCredential=).
    package let authorityIsCredential: Bool
    /// The folder with the secrets that zones and webhooks name.
    package let credentials: String
    /// The folder with the executables that zones name.
    package let commands: String
    /// For how long the certificates hold that data planes are given.
    package let certificateLifetime: Duration
    package let adminTokenFile: String
    package let exceptions: [Prefix]
    package let ports: EndpointPorts

    /// The flags as they were given; nil where none was, and the environment and then the default counts.
    package struct Flags: Sendable {
        package var database: String?
        package var listen: String?
        package var channel: [String] = []
        package var channelAuthority: String?
        package var credentials: String?
        package var commands: String?
        package var certificateLifetime: String?
        package var adminTokenFile: String?
        package var allowEndpoint: [String] = []
        package var allowEndpointPort: [String] = []

        package init() {}
    }

    package init(_ flags: Flags, environment: [String: String]) throws(SettingsFaults) {
        var reader = SettingsReader(environment: environment)
        database = reader.path("--database", flags.database, "DDIRECT_DATABASE", default: "/var/lib/ddirect/control.db")
        adminTokenFile = reader.path(
            "--admin-token-file", flags.adminTokenFile, "DDIRECT_ADMIN_TOKEN_FILE",
            default: "/var/lib/ddirect/admin.token")
        listen = reader.apiAddress(flags.listen)
        (channelPath, secureChannel) = reader.listeners(flags.channel)
        (authority, authorityIsCredential) = reader.authority(flags.channelAuthority, environment)
        credentials = reader.path(
            "--credentials", flags.credentials, "DDIRECT_CREDENTIALS",
            default: environment["CREDENTIALS_DIRECTORY"] ?? "/var/lib/ddirect/credentials")
        commands = reader.path(
            "--commands", flags.commands, "DDIRECT_COMMANDS", default: "/etc/ddirect/commands")
        certificateLifetime = reader.seconds(
            "--certificate-lifetime", flags.certificateLifetime, "DDIRECT_CERTIFICATE_LIFETIME",
            default: .seconds(90 * 86_400), most: 100_000_000)
        exceptions = reader.prefixes(flags.allowEndpoint)
        ports = reader.ports(flags.allowEndpointPort)
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

    fileprivate mutating func listeners(_ flags: [String]) -> (path: String?, secure: [TransportAddress]) {
        var paths: [String] = []
        var secure: [TransportAddress] = []
        for address in channel("--channel", flags, "DDIRECT_CHANNEL") {
            switch address {
            case .unix(let path): paths.append(path)
            case .tcp(.address(let address), let port): secure.append(TransportAddress(address, port: port))
            case .tcp(.name(let name), _):
                add(
                    fault:
                        "--channel has the name \(name); expected an address of this machine, such as tcp:0.0.0.0:7443")
            }
        }
        if paths.count > 1 { add(fault: "--channel has \(paths.count) Unix sockets; expected one at most") }
        return (paths.first, secure)
    }

    /// The authority's file: what the flag says, or else the credential `channel-authority`, or else beside the
    /// database.
    fileprivate mutating func authority(_ flag: String?, _ environment: [String: String]) -> (String, Bool) {
        let name = "channel-authority"
        if flag == nil, let folder = environment["CREDENTIALS_DIRECTORY"],
            environment["DDIRECT_CHANNEL_AUTHORITY"] == nil,
            FileManager.default.fileExists(atPath: "\(folder)/\(name)")
        {
            return ("\(folder)/\(name)", true)
        }
        let path = path(
            "--channel-authority", flag, "DDIRECT_CHANNEL_AUTHORITY", default: "/var/lib/ddirect/\(name).pem")
        return (path, false)
    }

    fileprivate mutating func prefixes(_ flags: [String]) -> [Prefix] {
        givenList("--allow-endpoint", flags, "DDIRECT_ALLOW_ENDPOINT").compactMap { given in
            value(given) { text throws(InvalidValue) in try Prefix(text) }
        }
    }

    fileprivate mutating func ports(_ flags: [String]) -> EndpointPorts {
        EndpointPorts(
            allowed: givenList("--allow-endpoint-port", flags, "DDIRECT_ALLOW_ENDPOINT_PORT").compactMap { given in
                value(given) { text throws(InvalidValue) in try PortRange(text) }
            })
    }
}
