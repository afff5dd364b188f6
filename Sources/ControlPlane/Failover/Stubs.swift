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
import ServiceLifecycle
final class Prober: ServiceLifecycle.Service { init(logger: Logger) {}; func run() async throws { try await gracefulShutdown() }
 let outcomes = AsyncStream<ProbeOutcome> { _ in }; func watch(_ t: [ProbeTarget]) {} }
extension SnapshotPublisher { nonisolated var probes: AsyncStream<ProbeOutcome> { AsyncStream { _ in } }; nonisolated var traffic: AsyncStream<ServiceTraffic> { AsyncStream { _ in } }; func watch(_ t: [ServerName: [ProbeTarget]]) {} }
