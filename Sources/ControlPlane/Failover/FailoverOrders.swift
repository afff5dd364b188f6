import DNS
package import Domain
import Fleet
package import FoundationEssentials
import Notices
import Store

/// Why an operator's order is not carried out.
package struct FailoverRefusal: Error, Sendable {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }
}

/// Orders of operators: they lead to the same decisions as the machine's.
extension FailoverService {
    /// Moves the services of `server` to their standbys; with `returnsAfter` it is a drill that goes back by itself.
    package func run(
        _ server: ServerName, reason: String, author: String, returnsAfter: Int?, force: Bool
    ) async throws -> Failover {
        try await decided(
            await plan(leaving: server, force: force), kind: returnsAfter == nil ? .manual : .drill, reason: reason,
            author: author, returnsAt: returnsAfter.map { Date().addingTimeInterval(Double($0)) }, force: force)
    }

    /// Brings back to `server` the services that are to be there and are not.
    /// `failover` is the one to take back; nil for all.
    package func failBack(
        _ server: ServerName, _ failover: FailoverID? = nil, reason: String, author: String, force: Bool
    ) async throws -> Failover {
        let plan = await plan(returningTo: server, force: force) { failover == nil || $0.id == failover }
        guard !plan.services.isEmpty else {
            throw FailoverRefusal(reason: "no service of \(server) is away, so there is nothing to take back")
        }
        return try await decided(
            plan, kind: .failback, reason: reason, author: author,
            reverses: plan.services.compactMap { placements.placed[$0.service]?.failover }.max(), force: force)
    }

    private func decided(
        _ plan: FailoverPlan, kind: Failover.Kind, reason: String, author: String, returnsAt: Date? = nil,
        reverses: FailoverID? = nil, force: Bool
    ) async throws -> Failover {
        if let obstacle = plan.obstacle { throw FailoverRefusal(reason: obstacle) }
        let plan = force ? try await adopting(plan) : plan
        let isSame = plan.movable.allSatisfy { planned in
            placements.decisions[planned.service] == nil
                && surroundings.store.state.services[planned.service].map(placements.server) == planned.from
        }
        guard orders.freeze == nil, isSame else {
            throw FailoverRefusal(reason: "the fleet has changed while the zones were read; ask again")
        }
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

    /// The present records of names of a zone. Throws when one of them could not be written back.
    private func replaceable(_ names: [DomainName], in zone: DomainName) async throws -> [DomainName: [RecordSet]] {
        guard let configured = surroundings.store.state.zones[zone] else { return [:] }
        do {
            let found = try await calls.to(configured) { try await $0.present(names) }
            // Such as a provider's alias: we could not restore it, so we do not replace it.
            if let strange = found.first(where: { !$0.value.allSatisfy(\.isPlain) }) {
                throw FailoverRefusal(
                    reason:
                        "\(strange.key) is \(strange.value.map(\.text).joined(separator: ", ")), which is mended by hand"
                )
            }
            return found
        } catch let failure as DNSFailure {
            throw FailoverRefusal(reason: "zone \(zone) cannot be read: \(failure.reason)")
        }
    }

    /// The plan, expecting the present records: an operator has looked at them and wants them replaced.
    private func adopting(_ plan: FailoverPlan) async throws -> FailoverPlan {
        let names = Dictionary(grouping: plan.movable.flatMap(\.records), by: \.zone).mapValues {
            $0.map(\.change.name)
        }
        let present = try await withThrowingTaskGroup(of: [DomainName: [RecordSet]].self) { group in
            for (zone, names) in names { group.addTask { try await self.replaceable(names, in: zone) } }
            var present: [DomainName: [RecordSet]] = [:]
            for try await found in group { present.merge(found) { first, _ in first } }
            return present
        }
        var adopted = plan
        for service in adopted.services.indices {
            for place in adopted.services[service].records.indices {
                let change = adopted.services[service].records[place].change
                adopted.services[service].records[place].change = RecordChange(
                    name: change.name, expected: present[change.name] ?? change.expected, wanted: change.wanted)
            }
        }
        return adopted
    }

    // MARK: Orders that last

    package func override(_ override: ServerOverride) async throws {
        try await surroundings.orderRows.set(override)
        orders.set(override)
        await tell(
            .serverOverridden, override.server,
            "forced \(override.state.rawValue) by \(override.author) until \(Timestamp.text(override.until)): \(override.reason)"
        )
    }

    package func clearOverride(of server: ServerName, by author: String) async throws {
        try await surroundings.orderRows.clear(overrideOf: server, by: author)
        orders.clearOverride(of: server)
        await tell(.serverOverridden, server, "goes by probes again, by \(author)")
    }

    package func freeze(_ freeze: Freeze) async throws {
        try await surroundings.orderRows.set(freeze, by: freeze.author)
        orders.set(freeze)
        await tell(
            .fleetFrozen, nil, "by \(freeze.author) until \(Timestamp.text(freeze.until)): \(freeze.reason)")
    }

    package func unfreeze(by author: String) async throws {
        try await surroundings.orderRows.set(nil, by: author)
        orders.set(nil as Freeze?)
        await tell(.fleetUnfrozen, nil, "by \(author)")
    }

    /// Ends the orders whose time is over, first here and then in the store. An end that cannot be stored holds all the
    /// same: the next start finds the order over, too.
    func expireOrders() async {
        let now = Date()
        for override in orders.endOverrides(at: now) {
            await endInStore { try await surroundings.orderRows.end(override) }
            await tell(.serverOverridden, override.server, "goes by probes again: the time is over")
        }
        if let freeze = orders.endFreeze(at: now) {
            await endInStore { try await surroundings.orderRows.end(freeze) }
            await tell(.fleetUnfrozen, nil, "the time is over")
        }
    }

    private func endInStore(_ end: () async throws -> Void) async {
        do {
            try await end()
        } catch {
            logger.error("The end of an operator's word cannot be stored", metadata: ["cause": "\(error)"])
        }
    }

    /// Takes drills back whose time is over.
    func returnDrills() async {
        let now = Date()
        for id in placements.candidatesForReturn {
            // Looked at anew after each wait.
            guard let failover = placements.expiredDrill(id, at: now), !deciding.contains(failover.server) else {
                continue
            }
            do {
                _ = try await failBack(
                    failover.server, id, reason: "the drill \(failover.id) is over", author: failover.author,
                    force: false)
            } catch let refusal as FailoverRefusal {
                await hold(failover.server, because: "the drill does not return: \(refusal.reason)")
            } catch {
                logger.error(
                    "A drill cannot be taken back", metadata: ["failover": "\(failover.id)", "cause": "\(error)"])
            }
        }
    }

    // MARK: The present state

    /// Failover as a whole, for the API.
    package struct Overview: Sendable {
        package struct ServerView: Sendable {
            package let server: ServerName
            package let state: String
            let isDown: Bool
            package let since: Date
            package let detail: String
            package let override: ServerOverride?
            package let failover: FailoverID?
            package let activeServices: Int
            package let evidence: [TimelineEntry.Evidence]
        }

        package let freeze: Freeze?
        package let holding: String?
        package let servers: [ServerView]
        package let readiness: StandbyReadiness

        package var down: Int { servers.count(where: \.isDown) }
        /// Servers whose services are elsewhere, or on their way.
        package var failedOver: Int { servers.count { $0.failover != nil } }
    }

    package func overview() async -> Overview {
        let readiness = await prover.readiness
        let active = placements.active(in: surroundings.store.state)
        let servers = machine.servers.sorted { $0.key < $1.key }.map { name, watched in
            let failover = placements.failover(leaving: name)
            return Overview.ServerView(
                server: name, state: FailoverService.state(watched.phase, isMoved: failover != nil),
                isDown: watched.phase == .down, since: date(of: watched.since),
                detail: watched.held ?? (watched.lacksAnswers ? FailoverMachine.answersMissing : nil)
                    ?? watched.verdict?.tooFewVantages ?? "",
                override: orders.overrides[name],
                failover: failover, activeServices: active[name]?.count ?? 0, evidence: evidence(of: name))
        }
        return Overview(freeze: orders.freeze, holding: machine.holding, servers: servers, readiness: readiness)
    }

    private static func state(_ phase: FailoverMachine.Phase, isMoved: Bool) -> String {
        switch (phase, isMoved) {
        case (.up, false): "healthy"
        case (.suspect, false): "suspect"
        case (.down, false): "failed"
        case (.up, true): "recovering"
        case (_, true): "failedOver"
        }
    }

    /// Whether services are where this failover brought them, or on their way.
    package func isInForce(_ id: FailoverID) -> Bool { placements.isInForce(id) }

    /// The failover as it is at this moment. Its counts of connections may be ahead of the store.
    package func current(_ stored: Failover) -> Failover { placements.underWay[stored.id] ?? stored }
}
