package import Channel
package import DNS
package import Domain
import Fleet
import FoundationEssentials
package import Logging
package import Notices
package import Probing
package import Store

/// Watches the fleet and moves services: carries out what `FailoverMachine` and `FailoverPlan` decide.
///
/// Decisions are stored before anything is done about them, and each step of one before the next, so a crash leaves behind what the next
/// start goes on with (`FailoverCarrying.swift`). What an operator asks for takes the same way (`FailoverOrders.swift`).
package actor FailoverService {
    /// Whom it works with.
    package struct Surroundings: Sendable {
        package let store: Store
        package let journal: FailoverJournal
        /// What operators said, as it is stored.
        package let word: OperatorsWord
        package let publisher: SnapshotPublisher
        package let prober: Prober
        /// What probes show that they are of this fleet.
        package let probeKeys: ProbeKeys
        /// Whoever changes a zone.
        package let provider: @Sendable (Zone) -> any DNSProvider
        /// The authoritative servers of a zone, and what one of them says of a name.
        package let authorities: @Sendable (Zone) async throws -> [AuthoritativeServer]
        package let ask: @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer
        /// Told everything that is an event; some of it is an alert, too.
        package let tell: @Sendable (FleetEvent.Kind, ServerName?, String) async -> Void
        /// Told events whose alerts stand in the store already.
        package let announce: @Sendable (FleetEvent.Kind, ServerName?, String) -> Void

        package init(
            store: Store, journal: FailoverJournal, word: OperatorsWord, publisher: SnapshotPublisher, prober: Prober,
            probeKeys: ProbeKeys, provider: @escaping @Sendable (Zone) -> any DNSProvider,
            authorities: @escaping @Sendable (Zone) async throws -> [AuthoritativeServer],
            ask: @escaping @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer,
            tell: @escaping @Sendable (FleetEvent.Kind, ServerName?, String) async -> Void,
            announce: @escaping @Sendable (FleetEvent.Kind, ServerName?, String) -> Void
        ) {
            self.store = store
            self.journal = journal
            self.word = word
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
    var machine = FailoverMachine()

    /// The failovers that are being carried out.
    var underWay: [FailoverID: Failover] = [:]
    /// Those that are over and whose services are still where they brought them.
    var inForce: [FailoverID: Failover] = [:]
    var decisions: [ServiceName: FailoverID] = [:]
    var placements: [ServiceName: Placement] = [:]
    var overrides: [ServerName: ServerOverride] = [:]
    var freeze: Freeze?
    /// Services whose records turned out to be somebody else's, and what was found.
    var conflicts: [ServiceName: String] = [:]
    /// Servers about which a decision is being stored.
    var deciding: Set<ServerName> = []
    /// Those under way, as the store has them: only what differs is written.
    var stored: [FailoverID: Failover] = [:]
    /// The steps that wait to be stored, and the transaction that will take them.
    var unsaved: [(id: FailoverID, step: FailoverStep)] = []
    var nextSave: Task<Void, any Error>?
    /// The last transaction there is: the next one waits for it, so that none overtakes another.
    var lastSave: Task<Void, any Error>?
    /// Calls of providers at a time, each of which is a connection or a process: of all, and of each of them.
    let calls = Turnstile(places: 64)
    var callsByPlace: [String: Turnstile] = [:]
    /// The services whose new connections are counted.
    var followed: [ServiceName: Followed] = [:]
    /// When a plan for leaving a server had nothing to move last.
    private var fruitless: [ServerName: ContinuousClock.Instant] = [:]
    /// Failovers that a task is about.
    var carrying: Set<FailoverID> = []
    var readiness = StandbyReadiness()
    /// Grows with each change of placements: what was asked before may be answered after.
    var placementRevision = 0
    /// Whether what was proven is out of date: services have other standbys now.
    var isReadinessDue = false

    private var known: SnapshotVersion?
    /// Whether the vantages have yet to be told of a change, and when they were told last.
    private var isWatchDue = false
    private var watchedAt: ContinuousClock.Instant?
    /// The data planes that are connected.
    private var vantages: Set<ServerName> = []
    private var watched: ProbePlan?
    private static let watchInterval = Duration.seconds(1)
    /// The services with bindings, by the server that their records lead to; made anew when something has changed.
    private var activeServices: [ServerName: [Service]]?
    private var activeVersion: SnapshotVersion?
    private var movedAway: Set<ServerName>?
    let starts: AsyncStream<FailoverID>
    private let start: AsyncStream<FailoverID>.Continuation

    package init(_ surroundings: Surroundings, logger: Logger) async throws {
        self.surroundings = surroundings
        self.logger = logger
        (starts, start) = AsyncStream.makeStream(of: FailoverID.self)
        let records = try await surroundings.journal.records()
        decisions = records.decisions
        placements = records.placements
        overrides = records.overrides
        freeze = records.freeze
        for failover in records.underWay {
            underWay[failover.id] = failover
            stored[failover.id] = failover
            follow(trafficOf: failover)
        }
        for failover in records.inForce { inForce[failover.id] = failover }
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
        if vantages != connected {
            vantages = connected
            isWatchDue = true
        }
        // A burst of changes is one for the vantages.
        if isWatchDue, watchedAt.map({ clock.now - $0 >= FailoverService.watchInterval }) ?? true {
            isWatchDue = false
            watchedAt = clock.now
            await watch(state)
        }
        await expireOrders()
        let circumstances = circumstances(state)
        for action in machine.step(circumstances, at: clock.now) { await carryOut(action) }
        await returnDrills()
    }

    /// The configuration, when what was made of an earlier one is forgotten.
    func currentState() async -> FleetState {
        let state = surroundings.store.state
        guard known != state.version else { return state }
        known = state.version
        movedAway = nil
        isWatchDue = true
        await forgetPlacements()
        return state
    }

    private func circumstances(_ state: FleetState) -> FailoverMachine.Circumstances {
        var circumstances = FailoverMachine.Circumstances()
        circumstances.settings = state.settings
        circumstances.monitoring = state.servers.mapValues { server in
            // The rules saw to it that it resolves; what cannot be is as the fleet has it.
            (try? server.monitoring.resolved(over: state.settings.monitoring)) ?? state.settings.monitoring
        }
        circumstances.overrides = overrides
        circumstances.freeze = freeze
        circumstances.active = Set(active(state).keys)
        circumstances.movedAway = movedAway(state)
        circumstances.busy = deciding.union(
            underWay.values.filter { $0.stage < .following }.flatMap { failover in
                failover.kind == .failback ? failover.moves.flatMap { [$0.from, $0.to] } : [failover.server]
            })
        return circumstances
    }

    /// The services whose traffic we steer, by the server that their records lead to.
    func active(_ state: FleetState) -> [ServerName: [Service]] {
        // Whoever gives an order right after a change means what is there after it.
        if let activeServices, activeVersion == state.version { return activeServices }
        var services: [ServerName: [Service]] = [:]
        for service in state.services.values where !service.bindings.isEmpty {
            services[activeServer(of: service), default: []].append(service)
        }
        activeServices = services
        activeVersion = state.version
        return services
    }

    /// The servers to which services may go back by themselves. What an operator moved goes back when an operator says so, and a drill when
    /// its time is over.
    private func movedAway(_ state: FleetState) -> Set<ServerName> {
        if let movedAway { return movedAway }
        let servers = placements.compactMap { name, placement -> ServerName? in
            guard let primary = state.services[name]?.primary, primary != placement.server,
                effective(placement.failover)?.kind == .automatic
            else { return nil }
            return primary
        }
        movedAway = Set(servers)
        return Set(servers)
    }

    /// Forgets where services were that have been deleted, and perhaps made anew: the store has forgotten it with them.
    private func forgetPlacements() async {
        guard !placements.isEmpty else { return }
        do {
            let stored = try await surroundings.journal.placements()
            placements = placements.filter { stored[$0.key] != nil || underWay[$0.value.failover] != nil }
        } catch {
            logger.error("Placements cannot be read", metadata: ["cause": "\(error)"])
        }
        activeServices = nil
    }

    func activeServer(of service: Service) -> ServerName { placements[service.name]?.server ?? service.primary }

    func placementsChanged() {
        activeServices = nil
        movedAway = nil
        let effective = Set(placements.values.map(\.failover))
        inForce = inForce.filter { effective.contains($0.key) }
        placementRevision += 1
        isReadinessDue = true
    }

    /// Tells the vantages whom to probe.
    private func watch(_ state: FleetState) async {
        let plan = ProbePlan(
            servers: state.servers, services: state.services, monitoring: state.settings.monitoring,
            connected: vantages, keys: surroundings.probeKeys)
        guard plan != watched else { return }
        watched = plan
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
            // What was somebody else's when it failed before may be ours again. Each write is conditional.
            for service in active(surroundings.store.state)[server] ?? [] { conflicts[service.name] = nil }
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
        log(kind, server, detail)
        await surroundings.tell(kind, server, detail)
    }

    /// Tells what was stored with a step of a failover.
    func announce(_ news: FailoverNews, of failover: Failover) {
        let detail = news.words(of: failover.id)
        log(news.kind, failover.server, detail)
        surroundings.announce(news.kind, failover.server, detail)
    }

    private func log(_ kind: FleetEvent.Kind, _ server: ServerName?, _ detail: String) {
        logger.notice("\(kind.rawValue)", metadata: ["server": "\(server?.text ?? "-")", "detail": "\(detail)"])
    }

    // MARK: Deciding

    /// A plan costs something, and what is in its way changes seldom.
    private static let planInterval = Duration.seconds(1)

    private func failOver(_ server: ServerName) async {
        if let last = fruitless[server], clock.now - last < FailoverService.planInterval { return }
        let plan = await plan(leaving: server)
        if let obstacle = plan.obstacle {
            fruitless[server] = clock.now
            return await hold(server, because: obstacle)
        }
        let words = evidence(of: server).filter(\.isMiss).map { "\($0.vantage): \($0.detail)" }.joined(separator: "; ")
        let override = overrides[server]
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
        // A task of its own: cancelled in the midst of a transaction, as at a shutdown, it would break that off.
        let failover = try await Task { try await journal.begin(draft, beginning, news, at: decidedAt) }.value
        machine.release(plan.server)
        underWay[failover.id] = failover
        stored[failover.id] = failover
        for move in failover.moves { decisions[move.service] = failover.id }
        start.yield(failover.id)
        announce(news, of: failover)
        return failover
    }

    /// Goes on with, or gives up, what an earlier process began.
    func resume(_ id: FailoverID) async {
        guard let failover = underWay[id] else { return }
        let age = Date().timeIntervalSince(failover.at)
        if !failover.hasBegun, age > FailoverService.oldestUnbegun {
            await abandon(id, because: "this process found it \(Int(age)) s old and not begun")
            return
        }
        announce(
            FailoverNews(
                kind: .failoverDecided,
                detail:
                    "gone on with after a restart, at the stage '\(failover.stage.rawValue)': \(failover.reason)"),
            of: failover)
        start.yield(id)
    }

    /// A decision that nothing was done about is one of a world that has passed, after this many seconds.
    private static let oldestUnbegun = 120.0

    // MARK: What is known

    func evidence(of server: ServerName) -> [TimelineEntry.Evidence] {
        (machine.servers[server]?.verdict?.findings ?? []).map { finding in
            TimelineEntry.Evidence(
                vantage: finding.vantage.description, isMiss: finding.isMiss, isUnanswered: finding.isUnanswered,
                misses: finding.sighting.misses,
                detail: finding.sighting.detail, at: date(of: finding.sighting.at))
        }
    }

    /// The failover that brought services where they are: over, or still being followed.
    func effective(_ id: FailoverID) -> Failover? { inForce[id] ?? underWay[id] }
}
