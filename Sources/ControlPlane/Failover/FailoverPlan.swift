package import DNS
package import Domain

/// What a failover of a server would do, service by service, and what is in its way. Pure.
package struct FailoverPlan: Sendable, Equatable {
    /// A server that could take a service over.
    package struct Candidate: Sendable, Equatable {
        package let server: ServerName
        /// Why it must not; empty when it may.
        package let obstacles: [String]
        /// Faults that do not keep it from taking over.
        package let warnings: [String]
    }

    package struct ServicePlan: Sendable, Equatable {
        package let service: ServiceName
        package let from: ServerName
        /// Nil when nobody may take it over.
        package let to: ServerName?
        package let candidates: [Candidate]
        package var records: [Record]
        /// Why the service stays where it is; empty when it can be moved.
        package var obstacles: [String]
    }

    /// A name that would change, and where it stands.
    package struct Record: Sendable, Equatable {
        package let zone: DomainName
        package var change: RecordChange
    }

    package let server: ServerName
    package var services: [ServicePlan]
    /// Why nothing at all would be done; empty when something can be.
    package let obstacles: [String]

    var movable: [ServicePlan] { services.filter { $0.obstacles.isEmpty && $0.to != nil } }

    /// Why nothing would be moved, in one sentence; nil when something would be.
    package var obstacle: String? {
        if let first = obstacles.first { return first }
        guard movable.isEmpty else { return nil }
        guard let service = services.first else {
            return "no service's records lead to \(server), so there is nothing to move"
        }
        return "service \(service.service): \(service.obstacles.first ?? "it has nowhere to go")"
    }
}

/// The facts about the fleet from which a plan is made.
struct PlanningBase: Sendable {
    var servers: [ServerName: Server]
    /// The obstacles to moving anything at all.
    var standing: [String] = []
    /// The services that another decision is moving now.
    var busy: [ServiceName: FailoverID] = [:]
    /// The obstacles to each server as a standby of a service.
    var obstacles: @Sendable (ServerName, ServiceName) -> [String]
    var warnings: @Sendable (ServerName, ServiceName) -> [String]
    /// The services whose records are somebody else's by now, and the finding. They move only by force.
    var conflicts: [ServiceName: String] = [:]
}

extension FailoverPlan {
    /// The plan for leaving `server`, to which the records of `services` lead. Each service goes to the first of its
    /// servers that may take it, the primary before the standbys.
    /// With `force`, obstacles of standbys and conflicts are in the plan, and do not keep a service from moving.
    init(leaving server: ServerName, _ services: [Service], _ base: PlanningBase, force: Bool = false) {
        let plans = services.map { service in
            let candidates = service.servers.filter { $0 != server }.map { name in
                Candidate(
                    server: name, obstacles: base.obstacles(name, service.name),
                    warnings: base.warnings(name, service.name))
            }
            let eligible = candidates.filter { force || $0.obstacles.isEmpty }
            // One without a flaw before one that has some.
            let chosen = eligible.first { $0.obstacles.isEmpty && $0.warnings.isEmpty } ?? eligible.first
            return FailoverPlan.plan(service, from: server, to: chosen?.server, candidates, base, force: force)
        }
        self.init(server: server, services: plans.sorted { $0.service < $1.service }, obstacles: base.standing)
    }

    /// The plan for bringing back to `server` the services that are to be there, from where they are now.
    init(
        returning services: [(service: Service, from: ServerName)], to server: ServerName, _ base: PlanningBase,
        force: Bool = false
    ) {
        let plans = services.map { service, present in
            let candidate = Candidate(
                server: server, obstacles: base.obstacles(server, service.name),
                warnings: base.warnings(server, service.name))
            return FailoverPlan.plan(
                service, from: present, to: force || candidate.obstacles.isEmpty ? server : nil, [candidate], base,
                force: force)
        }
        self.init(server: server, services: plans.sorted { $0.service < $1.service }, obstacles: base.standing)
    }

    private static func plan(
        _ service: Service, from: ServerName, to: ServerName?, _ candidates: [Candidate], _ base: PlanningBase,
        force: Bool
    ) -> ServicePlan {
        var obstacles: [String] = []
        if let id = base.busy[service.name] { obstacles.append("failover \(id) is moving it now") }
        if !force, let conflict = base.conflicts[service.name] { obstacles.append(conflict) }
        if candidates.isEmpty {
            obstacles.append("it has no standby; `ddirect service edit \(service.name) --standby SERVER` gives it one")
        } else if to == nil {
            obstacles.append(
                "none of its standbys may take it over: "
                    + candidates.map { "\($0.server): \($0.obstacles.joined(separator: ", "))" }.joined(separator: "; ")
            )
        }
        var records: [Record] = []
        if let origin = base.servers[from], let target = to.flatMap({ base.servers[$0] }) {
            records = service.bindings.map { binding in
                let change = RecordChange(
                    name: binding.name, expected: binding.records(of: origin), wanted: binding.records(of: target))
                return Record(zone: binding.zone, change: change)
            }
        }
        if to != nil, records.isEmpty || records.contains(where: { $0.change.wanted.isEmpty }) {
            obstacles.append("what its records say now, or are to say, is not known: is server \(from) gone?")
        }
        return ServicePlan(
            service: service.name, from: from, to: to, candidates: candidates, records: records, obstacles: obstacles)
    }

    /// The work that the plan comes to, the zones in order.
    var zones: [Failover.ZoneWork] {
        var records: [DomainName: [Failover.SteeredRecord]] = [:]
        for service in movable {
            for record in service.records {
                records[record.zone, default: []].append(
                    Failover.SteeredRecord(service: service.service, change: record.change))
            }
        }
        return records.sorted { $0.key < $1.key }.map { Failover.ZoneWork(zone: $0.key, records: $0.value) }
    }

    var moves: [Failover.Move] {
        movable.compactMap { plan in plan.to.map { Failover.Move(service: plan.service, from: plan.from, to: $0) } }
    }
}

extension DNSBinding {
    /// The records of the name while `server` is the active one.
    func records(of server: Server) -> [RecordSet] {
        switch kind {
        case .cname: return [RecordSet(.cname, timeToLive: timeToLive, values: [server.hostname.text])]
        case .addresses:
            let byFamily: [(RecordType, Address.Family)] = [(.a, .ipv4), (.aaaa, .ipv6)]
            return byFamily.compactMap { type, family in
                let values = server.addresses.filter { $0.family == family }.map(\.description)
                return values.isEmpty ? nil : RecordSet(type, timeToLive: timeToLive, values: values)
            }
        }
    }
}
