import Domain
import Logging
import Syscalls
import Wire

/// What the subscriber is told by the rest of the process.
enum SubscriberMessage: Sendable {
    case checked(WireEndpointCheck)
    case stop
}

/// Carries out what `SubscriptionMachine` decides: the channel's socket, and a snapshot's way to the workers. One thread.
final class SnapshotSubscriber: Sendable {
    /// Everyone whom a new configuration concerns.
    struct Surroundings: Sendable {
        let workers: [Mailbox<WorkerMessage>]
        let reports: Mailbox<WorkerReport>
        let counters: [WorkerCounters]
        let resolver: Mailbox<ResolverMessage>
        let checker: Mailbox<EndpointChecker.Message>
        let keeper: Mailbox<SnapshotKeeper.Message>
        /// Ports of the monitor endpoint's responder.
        let monitor: (http: UInt16, https: UInt16)
        /// Told each configuration that is in force, on the subscriber's thread.
        let applied: @Sendable (Snapshot, _ tenants: [SlotRegistry.Tenant], _ moved: [Int32: [UInt64]]) -> Void
        let refused: @Sendable (SnapshotVersion, [String]) -> Void
        let connected: @Sendable (Bool) -> Void
        let draining: @Sendable (Bool) -> Void
        let isDraining: @Sendable () -> Bool
    }

    let mailbox: Mailbox<SubscriberMessage>
    private let path: String
    private let server: ServerName
    private let softwareVersion: String
    /// The snapshot to begin with, which an earlier process served with.
    private let kept: Snapshot?
    private let logger: Logger
    private let around: Surroundings

    /// How long the workers may take to route by a new table: they look into their mail several times a second.
    private static let workerPatience: UInt64 = 5000
    /// Between two reports of the load.
    private static let loadInterval: UInt64 = 2000

    init(
        path: String, server: ServerName, softwareVersion: String, kept: Snapshot?,
        mailbox: Mailbox<SubscriberMessage>, logger: Logger, around: Surroundings
    ) {
        self.mailbox = mailbox
        self.path = path
        self.server = server
        self.softwareVersion = softwareVersion
        self.kept = kept
        self.logger = logger
        self.around = around
    }

    /// The endpoint policy of a snapshot, by which this machine's own addresses are the fleet's, whether the control plane knows of them
    /// or not: a connection to one of them would come back to us.
    private static func policy(of snapshot: Snapshot) -> EndpointPolicy {
        let policy = snapshot.settings.policy
        return EndpointPolicy(exceptions: policy.exceptions, fleet: policy.fleet.union(Process.ownAddresses))
    }

    func run() {
        var session = Session(self)
        session.run()
    }

    /// The thread's own state.
    private struct Session: ~Copyable {
        let owner: SnapshotSubscriber
        var machine: SubscriptionMachine
        var slots: SlotRegistry
        var connection: ChannelConnection?
        var isStopped = false
        var nextLoad: UInt64 = 0
        /// The last reason for which there was no session, so that the log says it once and not at each attempt.
        var lastReason = ""
        /// By slot: how many connect failures have been reported, or were its former tenant's.
        var failuresTold: [Int32: UInt64] = [:]
        var tenants: [SlotRegistry.Tenant] = []
        /// Of the snapshot that the workers were last given; that of the one in force, unless a worker did not take it.
        var posted: Digest?

        init(_ owner: SnapshotSubscriber) {
            self.owner = owner
            let boot = String(UInt64.random(in: .min ... .max), radix: 16)
            machine = SubscriptionMachine(server: owner.server, softwareVersion: owner.softwareVersion, bootID: boot)
            slots = SlotRegistry(monitor: owner.around.monitor, seed: .random(in: .min ... .max))
        }

        private var now: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }
        private var chance: Double { .random(in: 0..<1) }

        mutating func run() {
            // Traffic first, and then the question whether there is anything newer.
            if let kept = owner.kept { apply(kept) }
            while !isStopped {
                if machine.isSubscribed, now >= nextLoad { reportLoad() }
                var set = PollSet()
                let mail = set.add(owner.mailbox.descriptor)
                var channel: Int?
                if let connection { channel = set.add(connection.descriptor, writable: connection.wantsToWrite) }
                let next = machine.nextEvent
                let time = now
                set.wait(milliseconds: Int32(clamping: min(next > time ? next - time : 0, 1000)))
                if set.isReadable(mail) { readMail() }
                if let channel, set.isWritable(channel), let problem = connection?.flush() { lose(problem) }
                if let channel, set.isReadable(channel) { receive() }
                // After reading: what came while a snapshot was applied was not silence.
                carryOut(machine.passed(now: now, chance: chance))
            }
            if connection != nil { carryOut([.send(.goodbye("this data plane is stopping"))]) }
        }

        private mutating func readMail() {
            for message in owner.mailbox.drain() {
                switch message {
                case .checked(let report): carryOut(machine.observed(.endpointCheck(report), now: now))
                case .stop: isStopped = true
                }
            }
        }

        private mutating func receive() {
            var frames: [WireFrame] = []
            let problem = connection?.receive { frames.append($0) }
            machine.heard(now: now)
            for frame in frames { carryOut(machine.received(frame, now: now, chance: chance)) }
            if let problem { lose(problem) }
        }

        private mutating func lose(_ problem: String) {
            carryOut(machine.disconnected(problem, now: now, chance: chance))
        }

        private mutating func carryOut(_ actions: [SubscriptionMachine.Action]) {
            for action in actions {
                switch action {
                case .connect: connect()
                case .send(let frame): if let problem = connection?.send(frame) { lose(problem) }
                case .apply(let snapshot): apply(snapshot)
                case .command(let command): obey(command)
                case .reportRefusal(let version, let reasons):
                    owner.around.refused(version, reasons)
                    owner.logger.error(
                        "A snapshot was refused; the one before stays in force",
                        metadata: [
                            "version": "\(version)", "serving": "\(machine.held?.version.description ?? "none")",
                            "reasons": "\(reasons.prefix(20).joined(separator: "; "))",
                        ])
                case .disconnect(let reason): disconnect(reason)
                }
            }
        }

        private mutating func connect() {
            let opened = Socket.openUnix()
            guard !opened.isError else { return lose(SystemCallError.text(of: opened.code)) }
            let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
            let answer = socket.connect(path: owner.path)
            guard !answer.isError else {
                socket.close()
                return lose("cannot connect to \(owner.path): \(SystemCallError.text(of: answer.code))")
            }
            connection = ChannelConnection(socket: socket)
            owner.around.connected(true)
            owner.logger.info("Connected to the control plane", metadata: ["channel": "unix:\(owner.path)"])
            lastReason = ""
            carryOut(machine.connected(now: now))
        }

        private mutating func disconnect(_ reason: String) {
            connection = nil
            owner.around.connected(false)
            guard reason != lastReason else { return }
            lastReason = reason
            owner.logger.warning(
                "No session with the control plane; traffic goes on with the configuration in force",
                metadata: ["reason": "\(reason)", "serving": "\(machine.held?.version.description ?? "none")"])
        }

        /// Brings a snapshot to the resolver and the workers, and waits until every worker routes by it.
        private mutating func apply(_ snapshot: Snapshot) {
            // Most often nothing of a server's own has changed, and only the version moves on.
            if let held = machine.held, held.digest == snapshot.digest, posted == held.digest {
                owner.around.applied(snapshot, tenants, [:])
                owner.around.keeper.post(.keep(snapshot))
                return carryOut(machine.applied(snapshot, now: now))
            }
            let outcome: SlotRegistry.Outcome
            let counters = owner.around.counters
            do {
                outcome = try slots.build(snapshot) { slot in
                    // In this order: what closes in between makes a slot look busy, never idle.
                    let closed = counters.sum(.connectionsClosed, service: slot)
                    return closed
                        == counters.sum(.connectionsOpened, service: slot)
                        &+ counters.sum(.connectionsAdopted, service: slot)
                }
            } catch {
                return carryOut(machine.refused(snapshot.version, [error.description], now: now))
            }
            let isJudgedSo = posted != nil && posted == machine.held?.digest
            posted = snapshot.digest
            if !isJudgedSo || machine.held?.settings.policy != snapshot.settings.policy {
                owner.around.resolver.post(.judge(SnapshotSubscriber.policy(of: snapshot)))
            }
            owner.around.resolver.post(.change(add: outcome.added, remove: outcome.removed))
            // Read before a worker can count anything for the new tenant.
            let moved = Dictionary(uniqueKeysWithValues: outcome.moved.map { ($0, counters.baseline(ofSlot: $0)) })
            for slot in outcome.moved { failuresTold[slot] = counters.sum(.connectFailures, service: slot) }
            for worker in owner.around.workers { worker.post(.route(outcome.table)) }
            guard awaitWorkers(outcome.table.generation) else {
                // Never seen but with a worker that is stuck, which the watchdog ends. Answering Applied would be a lie.
                owner.logger.critical(
                    "A worker has not taken the new routing table", metadata: ["version": "\(snapshot.version)"])
                return carryOut(machine.refused(snapshot.version, ["a worker of this data plane is stuck"], now: now))
            }
            tenants = outcome.tenants
            owner.around.applied(snapshot, tenants, moved)
            owner.around.keeper.post(.keep(snapshot))
            owner.logger.info(
                "A snapshot is in force",
                metadata: ["version": "\(snapshot.version)", "services": "\(snapshot.services.count)"])
            carryOut(machine.applied(snapshot, now: now))
        }

        private func awaitWorkers(_ generation: UInt64) -> Bool {
            var waiting = Set(0..<owner.around.workers.count)
            let deadline = now + SnapshotSubscriber.workerPatience
            var nextBeat = now + UInt64(ChannelRules.heartbeatInterval.milliseconds)
            while !waiting.isEmpty, now < deadline {
                if now >= nextBeat {
                    // The control plane should not think that it is we who are stuck. That a send fails is noticed afterwards.
                    _ = connection?.send(.heartbeat)
                    nextBeat = now + UInt64(ChannelRules.heartbeatInterval.milliseconds)
                }
                var set = PollSet()
                set.add(owner.around.reports.descriptor)
                set.wait(milliseconds: 100)
                for case .routes(let index, let taken) in owner.around.reports.drain() where taken == generation {
                    waiting.remove(index)
                }
            }
            return waiting.isEmpty
        }

        private mutating func obey(_ command: WireCommand) {
            switch command.command {
            case .checkEndpoint(let check):
                guard let target = try? EndpointTarget(check.target), let held = machine.held,
                    owner.around.checker.post(.check(command: command.id, target, SnapshotSubscriber.policy(of: held)))
                else {
                    var report = WireEndpointCheck()
                    report.command = command.id
                    report.resolveError = "this data plane cannot check that now"
                    return carryOut(machine.observed(.endpointCheck(report), now: now))
                }
            case .drain: setDraining(true)
            case .undrain: setDraining(false)
            case .accept:
                owner.logger.notice(
                    "An operator has the next snapshot taken, of whatever store and version",
                    metadata: ["serving": "\(machine.held?.version.description ?? "none")"])
            case nil: break
            }
        }

        private mutating func setDraining(_ draining: Bool) {
            owner.logger.notice(
                "\(draining ? "Draining" : "No longer draining")", metadata: ["by": "the control plane"])
            for worker in owner.around.workers { worker.post(.drain(draining)) }
            owner.around.draining(draining)
            nextLoad = 0
        }

        private mutating func reportLoad() {
            nextLoad = now + SnapshotSubscriber.loadInterval
            let counters = owner.around.counters
            var load = WireLoad()
            load.connectionsTotal = counters.sum(.flowsOpened)
            load.connectionsOpen = load.connectionsTotal &- counters.sum(.flowsClosed)
            load.draining = owner.around.isDraining()
            for tenant in tenants {
                let failures = counters.sum(.connectFailures, service: tenant.slot)
                let told = failuresTold[tenant.slot] ?? 0
                guard failures > told else { continue }
                failuresTold[tenant.slot] = failures
                var report = WireServiceFailures()
                report.service = tenant.name
                report.connectFailures = failures - told
                load.failures.append(report)
            }
            carryOut(machine.observed(.load(load), now: now))
        }
    }
}
