import Domain
import Synchronization
import Syscalls

/// A service that has a slot of counters now.
struct ServiceTenant: Sendable, Equatable {
    let slot: Int32
    let name: String
    /// What the slot had counted, by `ServiceCounter` and then by `Incident`, when this service got it from another;
    /// empty when it is the first.
    ///
    /// Counters only grow, so this is subtracted from what they say now.
    let baseline: [UInt64]
}

extension Sequence<WorkerCounters> {
    /// What a slot has counted so far: the baseline of its next tenant.
    func baseline(ofSlot slot: Int32) -> [UInt64] {
        ServiceCounter.allCases.map { sum($0, service: slot) } + Incident.allCases.map { sum($0, service: slot) }
    }
}

/// What this process says of itself, at one moment.
struct Status: Sendable, Equatable {
    enum Stage: String, Sendable, CaseIterable {
        case starting, serving, draining
    }

    /// The snapshot that traffic is routed by, and what it says of this server.
    struct Applied: Sendable, Equatable {
        let incarnation: Incarnation
        let version: SnapshotVersion
        let region: RegionName
        let hostname: DomainName
        /// The addresses of all servers.
        var fleet: Set<Address> = []
        /// By which probes of the fleet are known.
        var probeKey: ProbeKey?
    }

    /// What the responder has counted of its callers.
    struct Monitor: Sendable, Equatable {
        /// Behind the gate of the workers: those for whom the responder itself had no room.
        var callersRefused: UInt64 = 0
        var proofsTaken: UInt64 = 0
        /// Tokens that were not genuine, not timely, or shown before.
        var proofsRefused: UInt64 = 0
    }

    /// What became of the lines of the flow log that the workers have handed over.
    struct FlowLog: Sendable, Equatable {
        var linesWritten: UInt64 = 0
        var linesLost: UInt64 = 0
    }

    struct Refused: Sendable, Equatable {
        let version: SnapshotVersion
        let reasons: [String]
    }

    let server: ServerName
    var stage = Stage.starting
    var applied: Applied?
    /// The last refusal, until a snapshot is applied.
    var refused: Refused?
    var refusals: UInt64 = 0
    var isConnected = false
    var services: [ServiceTenant] = []
    var names = Resolver.Statistics()
    var health = HealthChecker.Statistics()
    var monitor = Monitor()
    var flowLog = FlowLog()
    /// Lines of the log that their reader did not get.
    var logLinesLost: UInt64 = 0
    /// Where the control plane of the present or the last session is; nil for one on this machine.
    var controlPlane: Address?
    /// What is wrong with the threads of this process.
    var ailments: [ThreadAilment] = []
    /// When the main thread last looked after them; nil before the first time.
    var lookedAfter: Duration?
    /// It looks five times a second. Without a look for so long it counts as stuck.
    static let patienceWithMain = Duration.seconds(10)

    /// Why this server should get no traffic yet, or no more, in one sentence; nil when it is ready.
    var unreadiness: String? {
        if stage == .draining { return "This server is draining and takes no new connections." }
        if let ailment = ailments.first(where: \.isOfTraffic) { return "\(ailment.text)." }
        if applied == nil {
            if let refused {
                return "Snapshot \(refused.version) was refused: \(refused.reasons.joined(separator: "; "))."
            }
            return isConnected
                ? "The control plane has not sent a snapshot yet."
                : "There is no snapshot yet, and no connection to the control plane."
        }
        return stage == .starting ? "The listeners are not open yet." : nil
    }

    /// How this server is, in one line for people.
    var line: String {
        let ailment = ailments.first.map { "; \($0.text)" } ?? ""
        guard let applied, stage != .starting else { return "Waiting for a snapshot\(ailment)" }
        let services = "\(services.count) services, version \(applied.version)"
        let link = isConnected ? "" : "; no session with the control plane"
        return "\(stage == .draining ? "Draining" : "Carrying") \(services)\(link)\(ailment)"
    }
}

/// Where the parts of this process write down how they are, for the responder to read.
///
/// A lock held for an assignment; the relay's workers never touch it.
final class StatusBoard: Sendable {
    private let status: Mutex<Status>
    /// Nanoseconds since 1970.
    let startTime: UInt64

    init(server: ServerName, startTime: UInt64 = Clock.realtimeNanoseconds) {
        status = Mutex(Status(server: server))
        self.startTime = startTime
    }

    var current: Status { status.withLock { $0 } }

    /// The same as another thread sees it, which alone can tell that the main thread is stuck.
    func status(at now: Duration) -> Status {
        var status = current
        if let last = status.lookedAfter, now - last > Status.patienceWithMain {
            // The watchdog is fed by it, and signals are heard by it.
            status.ailments.append(ThreadAilment(thread: "main", loss: .ofTraffic, kind: .stuck))
        }
        return status
    }

    func stage(_ stage: Status.Stage) { status.withLock { $0.stage = stage } }

    func connected(_ isConnected: Bool) { status.withLock { $0.isConnected = isConnected } }

    func foundControlPlane(at address: Address) { status.withLock { $0.controlPlane = address } }

    func countMonitor(_ count: (inout Status.Monitor) -> Void) { status.withLock { count(&$0.monitor) } }

    func applied(_ snapshot: Status.Applied) {
        status.withLock { status in
            status.applied = snapshot
            status.refused = nil
        }
    }

    func refused(_ version: SnapshotVersion, reasons: [String]) {
        status.withLock { status in
            status.refused = Status.Refused(version: version, reasons: reasons)
            status.refusals &+= 1
        }
    }

    /// Replaces the services by those of the table that was applied.
    ///
    /// `moved` has the slots that have changed hands, with `baseline(ofSlot:)` read before the new table was given to
    /// the workers; the other slots keep the baseline that they had.
    func setServices(_ services: [(slot: Int32, name: String)], moved: [Int32: [UInt64]]) {
        status.withLock { status in
            var baselines = moved
            for tenant in status.services where !tenant.baseline.isEmpty && baselines[tenant.slot] == nil {
                baselines[tenant.slot] = tenant.baseline
            }
            status.services = services.map {
                ServiceTenant(slot: $0.slot, name: $0.name, baseline: baselines[$0.slot] ?? [])
            }
        }
    }

    func setNames(_ names: Resolver.Statistics) { status.withLock { $0.names = names } }

    /// What the main thread has seen of the others at a moment of a clock that never goes back.
    func setAilments(_ ailments: [ThreadAilment], at now: Duration) {
        status.withLock { status in
            status.ailments = ailments
            status.lookedAfter = now
        }
    }

    func setLogLinesLost(_ count: UInt64) { status.withLock { $0.logLinesLost = count } }

    func setFlowLog(_ flowLog: Status.FlowLog) { status.withLock { $0.flowLog = flowLog } }

    func setHealth(_ health: HealthChecker.Statistics) { status.withLock { $0.health = health } }
}

extension Status.Applied {
    init(_ snapshot: Snapshot) {
        self.init(
            incarnation: snapshot.incarnation, version: snapshot.version, region: snapshot.settings.server.region,
            hostname: snapshot.settings.server.hostname, fleet: snapshot.settings.policy.fleet,
            probeKey: snapshot.settings.probeKey)
    }
}
