package import Domain
package import FoundationEssentials
package import Outgoing

extension ZoneProvider {
    /// The server that is called. Zones of one place share the calls that it is given at a time.
    package var place: String {
        switch self {
        case .update(let server, _, _, _): "rfc2136 \(server)"
        case .powerDNS(let url, _, _): "powerdns \(url)"
        case .route53(_, let url, _): "route53 \(url ?? "")"
        case .command(let command): "command \(command)"
        }
    }
}

/// Makes the provider of each zone.
package struct ProviderFactory: Sendable {
    let credentials: Credentials
    /// The folder with the executables that zones may name.
    let commands: String
    let http: OutgoingHTTP
    /// The time, for signatures.
    let now: @Sendable () -> Date

    package init(
        credentials: Credentials, commands: String, http: OutgoingHTTP, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.credentials = credentials
        self.commands = commands
        self.http = http
        self.now = now
    }

    package func provider(for zone: Zone) -> any DNSProvider {
        switch zone.provider {
        case .update(let server, let key, let algorithm, let credential):
            UpdateProvider(
                zone: zone.name, server: server, keyName: key, algorithm: algorithm, credential: credential,
                credentials: credentials)
        case .powerDNS(let url, let server, let credential):
            PowerDNSProvider(
                zone: zone.name, url: url, server: server, credential: credential, credentials: credentials,
                http: ProviderHTTP(http: http))
        case .route53(let hostedZone, let url, let credential):
            Route53Provider(
                zone: zone.name, hostedZone: hostedZone, url: url, credential: credential, credentials: credentials,
                http: ProviderHTTP(http: http), now: now)
        case .command(let command): CommandProvider(zone: zone.name, path: "\(commands)/\(command)")
        }
    }
}
