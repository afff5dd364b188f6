import Domain
import Foundation

@testable import Channel
@testable import ControlDaemon
@testable import Failover
@testable import Store

extension Store {
    /// A store as the daemon opens it: the tables of all subjects, and those who take part in changes.
    static func open(
        at path: String, exceptions: [Prefix], ports: EndpointPorts = EndpointPorts(),
        revocations: Revocations = Revocations(), now: @escaping @Sendable () -> Date = { Date() }
    ) async throws -> Store {
        try await open(
            at: path, schema: Schema.migrations, participants: [revocations, PlacementRules()], exceptions: exceptions,
            ports: ports, now: now)
    }
}
