import Syscalls
import Wire

/// What the control plane is told of the load: for services, what is new since the report before. Reads counters, and
/// decides the rest.
///
/// A difference is only taken as told once its report has been sent, so nothing is lost while there is no session: the
/// first report of the next tells of it, and the first of a process counts from the process's start.
struct LoadReport {
    /// What has been told of a service, or was its slot's former tenant's.
    private struct Told {
        var failures: UInt64 = 0
        var connections: UInt64 = 0
    }

    /// So many entries fit in a frame with ease; the services whose turn has not come are in the next report.
    static let mostEntries = 10_000
    /// Milliseconds between two reports.
    private static let usualInterval: UInt64 = 2000
    /// The same, when not everything fitted.
    private static let shortInterval: UInt64 = 200

    private var told: [Int32: Told] = [:]
    /// Of the report that was made last.
    private var pending: [(slot: Int32, told: Told)] = []
    /// Among the tenants, who is looked at first, so that the many do not keep the last of them silent for ever.
    private var turn = 0
    /// After how many milliseconds the next report is to be made.
    private(set) var interval = LoadReport.usualInterval

    /// What the slot has counted so far was its former tenant's. To be said before a worker can count for the new one.
    mutating func changedHands(_ slot: Int32, _ counters: [WorkerCounters]) {
        told[slot] = LoadReport.reading(counters, slot)
    }

    /// The next report, as far as counters tell it.
    mutating func next(of tenants: [ServiceSlots.Tenant], _ counters: [WorkerCounters]) -> WireLoad {
        var load = WireLoad()
        load.connectionsTotal = counters.sum(.flowsOpened)
        load.connectionsOpen = load.connectionsTotal &- counters.sum(.flowsClosed)
        // The monitor endpoint's are not among them: a flood of it is no traffic.
        load.bytesTotal = tenants.reduce(0) { total, tenant in
            total &+ counters.sum(.bytesUp, service: tenant.slot) &+ counters.sum(.bytesDown, service: tenant.slot)
        }
        pending = []
        interval = LoadReport.usualInterval
        var entries = 0
        let first = tenants.isEmpty ? 0 : turn % tenants.count
        for offset in tenants.indices {
            let place = (first + offset) % tenants.count
            let tenant = tenants[place]
            let known = LoadReport.reading(counters, tenant.slot)
            let before = told[tenant.slot] ?? Told()
            guard known.failures > before.failures || known.connections > before.connections else { continue }
            guard entries + 2 <= LoadReport.mostEntries else {
                turn = place
                interval = LoadReport.shortInterval
                break
            }
            if known.failures > before.failures {
                var report = WireServiceFailures()
                report.service = tenant.name
                report.connectFailures = known.failures - before.failures
                load.failures.append(report)
                entries += 1
            }
            if known.connections > before.connections {
                var report = WireServiceConnections()
                report.service = tenant.name
                report.opened = known.connections - before.connections
                load.connections.append(report)
                entries += 1
            }
            pending.append((tenant.slot, known))
        }
        return load
    }

    /// The report that was made last has been sent.
    mutating func sent() {
        for (slot, known) in pending { told[slot] = known }
        pending = []
    }

    private static func reading(_ counters: [WorkerCounters], _ slot: Int32) -> Told {
        Told(
            failures: counters.sum(.connectFailures, service: slot),
            connections: counters.sum(.connectionsOpened, service: slot))
    }
}
