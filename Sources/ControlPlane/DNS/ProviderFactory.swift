import AsyncHTTPClient
import Domain

/// Makes the provider of a zone from what is configured.
struct ProviderFactory: Sendable {
    let credentials: Credentials
    let http: HTTPClient

    func provider(for zone: Zone) -> any DNSProvider {
        switch zone.provider {
        case .update(let server, let key, let algorithm, let credential):
            UpdateProvider(
                zone: zone.name, server: server, key: key, algorithm: algorithm, credential: credential,
                credentials: credentials)
        case .powerDNS, .route53, .command: fatalError()
        }
    }
}
