import Domain
import FoundationEssentials
import Logging

/// Watches the fleet and moves services: carries out what `FailoverMachine` and `FailoverPlan` decide.
///
/// Decisions are stored before anything is done about them, and each step of one before the next, so a crash leaves behind what the next
/// start goes on with (`FailoverCarrying.swift`). What an operator asks for takes the same way (`FailoverOrders.swift`).
actor FailoverService {
    /// Whom it works with.
    struct Surroundings: Sendable {
        let store: Store
        let publisher: SnapshotPublisher
        let prober: Prober
        /// Whoever changes a zone.
        let provider: @Sendable (Zone) -> any DNSProvider
        /// The authoritative servers of a zone, and what one of them says of a name.
        let authorities: @Sendable (Zone) async throws -> [AuthoritativeServer]
        let ask: @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer
        /// Told everything that is an event; some of it is an alert, too.
        let tell: @Sendable (FleetEvent.Kind, ServerName?, FailoverID?, String) async -> Void
    }

    let around: Surroundings
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
    /// Failovers that a task is about.
    var carrying: Set<FailoverID> = []
    var readiness = StandbyReadiness()

    private var known: SnapshotVersion?
    /// Whether the vantages have yet to be told of a change, and when they were told last.
    private var isWatchDue = false
    private var watchedAt: ContinuousClock.Instant?
    private var watched: ProbePlan?
    private static let watchInterval = Duration.seconds(1)
    /// The services with bindings, by the server that their records lead to; made anew when something has changed.
    private var activeServices: [ServerName: [Service]]?
    let starts: AsyncStream<FailoverID>
    private let start: AsyncStream<FailoverID>.Continuation

    init(_ around: Surroundings, logger: Logger) async throws {
        self.around = around
        self.logger = logger
        (starts, start) = AsyncStream.makeStream(of: FailoverID.self)
        let records = try await around.store.failoverRecords()
        decisions = records.decisions
        placements = records.placements
        overrides = records.overrides
        freeze = records.freeze
        for failover in records.underWay { underWay[failover.id] = failover }
        for failover in records.inForce { inForce[failover.id] = failover }
    }

    // MARK: One step

    /// The moment of an instant, for those who read timelines.
    func date(of instant: ContinuousClock.Instant) -> Date {
        let (seconds, attoseconds) = (clock.now - instant).components
        return Date().addingTimeInterval(-(Double(seconds) + Double(attoseconds) / 1e18))
    }

    func step() async {
        let state = around.store.state
        if known != state.version {
            known = state.version
            activeServices = nil
            placements = placements.filter { state.services[$0.key] != nil }
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
        for (name, placement) in placements {
            // What an operator moved goes back when an operator says so, and a drill when its time is over.
            guard let primary = state.services[name]?.primary, primary != placement.server,
                inForce[placement.failover]?.kind == .automatic
            else { continue }
            circumstances.movedAway.insert(primary)
        }
        circumstances.busy = deciding.union(
            underWay.values.filter { $0.stage < .following }.flatMap { failover in
                failover.kind == .failback ? failover.moves.flatMap { [$0.from, $0.to] } : [failover.server]
            })
        return circumstances
    }

    /// The services whose traffic we steer, by the server that their records lead to.
    func active(_ state: FleetState) -> [ServerName: [Service]] {
        if let activeServices { return activeServices }
        var services: [ServerName: [Service]] = [:]
        for service in state.services.values where !service.bindings.isEmpty {
            services[activeServer(of: service), default: []].append(service)
        }
        activeServices = services
        return services
    }

    func activeServer(of service: Service) -> ServerName { placements[service.name]?.server ?? service.primary }

    func placementsChanged() { activeServices = nil }

    /// Tells the vantages whom to probe.
    private func watch(_ state: FleetState) async {
        let plan = ProbePlan(
            servers: state.servers, services: state.services, monitoring: state.settings.monitoring)
        guard plan != watched else { return }
        watched = plan
        around.prober.watch(plan.targets)
        await around.publisher.watch(plan.targetsByServer)
    }

    private func carryOut(_ action: FailoverMachine.Action) async {
        switch action {
        case .suspected(let server, let detail): await tell(.serverSuspect, server, detail)
        case .failed(let server, let detail): await tell(.serverFailed, server, detail)
        case .recovered(let server):
            for service in active(around.store.state)[server] ?? [] { conflicts[service.name] = nil }
            await tell(.serverRecovered, server, "it answers again")
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

    func tell(_ kind: FleetEvent.Kind, _ server: ServerName?, _ detail: String, about failover: FailoverID? = nil) async
    {
        logger.notice("\(kind.rawValue)", metadata: ["server": "\(server?.text ?? "-")", "detail": "\(detail)"])
        await around.tell(kind, server, failover, detail)
    }

    // MARK: Deciding

    private func failOver(_ server: ServerName) async {
        let plan = FailoverPlan(leaving: server, await planningBase())
        guard !plan.movable.isEmpty else {
            if let obstacle = plan.obstacle, let action = machine.hold(server, because: obstacle) {
                await carryOut(action)
            }
            return
        }
        let words = evidence(of: server).filter(\.isMiss).map { "\($0.vantage): \($0.detail)" }.joined(separator: "; ")
        let override = overrides[server]
        let reason = override.map { "forced down by \($0.author): \($0.reason)" } ?? "it does not answer: \(words)"
        do {
            _ = try await decide(plan, kind: .automatic, reason: reason, author: "ddirect-control")
        } catch {
            if let action = machine.hold(server, because: "the decision cannot be stored: \(error)") {
                await carryOut(action)
            }
        }
    }

    private func failBackByItself(_ server: ServerName) async {
        let plan = FailoverPlan(returning: servicesAway(from: server), to: server, await planningBase())
        guard !plan.movable.isEmpty else {
            if let obstacle = plan.obstacle, let action = machine.hold(server, because: "failback: " + obstacle) {
                await carryOut(action)
            }
            return
        }
        do {
            _ = try await decide(
                plan, kind: .failback, reason: "it has been well for the hold-down", author: "ddirect-control")
        } catch {
            if let action = machine.hold(server, because: "the failback cannot be stored: \(error)") {
                await carryOut(action)
            }
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
        let moved = plan.moves.map { "\($0.service) from \($0.from) to \($0.to)" }.joined(separator: ", ")
        let decidedAt = Date()
        entries.append(
            TimelineEntry(at: decidedAt, kind: .decision, detail: "\(reason); moving \(moved)", evidence: seen))
        for stuck in plan.services where !stuck.obstacles.isEmpty {
            entries.append(
                TimelineEntry(
                    at: decidedAt, kind: .note,
                    detail: "service \(stuck.service) stays: \(stuck.obstacles.joined(separator: "; "))"))
        }
        let (store, beginning) = (around.store, entries)
        // A task of its own: cancelled in the midst of a transaction, as at a shutdown, it would break that off.
        let failover = try await Task { try await store.begin(draft, beginning, at: decidedAt) }.value
        underWay[failover.id] = failover
        for move in failover.moves { decisions[move.service] = failover.id }
        start.yield(failover.id)
        await tell(
            .failoverDecided, plan.server, "\(kind.rawValue) \(failover.id): \(reason); moving \(moved)",
            about: failover.id)
        return failover
    }

    /// Goes on with, or gives up, what an earlier process began.
    func resume(_ id: FailoverID) async {
        guard let failover = underWay[id] else { return }
        let age = Date().timeIntervalSince(failover.at)
        if failover.stage == .decided || !failover.hasBegun, age > FailoverService.oldestUnbegun {
            await abandon(id, because: "this process found it \(Int(age)) s old and not begun")
            return
        }
        // Whoever decided may have been killed before anybody was told.
        await tell(
            .failoverDecided, failover.server,
            "failover \(id) is gone on with after a restart, at the stage '\(failover.stage.rawValue)': \(failover.reason)",
            about: id)
        start.yield(id)
    }

    /// A decision that nothing was done about is one of a world that has passed, after this many seconds.
    private static let oldestUnbegun = 120.0

    // MARK: What is known

    func evidence(of server: ServerName) -> [TimelineEntry.Evidence] {
        (machine.servers[server]?.verdict?.findings ?? []).map { finding in
            TimelineEntry.Evidence(
                vantage: finding.vantage.description, isMiss: finding.isMiss, misses: finding.sighting.misses,
                detail: finding.sighting.detail, at: date(of: finding.sighting.at))
        }
    }

    /// The services that are away from `server` and belong there: as their primary, or since a drill took them from it.
    func servicesAway(from server: ServerName) -> [ServiceName] {
        let services = around.store.state.services
        return placements.compactMap { name, placement in
            guard placement.server != server, let service = services[name] else { return nil }
            let leftIt =
                inForce[placement.failover]?.moves.contains { $0.service == name && $0.from == server } ?? false
            return service.primary == server || leftIt ? name : nil
        }
    }

    func planningBase() async -> PlanningBase {
        let state = around.store.state
        let statuses = await around.publisher.statuses()
        let now = clock.now
        let watched = machine.servers
        let flapping = Set(watched.keys.filter { machine.isFlapping($0, at: now, holdDown: state.settings.holdDown) })
        let readiness = readiness
        return PlanningBase(
            servers: state.servers,
            active: active(state).flatMap { server, services in services.map { ($0, server) } },
            busy: decisions,
            obstacles: { server, _ in
                var obstacles: [String] = []
                if let obstacle = (statuses[server] ?? ServerStatus()).standbyObstacle(at: state.version) {
                    obstacles.append(obstacle)
                }
                let verdict = watched[server]?.verdict
                if watched[server]?.phase == .down {
                    obstacles.append("it is down")
                } else if verdict?.isKnown != true {
                    obstacles.append("no vantage has probed it")
                } else if verdict?.isUnanswered == true {
                    obstacles.append("it does not answer most vantages")
                }
                if flapping.contains(server) { obstacles.append("it comes and goes") }
                return obstacles
            },
            warnings: { server, service in readiness.warnings(of: service, on: server) },
            conflicts: conflicts)
    }
}

extension Failover.Stage: Comparable {
    private var order: Int { Failover.Stage.allCases.firstIndex(of: self) ?? 0 }

    static func < (left: Failover.Stage, right: Failover.Stage) -> Bool { left.order < right.order }
}
