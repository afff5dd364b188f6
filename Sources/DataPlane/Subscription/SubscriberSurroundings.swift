import Domain
import Syscalls
import Wire

/// What the subscriber is told by the rest of the process.
enum SubscriberMessage: Sendable {
    case inspected(WireEndpointCheck)
    case probed(WireProbe)
    case listed(FlowSearches.Answer)
    /// The files of the identity may have changed.
    case reload
    case stop
}

extension SnapshotSubscriber {
    /// Everyone whom a new configuration concerns.
    struct Surroundings: Sendable {
        let workers: [Mailbox<WorkerMessage>]
        let reports: Mailbox<WorkerReport>
        let counters: [WorkerCounters]
        let resolver: Mailbox<ResolverMessage>
        let inspector: Mailbox<EndpointInspector.Message>
        let lister: Mailbox<FlowSearches.Request>
        let prober: Mailbox<Prober.Message>
        let health: Mailbox<HealthChecker.Message>
        let keeper: Mailbox<SnapshotKeeper.Message>
        /// Ports of the monitor endpoint's responder.
        let monitor: (http: UInt16, https: UInt16)
        /// Told who has which slot by the routing table of this number, before a worker has it.
        let routing: @Sendable (_ tenants: [ServiceSlots.Tenant], _ generation: UInt64) -> Void
        /// Told each configuration that is in force, on the subscriber's thread.
        let applied: @Sendable (Snapshot, _ tenants: [ServiceSlots.Tenant], _ moved: [Int32: [UInt64]]) -> Void
        let refused: @Sendable (SnapshotVersion, [String]) -> Void
        /// Whether there is a session, and where the control plane is, if that is on another machine.
        let connected: @Sendable (Bool, Address?) -> Void
        let draining: @Sendable (Bool) -> Void
        let isDraining: @Sendable () -> Bool
    }
}
