import Channel
import DNS
package import Domain
import Fleet
import Store

/// Making plans: gathers the facts about the fleet from which ``FailoverPlan`` decides.
extension FailoverService {
    /// What a failover of `server` would do now. Facts that change quickly are read after the last wait.
    func plan(leaving server: ServerName, force: Bool = false) async -> FailoverPlan {
        let base = await planningBase()
        let services = placements.active(in: surroundings.store.state)[server] ?? []
        return FailoverPlan(leaving: server, services, base, force: force)
    }

    /// The same plan, rehearsed: every zone's provider is asked whether it would make the change.
    package func rehearsedPlan(leaving server: ServerName) async -> FailoverPlan {
        var plan = await plan(leaving: server)
        let zones = plan.zones
        let findings = await withTaskGroup(of: [ServiceName: [String]].self) { group in
            for zone in zones { group.addTask { await self.obstacles(in: zone) } }
            var findings: [ServiceName: [String]] = [:]
            for await found in group { findings.merge(found) { $0 + $1 } }
            return findings
        }
        for index in plan.services.indices {
            plan.services[index].obstacles += findings[plan.services[index].service] ?? []
        }
        return plan
    }

    private func obstacles(in zoneWork: Failover.ZoneWork) async -> [ServiceName: [String]] {
        let services = Set(zoneWork.records.map(\.service))
        func all(_ reason: String) -> [ServiceName: [String]] {
            Dictionary(uniqueKeysWithValues: services.map { ($0, ["zone \(zoneWork.zone): \(reason)"]) })
        }
        guard let zone = surroundings.store.state.zones[zoneWork.zone] else { return all("it is not configured") }
        do {
            let outcome = try await calls.to(zone) { try await $0.rehearse(zoneWork.records.map(\.change)) }
            guard case .conflict(let present) = outcome else { return [:] }
            return Dictionary(grouping: zoneWork.records, by: \.service).compactMapValues { records in
                let foreign = records.map(\.change).differences(from: present)
                return foreign.isEmpty ? nil : foreign
            }
        } catch {
            return all("\(error)")
        }
    }

    /// What a failback to `server` would do now. Only services count whose failover `isMeant` accepts.
    func plan(
        returningTo server: ServerName, force: Bool = false, where isMeant: (Failover) -> Bool = { _ in true }
    ) async -> FailoverPlan {
        let base = await planningBase()
        let services = placements.servicesAway(
            from: server, in: surroundings.store.state.services, where: isMeant)
        return FailoverPlan(returning: services, to: server, base, force: force)
    }

    // MARK: Facts

    func planningBase() async -> PlanningBase {
        let state = await currentState()
        let statuses = await surroundings.publisher.statuses()
        let readiness = await prover.readiness
        let now = clock.now
        let watched = machine.servers
        let flapping = Set(watched.keys.filter { machine.isFlapping($0, at: now, holdDown: state.settings.holdDown) })
        let version = state.version
        return PlanningBase(
            servers: state.servers, standing: orders.obstacles, busy: placements.decisions,
            obstacles: { server, _ in
                var obstacles: [String] = []
                if let obstacle = (statuses[server] ?? ServerStatus()).standbyObstacle(at: version) {
                    obstacles.append(obstacle)
                }
                let verdict = watched[server]?.verdict
                if watched[server]?.phase == .down {
                    obstacles.append("it is down")
                } else if verdict?.isKnown != true {
                    obstacles.append("no vantage has probed it")
                } else if verdict?.isMissed == true {
                    obstacles.append("it does not answer most vantages")
                }
                if flapping.contains(server) { obstacles.append("it comes and goes") }
                return obstacles
            },
            warnings: { server, service in readiness.warnings(of: service, on: server) },
            conflicts: placements.conflicts)
    }

    /// The answers to the readiness prover's questions.
    nonisolated var readinessQuestions: ReadinessProver.Questions {
        ReadinessProver.Questions(steering: { await self.steering() }, planningBase: { await self.planningBase() })
    }

    private func steering() -> ReadinessProver.Steering {
        let state = surroundings.store.state
        return ReadinessProver.Steering(
            state: state, active: placements.active(in: state), moving: Set(placements.decisions.keys),
            revision: placements.revision)
    }
}
