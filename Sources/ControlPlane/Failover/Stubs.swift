import Domain
enum Vantage: Hashable, Sendable, Comparable, CustomStringConvertible {
    case control
    case server(ServerName)
    var description: String { switch self { case .control: "control"; case .server(let n): n.text } }
}
struct ProbeOutcome: Sendable { let server: ServerName; let service: ServiceName?; let vantage: Vantage; let error: String?; let duration: Duration; let at: ContinuousClock.Instant }
struct ServiceTraffic: Sendable { let server: ServerName; let service: ServiceName; let opened: UInt64; let at: ContinuousClock.Instant }
struct ProbeTarget: Hashable, Sendable { let server: ServerName }
struct ProbePlan { let targets: [ProbeTarget]; let targetsByServer: [ServerName: [ProbeTarget]]
  init(servers: [ServerName: Server], services: [ServiceName: Domain.Service], monitoring: Monitoring) { targets = []; targetsByServer = [:] } }
import Logging
import AsyncHTTPClient
import ServiceLifecycle
final class Prober: ServiceLifecycle.Service { init(logger: Logger) {}; func run() async throws { try await gracefulShutdown() }
 let outcomes = AsyncStream<ProbeOutcome> { _ in }; func watch(_ t: [ProbeTarget]) {} }
struct Credentials { init(folder: String) {} }
struct ProviderFactory: Sendable { init(credentials: Credentials, http: HTTPClient) {}; func provider(for zone: Zone) -> any DNSProvider { fatalError() } }
struct AuthoritativeServer: Sendable, CustomStringConvertible { var description: String }
enum AuthorityAnswer: Sendable { case records([RecordSet]); case failure(String) }
struct AuthorityCheck: Sendable { func servers(of zone: Zone) async throws -> [AuthoritativeServer] { [] }
 func ask(_ s: AuthoritativeServer, name: DomainName, _ type: RecordType) async -> AuthorityAnswer { .failure("") } }
extension SnapshotPublisher { nonisolated var probes: AsyncStream<ProbeOutcome> { AsyncStream { _ in } }; nonisolated var traffic: AsyncStream<ServiceTraffic> { AsyncStream { _ in } }; func watch(_ t: [ServerName: [ProbeTarget]]) {} }
