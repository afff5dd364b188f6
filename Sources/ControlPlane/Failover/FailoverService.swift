package import Channel
package import DNS
package import Domain
import Fleet
import FoundationEssentials
package import Logging
package import Notices
package import Probing
package import Store

/// Watches the fleet and moves services: puts the parts together, and does what `FailoverMachine` decides.
///
///     Watch ─▶ vantages ─▶ FailoverMachine ─▶ FailoverPlan ─▶ decision ─▶ JournalWriter
///                               ▲                  ▲                          │ stored
///     StandingOrders ───────────┴──────────────────┤                          ▼
///     ReadinessProver ─────────────────────────────┤     of each zone: ZoneWriter ▸ ZoneVerification
///     Placements ──────────────────────────────────┘                          │ each step stored
///         ▲                                                                   ▼
///         └─────────────── services arrive, are followed (TrafficFollower) ◀──┘
///
/// Each part keeps its own state; all but the prover and those that call providers are values of this actor. A decision
/// is stored before anything is done about it, and each step before the next. So a crash leaves behind what the next
/// start goes on with (`FailoverCarrying.swift`). An operator's order takes the same way (`FailoverOrders.swift`).
package actor FailoverService {
    /// The parts of the control plane that it works with.
    package struct Surroundings: Sendable {
        package let store: Store
        package let journal: FailoverJournal
        /// Overrides and freezes, as they are stored.
        package let orderRows: StandingOrderRows
        package let publisher: SnapshotPublisher
        package let prober: ControlVantage
        /// The keys by which a proxy knows the fleet's own probes.
        package let probeKeys: ProbeKeys
        /// The provider that changes a zone.
        package let provider: @Sendable (Zone) -> any DNSProvider
        /// Finds the authoritative servers of a zone, and asks one of them for a name.
        package let authorities: @Sendable (Zone) async throws -> [AuthoritativeServer]
        package let ask: @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer
        /// Makes an event, and an alert of some kinds.
        package let tell: @Sendable (FleetEvent.Kind, ServerName?, String) async -> Void
        /// Makes an event whose alert stands in the store already.
        package let announce: @Sendable (FleetEvent.Kind, ServerName?, String) -> Void

        package init(
            store: Store, journal: FailoverJournal, orderRows: StandingOrderRows, publisher: SnapshotPublisher,
            prober: ControlVantage,
            probeKeys: ProbeKeys, provider: @escaping @Sendable (Zone) -> any DNSProvider,
            authorities: @escaping @Sendable (Zone) async throws -> [AuthoritativeServer],
            ask: @escaping @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer,
            tell: @escaping @Sendable (FleetEvent.Kind, ServerName?, String) async -> Void,
            announce: @escaping @Sendable (FleetEvent.Kind, ServerName?, String) -> Void
        ) {
            self.store = store
            self.journal = journal
            self.orderRows = orderRows
            self.publisher = publisher
            self.prober = prober
            self.probeKeys = probeKeys
            self.provider = provider
            self.authorities = authorities
            self.ask = ask
            self.tell = tell
            self.announce = announce
        }
    }

    let surroundings: Surroundings
    let logger: Logger
    let clock = ContinuousClock()
    let announcer: Announcer
    let calls: ProviderCalls
    let zoneWriter: ZoneWriter
    let journalWriter: JournalWriter
    let prover: ReadinessProver

    var machine = FailoverMachine()
    var placements: Placements
    var orders: StandingOrders
    var follower = TrafficFollower()
    private var watch = Watch()

    /// Servers about which a decision is being stored.
    private(set) var deciding: Set<ServerName> = []
    /// Failovers that a task carries out.
    var carrying: Set<FailoverID> = []
    /// When a plan for leaving a server had nothing to move last.
    private var fruitless: [ServerName: ContinuousClock.Instant] = [:]
    /// The configuration whose deleted services have been forgotten.
    private var knownVersion: SnapshotVersion?

    /// Failovers that are to be carried out.
    let starts: AsyncStream<FailoverID>
    private let start: AsyncStream<FailoverID>.Continuation

    package init(_ surroundings: Surroundings, logger: Logger) async throws {
        self.surroundings = surroundings
        self.logger = logger
        (starts, start) = AsyncStream.makeStream(of: FailoverID.self)
        let (journal, publisher) = (surroundings.journal, surroundings.publisher)
        announcer = Announcer(logger: logger, tell: surroundings.tell, announce: surroundings.announce)
        calls = ProviderCalls(surroundings.provider)
        zoneWriter = ZoneWriter(calls: calls)
        prover = ReadinessProver(calls, announcer: announcer) { target, server in
            try await publisher.checkEndpoint(target, on: server, timeout: .seconds(8))
        }
        let records = try await journal.records()
        journalWriter = JournalWriter(stored: records.underWay) { try await journal.save($0) }
        placements = Placements(records)
        orders = StandingOrders(overrides: records.overrides, freeze: records.freeze)
        for failover in records.underWay { follower.follow(failover) }
    }

    // MARK: One step

    /// The moment of an instant, for those who read timelines.
    func date(of instant: ContinuousClock.Instant) -> Date {
        let (seconds, attoseconds) = (clock.now - instant).components
        return Date().addingTimeInterval(-(Double(seconds) + Double(attoseconds) / 1e18))
    }

    func step() async {
        let state = await currentState()
        let connected = await surroundings.publisher.connectedServers
        if let plan = watch.newPlan(state, connected: connected, keys: surroundings.probeKeys, at: clock.now) {
            await tellVantages(plan)
        }
        await expireOrders()
        let circumstances = circumstances(state)
        for action in machine.step(circumstances, at: clock.now) { await carryOut(action) }
        await returnDrills()
    }

    /// The configuration. Services that it no longer has are forgotten first.
    func currentState() async -> FleetState {
        let state = surroundings.store.state
        guard knownVersion != state.version else { return state }
        knownVersion = state.version
        await forgetDeletedServices()
        return state
    }

    /// The store forgets with a service where it was; one of the same name that comes later begins at its primary.
    private func forgetDeletedServices() async {
        guard !placements.placed.isEmpty else { return }
        do {
            placements.forget(allBut: Set(try await surroundings.journal.placements().keys))
        } catch {
            logger.error("Placements cannot be read", metadata: ["cause": "\(error)"])
        }
    }

    private func circumstances(_ state: FleetState) -> FailoverMachine.Circumstances {
        var circumstances = FailoverMachine.Circumstances()
        circumstances.settings = state.settings
        circumstances.monitoring = state.servers.mapValues { server in
            // The rules of the configuration see to it that this resolves; otherwise the fleet's settings hold.
            (try? server.monitoring.resolved(over: state.settings.monitoring)) ?? state.settings.monitoring
        }
        circumstances.overrides = orders.overrides
        circumstances.freeze = orders.freeze
        circumstances.active = Set(placements.active(in: state).keys)
        circumstances.movedAway = placements.movedAway(in: state)
        circumstances.busy = deciding.union(placements.busyServers)
        return circumstances
    }

    /// Tells the vantages whom to probe.
    private func tellVantages(_ plan: ProbePlan) async {
        if let first = plan.unwatched.first {
            logger.warning(
                "More servers than a vantage can probe; the rest is watched by nobody",
                metadata: ["count": "\(plan.unwatched.count)", "first": "\(first)"])
        }
        for (server, services) in plan.unchecked.sorted(by: { $0.key < $1.key }) {
            logger.warning(
                "More services are to be checked through a server than a vantage can; the rest is not checked there",
                metadata: ["server": "\(server)", "count": "\(services.count)", "first": "\(services[0])"])
        }
        surroundings.prober.watch(plan.targets)
        await surroundings.publisher.watch(plan.targetsByServer)
    }

    private func carryOut(_ action: FailoverMachine.Action) async {
        switch action {
        case .suspected(let server, let detail): await tell(.serverSuspect, server, detail)
        case .failed(let server, let detail):
            // Records that were somebody else's at its last failure may be ours again.
            for service in placements.active(in: surroundings.store.state)[server] ?? [] {
                placements.forgetConflict(of: service.name)
            }
            await tell(.serverFailed, server, detail)
        case .recovered(let server):
            await tell(.serverRecovered, server, "it answers again")
        case .answersMissing(let server, let detail): await tell(.answersMissing, server, detail)
        case .answersBack(let server):
            let isDown = machine.servers[server]?.phase == .down
            await tell(
                .answersBack, server,
                isDown ? "it is down now, which is another matter" : "its probes are answered again")
        case .failOver(let server): await failOver(server)
        case .failBack(let server): await failBackByItself(server)
        case .mayFailBack(let server):
            await tell(
                .failbackReady, server, "it has been well for the hold-down; `ddirect failback \(server)` takes it back"
            )
        case .held(let server, let reason): await tell(.failoverHeld, server, "nothing is moved: \(reason)")
        case .holding(let reason):
            await tell(
                .failoverHeld, nil,
                reason.map { "failover holds: \($0)" } ?? "failover holds no longer: servers answer again")
        }
    }

    /// Says why nothing is done about a server, when it has not been said already.
    func hold(_ server: ServerName, because reason: String) async {
        if let action = machine.hold(server, because: reason) { await carryOut(action) }
    }

    func tell(_ kind: FleetEvent.Kind, _ server: ServerName?, _ detail: String) async {
        await announcer.tell(kind, server, detail)
    }

    // MARK: Deciding

    /// A plan costs something, and its obstacles change seldom.
    private static let planInterval = Duration.seconds(1)

    private func failOver(_ server: ServerName) async {
        if let last = fruitless[server], clock.now - last < FailoverService.planInterval { return }
        let plan = await plan(leaving: server)
        if let obstacle = plan.obstacle {
            fruitless[server] = clock.now
            return await hold(server, because: obstacle)
        }
        let words = evidence(of: server).filter(\.isMiss).map { "\($0.vantage): \($0.detail)" }.joined(separator: "; ")
        let override = orders.overrides[server]
        let reason = override.map { "forced down by \($0.author): \($0.reason)" } ?? "it does not answer: \(words)"
        do {
            _ = try await decide(plan, kind: .automatic, reason: reason, author: "ddirect-control")
        } catch {
            await hold(server, because: "the decision cannot be stored: \(error)")
        }
    }

    private func failBackByItself(_ server: ServerName) async {
        let plan = await plan(returningTo: server) { $0.kind == .automatic }
        if let obstacle = plan.obstacle { return await hold(server, because: "failback: " + obstacle) }
        do {
            _ = try await decide(
                plan, kind: .failback, reason: "it has been well for the hold-down", author: "ddirect-control")
        } catch {
            await hold(server, because: "the failback cannot be stored: \(error)")
        }
    }

    /// Stores a decision, and begins to carry it out.
    func decide(
        _ plan: FailoverPlan, kind: Failover.Kind, reason: String, author: String, returnsAt: Date? = nil,
        reverses: FailoverID? = nil
    ) async throws -> Failover {
        deciding.insert(plan.server)
        defer { deciding.remove(plan.server) }
        let draft = FailoverDraft(
            kind: kind, server: plan.server, reason: reason, author: author, returnsAt: returnsAt, reverses: reverses,
            moves: plan.moves, zones: plan.zones)
        var entries: [TimelineEntry] = []
        let seen = evidence(of: plan.server)
        if kind == .automatic, let first = machine.servers[plan.server]?.verdict?.firstMiss {
            entries.append(
                TimelineEntry(at: date(of: first), kind: .firstMiss, detail: "the first probe without an answer"))
        }
        let moved = plan.moves.listed
        let decidedAt = Date()
        entries.append(
            TimelineEntry(at: decidedAt, kind: .decision, detail: "\(reason); moving \(moved)", evidence: seen))
        for stuck in plan.services.lazy.filter({ !$0.obstacles.isEmpty }).prefix([String].mostListed) {
            entries.append(
                TimelineEntry(
                    at: decidedAt, kind: .note,
                    detail: "service \(stuck.service) stays: \(stuck.obstacles.joined(separator: "; "))"))
        }
        let news = FailoverNews(kind: .failoverDecided, detail: "\(kind.rawValue): \(reason); moving \(moved)")
        let (journal, beginning) = (surroundings.journal, entries)
        let failover = try await journalWriter.begin {
            try await journal.begin(draft, beginning, news, at: decidedAt)
        }
        machine.release(plan.server)
        placements.begin(failover)
        start.yield(failover.id)
        announcer.announce(news, of: failover)
        return failover
    }

    /// Goes on with a failover that an earlier process began, or gives it up.
    func resume(_ id: FailoverID) async {
        guard let failover = placements.underWay[id] else { return }
        let age = Date().timeIntervalSince(failover.at)
        if !failover.hasBegun, age > FailoverService.oldestUnbegun {
            await abandon(id, because: "this process found it \(Int(age)) s old and not begun")
            return
        }
        announcer.announce(
            FailoverNews(
                kind: .failoverDecided,
                detail:
                    "gone on with after a restart, at the stage '\(failover.stage.rawValue)': \(failover.reason)"),
            of: failover)
        start.yield(id)
    }

    /// In seconds. An older decision that was not begun was made about a fleet that has changed since.
    private static let oldestUnbegun = 120.0

    // MARK: Evidence

    func evidence(of server: ServerName) -> [TimelineEntry.Evidence] {
        (machine.servers[server]?.verdict?.findings ?? []).map { finding in
            TimelineEntry.Evidence(
                vantage: finding.vantage.description, isMiss: finding.isMiss, isUnanswered: finding.isUnanswered,
                misses: finding.sighting.misses,
                detail: finding.sighting.detail, at: date(of: finding.sighting.at))
        }
    }
}
