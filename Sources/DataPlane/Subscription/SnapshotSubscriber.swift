import Daemon
import Domain
import Logging
import Syscalls
import Wire

/// Carries out what `SubscriptionMachine` decides: the channel's socket, and a snapshot's way to the workers. One
/// thread.
final class SnapshotSubscriber: Sendable {
    let mailbox: Mailbox<SubscriberMessage>
    let pulse = Pulse()
    private let channel: Channel
    private let server: ServerName
    private let softwareVersion: String
    /// The snapshot to begin with, which an earlier process served with.
    private let kept: Snapshot?
    private let logger: Logger
    private let surroundings: Surroundings

    /// How long the workers may take to route by a new table: they look into their mail several times a second.
    private static let workerPatience: UInt64 = 5000

    init(
        channel: Channel, server: ServerName, softwareVersion: String, kept: Snapshot?,
        mailbox: Mailbox<SubscriberMessage>, logger: Logger, surroundings: Surroundings
    ) {
        self.mailbox = mailbox
        self.channel = channel
        self.server = server
        self.softwareVersion = softwareVersion
        self.kept = kept
        self.logger = logger
        self.surroundings = surroundings
    }

    func run() {
        var subscription = Subscription(self)
        subscription.run()
    }

    /// The thread's own state.
    private struct Subscription: ~Copyable {
        let owner: SnapshotSubscriber
        var machine: SubscriptionMachine
        var tables: TableBuilder
        let dialler: ChannelDialler
        var renewal: CertificateRenewal
        var connection: ChannelConnection?
        var isDialling = false
        /// Whether the control plane has said anything in this session but goodbye.
        var isWelcome = false
        var isStopped = false
        /// How many sessions have ended: a list of flows is told in the one that has asked for it.
        var session: UInt64 = 0
        let started = Clock.monotonicNanoseconds / 1_000_000
        var nextLoad: UInt64 = 0
        var load = LoadReport()
        var probes = ProbeBatch()
        /// The last reason for which there was no session, so that the log says it once and not at each attempt.
        var lastReason = ""
        var tenants: [ServiceSlots.Tenant] = []
        /// Of this machine: an endpoint that has one of them would be a loop.
        let own = OwnAddresses()
        /// Of the snapshot that the workers were last given; that of the one in force, unless a worker did not take it.
        var posted: Digest?

        init(_ owner: SnapshotSubscriber) {
            self.owner = owner
            let boot = String(UInt64.random(in: .min ... .max), radix: 16)
            machine = SubscriptionMachine(server: owner.server, softwareVersion: owner.softwareVersion, bootID: boot)
            tables = TableBuilder(monitor: owner.surroundings.monitor, seed: .random(in: .min ... .max))
            dialler = ChannelDialler(
                addresses: owner.channel.addresses, resolvers: owner.channel.resolvers,
                trust: .none("no identity has been read"))
            renewal = CertificateRenewal(folder: owner.channel.credentials, server: owner.server)
        }

        private var now: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }
        private var chance: Double { .random(in: 0..<1) }

        mutating func run() {
            // Traffic first, and then the question whether there is anything newer.
            if let kept = owner.kept { apply(kept) }
            readIdentity()
            while !isStopped {
                owner.pulse.beat()
                if machine.isSubscribed, now >= nextLoad { reportLoad() }
                if let frame = probes.nextFrame(now: now) { carryOut(machine.observed(frame, now: now)) }
                var set = PollSet()
                let mail = set.add(owner.mailbox.descriptor)
                var channel: Int?
                if let connection { channel = set.add(connection.descriptor, writable: connection.wantsToWrite) }
                let addresses = own.descriptor >= 0 ? set.add(own.descriptor) : nil
                if isDialling { dialler.add(to: &set) }
                let next = min(machine.nextEvent, probes.due ?? .max)
                let time = now
                let patience = Int32(clamping: min(next > time ? next - time : 0, 1000))
                set.wait(milliseconds: isDialling ? dialler.patience(atMost: patience) : patience)
                if set.isReadable(mail) { readMail() }
                if let addresses, set.isReadable(addresses), own.look() { judgeAnew() }
                if isDialling { conclude(dialler.proceed(set)) }
                if let channel, set.isWritable(channel), let problem = connection?.flush() { lose(problem) }
                if let channel, set.isReadable(channel) { receive() }
                // After reading: what came while a snapshot was applied was not silence.
                carryOut(machine.passed(now: now, chance: chance))
                renewIfDue()
            }
            if connection != nil { carryOut([.send(.goodbye("this data plane is stopping"))]) }
        }

        /// This machine has other addresses than before, and what was judged by them is judged again.
        private func judgeAnew() {
            guard posted != nil, let held = machine.held else { return }
            owner.surroundings.resolver.post(.judge(held.policyInForce(on: own.addresses)))
            owner.logger.notice(
                "The addresses of this machine have changed; endpoints are judged anew",
                metadata: [
                    "addresses": "\(own.addresses.sorted().prefix(20).map(\.description).joined(separator: " "))"
                ])
        }

        private mutating func readMail() {
            for message in owner.mailbox.drain() {
                switch message {
                case .inspected(let report): carryOut(machine.observed(.endpointCheck(report), now: now))
                case .listed(let answer):
                    if answer.session == session { carryOut(machine.observed(.flowList(answer.list), now: now)) }
                case .probed(let probe): if machine.isSubscribed { probes.add(probe, now: now) }
                case .reload: readIdentity()
                case .stop: isStopped = true
                }
            }
        }

        private mutating func receive() {
            var frames: [WireFrame] = []
            let problem = connection?.receive { frames.append($0) }
            machine.heard(now: now)
            for frame in frames {
                if !isWelcome { welcome(frame) }
                carryOut(machine.received(frame, now: now, chance: chance))
            }
            if let problem { lose(problem) }
        }

        /// The control plane has answered. Only a connection over which it says more than goodbye is one: whoever is
        /// turned away tries again every few seconds, and the log is not to tell of each.
        private mutating func welcome(_ first: WireFrame) {
            if case .goodbye? = first.message { return }
            isWelcome = true
            owner.surroundings.connected(true, connection?.peerAddress)
            owner.logger.info("Connected to the control plane", metadata: ["channel": "\(dialler.address)"])
            lastReason = ""
        }

        private mutating func lose(_ problem: String) {
            carryOut(machine.disconnected(problem, now: now, chance: chance))
        }

        private mutating func carryOut(_ actions: [SubscriptionMachine.Action]) {
            for action in actions {
                switch action {
                case .connect:
                    isDialling = true
                    conclude(dialler.begin())
                case .send(let frame): if let problem = connection?.send(frame) { lose(problem) }
                case .apply(let snapshot): apply(snapshot)
                case .command(let command): obey(command)
                case .install(let certificate): install(certificate)
                case .reportRefusal(let version, let reasons):
                    owner.surroundings.refused(version, reasons)
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

        /// Goes on with an attempt to connect, by what has come of it.
        private mutating func conclude(_ outcome: ChannelDialler.Outcome) {
            switch outcome {
            case .underWay: break
            case .failed(let problem): lose(problem)
            case .connected(let made):
                isDialling = false
                connection = made
                isWelcome = false
                carryOut(machine.connected(now: now))
            }
        }

        /// A list of what to probe is of one session, and so is what has come of it.
        private mutating func stopProbing() {
            owner.surroundings.prober.post(.watch(WireWatch()))
            probes.drop()
        }

        private mutating func disconnect(_ reason: String) {
            connection = nil
            session += 1
            stopProbing()
            if isDialling {
                isDialling = false
                dialler.cancel()
            }
            let tried = dialler.address
            // One that was there a moment ago may be back in a moment; but whoever turns us away may have a better
            // neighbour.
            dialler.moveOn()
            renewal.forget()
            owner.surroundings.connected(false, nil)
            guard reason != lastReason else { return }
            lastReason = reason
            owner.logger.warning(
                "No session with the control plane; traffic goes on with the configuration in force",
                metadata: [
                    "channel": "\(tried)", "reason": "\(reason)",
                    "serving": "\(machine.held?.version.description ?? "none")",
                ])
        }

        // MARK: Identity

        private var usesIdentity: Bool { owner.channel.addresses.contains { $0.isTCP } }

        /// Reads the files of this server's identity, for the next connection. When they cannot be used, those read
        /// before stay.
        private mutating func readIdentity() {
            guard usesIdentity else { return }
            do {
                dialler.use(.identity(try renewal.read()))
            } catch {
                owner.logger.error(
                    "The identity of this server cannot be read\(renewal.hasIdentity ? "; the one before stays in use" : "")",
                    metadata: ["reason": "\(error)"])
                if !renewal.hasIdentity { dialler.use(.none("\(error)")) }
            }
        }

        private mutating func renewIfDue() {
            guard machine.isSubscribed, usesIdentity else { return }
            do {
                guard let request = try renewal.request(now: now, seconds: seconds) else { return }
                carryOut(machine.observed(.certificateRequest(request), now: now))
            } catch {
                owner.logger.error("No new certificate can be asked for", metadata: ["reason": "\(error)"])
            }
        }

        private mutating func install(_ message: WireCertificate) {
            do {
                let identity = try renewal.install(message.octets)
                dialler.use(.identity(identity))
                owner.logger.notice(
                    "The certificate of this server has been renewed",
                    metadata: [
                        "until":
                            "\(UTCTime(nanosecondsSince1970: UInt64(max(0, identity.notAfter)) &* 1_000_000_000).rfc3339)"
                    ])
            } catch {
                owner.logger.error(
                    "A new certificate cannot be used; the one before stays in use", metadata: ["reason": "\(error)"])
            }
        }

        /// By the system's clock, which is what certificates are judged by.
        private var seconds: Int64 { Int64(Clock.realtimeNanoseconds / 1_000_000_000) }

        /// Brings a snapshot to the resolver and the workers, and waits until every worker routes by it.
        private mutating func apply(_ snapshot: Snapshot) {
            // Most often nothing of a server's own has changed, and only the version moves on.
            if let held = machine.held, held.digest == snapshot.digest, posted == held.digest {
                owner.surroundings.applied(snapshot, tenants, [:])
                owner.surroundings.keeper.post(.keep(snapshot))
                return carryOut(machine.applied(snapshot, now: now))
            }
            let outcome: TableBuilder.Outcome
            let counters = owner.surroundings.counters
            do {
                outcome = try tables.build(snapshot) { slot in
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
                owner.surroundings.resolver.post(.judge(snapshot.policyInForce(on: own.addresses)))
            }
            owner.surroundings.resolver.post(.change(add: outcome.added, remove: outcome.removed))
            // Read before a worker can count anything for the new tenant.
            let moved = Dictionary(uniqueKeysWithValues: outcome.moved.map { ($0, counters.baseline(ofSlot: $0)) })
            for slot in outcome.moved { load.changedHands(slot, counters) }
            owner.surroundings.routing(outcome.tenants, outcome.table.generation)
            for worker in owner.surroundings.workers { worker.post(.route(outcome.table)) }
            guard awaitWorkers(outcome.table.generation) else {
                // Never seen but with a worker that is stuck, which the watchdog ends. Answering Applied would be a
                // lie.
                owner.logger.critical(
                    "A worker has not taken the new routing table", metadata: ["version": "\(snapshot.version)"])
                return carryOut(machine.refused(snapshot.version, ["a worker of this data plane is stuck"], now: now))
            }
            tenants = outcome.tenants
            owner.surroundings.health.post(.check(outcome.checked))
            owner.surroundings.applied(snapshot, tenants, moved)
            owner.surroundings.keeper.post(.keep(snapshot))
            owner.logger.info(
                "A snapshot is in force",
                metadata: ["version": "\(snapshot.version)", "services": "\(snapshot.services.count)"])
            carryOut(machine.applied(snapshot, now: now))
        }

        private func awaitWorkers(_ generation: UInt64) -> Bool {
            var waiting = Set(0..<owner.surroundings.workers.count)
            let deadline = now + SnapshotSubscriber.workerPatience
            var nextBeat = now + UInt64(ChannelRules.heartbeatInterval.milliseconds)
            while !waiting.isEmpty, now < deadline {
                if now >= nextBeat {
                    // The control plane should not think that it is we who are stuck. That a send fails is noticed
                    // afterwards.
                    _ = connection?.send(.heartbeat)
                    nextBeat = now + UInt64(ChannelRules.heartbeatInterval.milliseconds)
                }
                var set = PollSet()
                set.add(owner.surroundings.reports.descriptor)
                set.wait(milliseconds: 100)
                for case .routes(let index, let taken) in owner.surroundings.reports.drain() where taken == generation {
                    waiting.remove(index)
                }
            }
            return waiting.isEmpty
        }

        private mutating func obey(_ command: WireCommand) {
            switch command.command {
            case .checkEndpoint(let check):
                guard let target = try? EndpointTarget(check.target), let held = machine.held,
                    owner.surroundings.inspector.post(
                        .inspect(command: command.id, target, held.policyInForce(on: own.addresses)))
                else {
                    var report = WireEndpointCheck()
                    report.command = command.id
                    report.resolveError = "this data plane cannot look at that now"
                    return carryOut(machine.observed(.endpointCheck(report), now: now))
                }
            case .drain: setDraining(true)
            case .undrain: setDraining(false)
            case .accept:
                owner.logger.notice(
                    "An operator has the next snapshot taken, of whatever store and version",
                    metadata: ["serving": "\(machine.held?.version.description ?? "none")"])
            case .listFlows(let query):
                let lister = owner.surroundings.lister
                let refusal = lister.ask(query, command: command.id, session: session, tenants: tenants)
                if let refusal { carryOut(machine.observed(.flowList(refusal), now: now)) }
            case .watch(let list): owner.surroundings.prober.post(.watch(list))
            case nil: break
            }
        }

        private mutating func setDraining(_ draining: Bool) {
            owner.logger.notice(
                "\(draining ? "Draining" : "No longer draining")", metadata: ["by": "the control plane"])
            for worker in owner.surroundings.workers { worker.post(.drain(draining)) }
            owner.surroundings.draining(draining)
            nextLoad = 0
        }

        private mutating func reportLoad() {
            var message = load.next(of: tenants, owner.surroundings.counters)
            message.draining = owner.surroundings.isDraining()
            message.uptimeSeconds = (now - started) / 1000
            message.loadPercent = Process.loadPercent
            nextLoad = now + load.interval
            carryOut(machine.observed(.load(message), now: now))
            // What the connection did not take is told with the next.
            if connection != nil { load.sent() }
        }
    }
}
