import Domain
import FoundationEssentials

/// Why something that an operator asked for is not done.
struct FailoverRefusal: Error, Sendable {
    let reason: String
}

/// What operators ask of failover: the same decisions as the machine's, on their word.
extension FailoverService {
    /// What a failover of `server` would do now.
    func plan(leaving server: ServerName, force: Bool = false) async -> FailoverPlan {
        let plan = FailoverPlan(leaving: server, await planningBase(), force: force)
        return FailoverPlan(server: server, services: plan.services, obstacles: standingObstacles)
    }

    /// What is against moving anything, whoever asks.
    private var standingObstacles: [String] {
        guard let freeze else { return [] }
        return [
            "the fleet is frozen by \(freeze.author) until \(Timestamp.text(freeze.until)): \(freeze.reason); `ddirect unfreeze` ends that"
        ]
    }

    /// Moves the services of `server` to their standbys; with `returnsAfter` it is a drill that goes back by itself.
    func run(
        _ server: ServerName, reason: String, author: String, returnsAfter: Int?, force: Bool
    ) async throws -> Failover {
        var plan = await plan(leaving: server, force: force)
        if let obstacle = plan.obstacle { throw FailoverRefusal(reason: obstacle) }
        if force { plan = try await adopting(plan) }
        return try await decided(
            plan, kind: returnsAfter == nil ? .manual : .drill, reason: reason, author: author,
            returnsAt: returnsAfter.map { Date().addingTimeInterval(Double($0)) })
    }

    /// Brings back to `server` the services that are to be there and are not.
    func failBack(_ server: ServerName, reason: String, author: String, force: Bool) async throws -> Failover {
        let services = servicesAway(from: server)
        guard !services.isEmpty else {
            throw FailoverRefusal(reason: "no service of \(server) is away, so there is nothing to take back")
        }
        var plan = FailoverPlan(returning: services, to: server, await planningBase(), force: force)
        plan = FailoverPlan(server: server, services: plan.services, obstacles: standingObstacles)
        if let obstacle = plan.obstacle { throw FailoverRefusal(reason: obstacle) }
        if force { plan = try await adopting(plan) }
        return try await decided(
            plan, kind: .failback, reason: reason, author: author,
            reverses: services.compactMap { placements[$0]?.failover }.max())
    }

    private func decided(
        _ plan: FailoverPlan, kind: Failover.Kind, reason: String, author: String, returnsAt: Date? = nil,
        reverses: FailoverID? = nil
    ) async throws -> Failover {
        guard !deciding.contains(plan.server) else {
            throw FailoverRefusal(reason: "a decision about \(plan.server) is being made at this moment")
        }
        do {
            return try await decide(
                plan, kind: kind, reason: reason, author: author, returnsAt: returnsAt, reverses: reverses)
        } catch StoreFailure.constraint {
            throw FailoverRefusal(reason: "another decision about one of its services was made at this moment")
        }
    }

    /// The plan with what is there now as what is expected: an operator has looked, and says that it is to be replaced.
    private func adopting(_ plan: FailoverPlan) async throws -> FailoverPlan {
        var present: [DomainName: [RecordSet]] = [:]
        let names = Dictionary(grouping: plan.movable.flatMap(\.records)) { $0.zone }
        for (name, records) in names {
            guard let zone = around.store.state.zones[name] else { continue }
            do {
                let found = try await around.provider(zone).present(records.map(\.change.name))
                present.merge(found) { first, _ in first }
            } catch let failure as DNSFailure {
                throw FailoverRefusal(reason: "zone \(name) cannot be read: \(failure.reason)")
            }
        }
        let services = plan.services.map { service in
            FailoverPlan.ServicePlan(
                service: service.service, from: service.from, to: service.to, candidates: service.candidates,
                records: service.records.map { zone, change in
                    (
                        zone,
                        RecordChange(
                            name: change.name, expected: present[change.name] ?? change.expected, wanted: change.wanted)
                    )
                },
                obstacles: service.obstacles)
        }
        return FailoverPlan(server: plan.server, services: services, obstacles: plan.obstacles)
    }

    // MARK: Words that last

    func override(_ override: ServerOverride) async throws {
        try await around.store.setOverride(override)
        overrides[override.server] = override
        await tell(
            .serverOverridden, override.server,
            "forced \(override.state.rawValue) by \(override.author) until \(Timestamp.text(override.until)): \(override.reason)"
        )
    }

    func clearOverride(of server: ServerName, by author: String) async throws {
        try await around.store.clearOverride(of: server, by: author)
        overrides[server] = nil
        await tell(.serverOverridden, server, "goes by probes again, by \(author)")
    }

    func freeze(_ freeze: Freeze) async throws {
        try await around.store.setFreeze(freeze, by: freeze.author)
        self.freeze = freeze
        await tell(
            .fleetFrozen, nil, "by \(freeze.author) until \(Timestamp.text(freeze.until)): \(freeze.reason)")
    }

    func unfreeze(by author: String) async throws {
        try await around.store.setFreeze(nil, by: author)
        freeze = nil
        await tell(.fleetUnfrozen, nil, "by \(author)")
    }

    /// Ends what was said to last until a moment that has passed. What cannot be stored is ended all the same, here and at the next start.
    func expireOrders() async {
        let now = Date()
        for override in overrides.values where override.until <= now {
            await attempting { try await clearOverride(of: override.server, by: "its expiry") }
            overrides[override.server] = nil
        }
        if let freeze, freeze.until <= now {
            await attempting { try await unfreeze(by: "its expiry") }
            self.freeze = nil
        }
    }

    private func attempting(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            logger.error("The end of an operator's word cannot be stored", metadata: ["cause": "\(error)"])
        }
    }

    /// Takes drills back whose time is over.
    func returnDrills() async {
        let now = Date()
        guard freeze == nil else { return }
        for failover in inForce.values where failover.kind == .drill {
            guard let returnsAt = failover.returnsAt, returnsAt <= now else { continue }
            do {
                _ = try await failBack(
                    failover.server, reason: "the drill \(failover.id) is over", author: failover.author, force: false)
            } catch let refusal as FailoverRefusal {
                if let action = machine.hold(failover.server, because: "the drill does not return: \(refusal.reason)"),
                    case .held(let server, let reason) = action
                {
                    await tell(.failoverHeld, server, reason)
                }
            } catch {
                logger.error(
                    "A drill cannot be taken back", metadata: ["failover": "\(failover.id)", "cause": "\(error)"])
            }
        }
    }

    // MARK: What is so

    /// What the API shows of failover as a whole.
    struct Overview: Sendable {
        struct ServerView: Sendable {
            let server: ServerName
            let state: String
            let since: Date
            let detail: String
            let override: ServerOverride?
            let failover: FailoverID?
            let activeServices: Int
            let evidence: [TimelineEntry.Evidence]
        }

        let freeze: Freeze?
        let holding: String?
        let servers: [ServerView]
        let readiness: StandbyReadiness
    }

    func overview() -> Overview {
        let active = active(around.store.state)
        let servers = machine.servers.sorted { $0.key < $1.key }.map { name, watched in
            let failover =
                underWay.values.filter { $0.server == name && $0.kind != .failback }.map(\.id).max()
                ?? placements.filter { inForce[$0.value.failover]?.server == name }.map(\.value.failover).max()
            return Overview.ServerView(
                server: name, state: FailoverService.word(watched.phase, isMoved: failover != nil),
                since: date(of: watched.since), detail: watched.held ?? "", override: overrides[name],
                failover: failover, activeServices: active[name]?.count ?? 0, evidence: evidence(of: name))
        }
        return Overview(freeze: freeze, holding: machine.holding, servers: servers, readiness: readiness)
    }

    private static func word(_ phase: FailoverMachine.Phase, isMoved: Bool) -> String {
        switch (phase, isMoved) {
        case (.up, false): "healthy"
        case (.suspect, false): "suspect"
        case (.down, false): "failed"
        case (.up, true): "recovering"
        case (_, true): "failedOver"
        }
    }

    /// Whether services are where this failover brought them, or on their way.
    func isInForce(_ id: FailoverID) -> Bool {
        underWay[id] != nil || placements.values.contains { $0.failover == id }
    }

    /// The failover as it is at this moment, which may be ahead of the store by what is counted.
    func current(_ stored: Failover) -> Failover { underWay[stored.id] ?? stored }
}
