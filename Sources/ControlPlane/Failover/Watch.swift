import Domain
import Fleet
import Probing

/// Knows which servers the vantages were told to probe, and when to tell them anew. Pure; the time is passed in.
struct Watch: Sendable {
    /// A burst of changes is one for the vantages.
    static let interval = Duration.seconds(1)

    private var version: SnapshotVersion?
    /// The data planes that were connected last.
    private var vantages: Set<ServerName> = []
    /// Something has changed that the plan depends on, and the plan has not been made anew yet.
    private var isDue = false
    private var madeAt: ContinuousClock.Instant?
    private var plan: ProbePlan?

    /// The plan that the vantages are to be told now; nil when they know it, or were told another one just now.
    mutating func newPlan(
        _ state: FleetState, connected: Set<ServerName>, keys: ProbeKeys?, at now: ContinuousClock.Instant
    ) -> ProbePlan? {
        if version != state.version || vantages != connected { isDue = true }
        version = state.version
        vantages = connected
        guard isDue, madeAt.map({ now - $0 >= Watch.interval }) ?? true else { return nil }
        isDue = false
        madeAt = now
        let made = ProbePlan(
            servers: state.servers, services: state.services, monitoring: state.settings.monitoring,
            connected: connected, keys: keys)
        guard made != plan else { return nil }
        plan = made
        return made
    }
}
