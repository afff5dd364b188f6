import Domain
import Fleet
import FoundationEssentials

/// Which failovers there are, and where services are by them. Pure; the configuration and the time are passed in.
///
///     begin ─▶ under way ──settle (a service has arrived)──▶ placed
///                 │  └─ drop: abandoned or conflicted
///                 └─ finish ─▶ in force ──its last service is moved on──▶ forgotten
///
/// The journal has everything first, except changes by `change`: the next step stores these.
struct Placements: Sendable {
    /// The failovers that are being carried out.
    private(set) var underWay: [FailoverID: Failover] = [:]
    /// Those that are over, while services still are where they brought them.
    private(set) var inForce: [FailoverID: Failover] = [:]
    /// Which failover moves a service now: invariant 7.
    private(set) var decisions: [ServiceName: FailoverID] = [:]
    /// The services that a failover has brought away from their primary.
    private(set) var placed: [ServiceName: Placement] = [:]
    /// The services whose records turned out to be somebody else's, and the finding.
    private(set) var conflicts: [ServiceName: String] = [:]
    /// Grows whenever `placed` or `inForce` changes. An answer to an older revision may be out of date.
    private(set) var revision = 0

    /// `active(in:)` and `movedAway(in:)`, as they were made last; nil when something has changed since.
    private var active: (version: SnapshotVersion, services: [ServerName: [Service]])?
    private var movedAway: (version: SnapshotVersion, servers: Set<ServerName>)?

    /// As an earlier process left it.
    init(_ records: FailoverRecords = FailoverRecords()) {
        underWay = Dictionary(records.underWay.map { ($0.id, $0) }) { first, _ in first }
        inForce = Dictionary(records.inForce.map { ($0.id, $0) }) { first, _ in first }
        decisions = records.decisions
        placed = records.placements
    }

    // MARK: Where services are

    func server(of service: Service) -> ServerName { placed[service.name]?.server ?? service.primary }

    /// The services whose records we steer, by the server that these lead to.
    mutating func active(in state: FleetState) -> [ServerName: [Service]] {
        // An order may come right after a change of the configuration, and means the fleet as it is then.
        if let active, active.version == state.version { return active.services }
        var services: [ServerName: [Service]] = [:]
        for service in state.services.values where !service.bindings.isEmpty {
            services[server(of: service), default: []].append(service)
        }
        active = (state.version, services)
        return services
    }

    /// The servers to which services may go back by themselves. An operator's failover ends when an operator says so,
    /// and a drill when its time is over.
    mutating func movedAway(in state: FleetState) -> Set<ServerName> {
        if let movedAway, movedAway.version == state.version { return movedAway.servers }
        let servers = placed.compactMap { name, placement -> ServerName? in
            guard let primary = state.services[name]?.primary, primary != placement.server,
                effective(placement.failover)?.kind == .automatic
            else { return nil }
            return primary
        }
        movedAway = (state.version, Set(servers))
        return Set(servers)
    }

    /// The services that are away from `server` and belong there, and where they are. A service belongs to its primary,
    /// and to the server that its failover took it from. Only failovers that `isMeant` accepts count.
    func servicesAway(
        from server: ServerName, in services: [ServiceName: Service], where isMeant: (Failover) -> Bool = { _ in true }
    ) -> [(service: Service, from: ServerName)] {
        placed.compactMap { name, placement in
            let failover = effective(placement.failover)
            guard placement.server != server, let service = services[name], failover.map(isMeant) ?? true else {
                return nil
            }
            let hasLeftIt = failover?.moves.contains { $0.service == name && $0.from == server } ?? false
            return service.primary == server || hasLeftIt ? (service, placement.server) : nil
        }
    }

    // MARK: Which failovers there are

    /// The failover that brought services where they are: over, or still being followed.
    func effective(_ id: FailoverID) -> Failover? { inForce[id] ?? underWay[id] }

    /// Whether services are where this failover brought them, or on their way.
    func isInForce(_ id: FailoverID) -> Bool {
        underWay[id] != nil || placed.values.contains { $0.failover == id }
    }

    /// The newest failover by which services have left a server, or are leaving it.
    func failover(leaving server: ServerName) -> FailoverID? {
        underWay.values.filter { $0.server == server && $0.kind != .failback }.map(\.id).max()
            ?? placed.values.map(\.failover).filter { inForce[$0]?.server == server }.max()
    }

    /// The servers about which something is being done that is not proven yet.
    var busyServers: Set<ServerName> {
        Set(
            underWay.values.filter { $0.stage < .following }.flatMap { failover in
                failover.kind == .failback ? failover.moves.flatMap { [$0.from, $0.to] } : [failover.server]
            })
    }

    /// Failovers in force that may be drills, the finished ones first.
    var candidatesForReturn: [FailoverID] { Array(inForce.keys) + Array(underWay.keys) }

    /// The drill of this number, when its time is over and it has services that nothing else is moving.
    func expiredDrill(_ id: FailoverID, at now: Date) -> Failover? {
        guard let failover = effective(id), let returnsAt = failover.returnsAt, returnsAt <= now,
            placed.contains(where: { $0.value.failover == id && decisions[$0.key] == nil })
        else { return nil }
        return failover
    }

    // MARK: Events

    /// A decision is stored, and about to be carried out.
    mutating func begin(_ failover: Failover) {
        underWay[failover.id] = failover
        for move in failover.moves { decisions[move.service] = failover.id }
    }

    /// Changes a failover under way. Answers it as it is then; nil when there is none.
    @discardableResult
    mutating func change(_ id: FailoverID, _ change: (inout Failover) -> Void) -> Failover? {
        underWay[id]?.change(change)
        return underWay[id]
    }

    /// A step is stored that says where services are now, and which of them are free for the next decision.
    mutating func settle(_ step: FailoverStep, of id: FailoverID) {
        for (service, placement) in step.placed { placed[service] = placement }
        release(step.released, from: id)
        placementsChanged()
    }

    /// A failover has ended without moving anything: `released` are the services that it was about.
    mutating func drop(_ id: FailoverID, releasing released: [ServiceName] = []) {
        release(released, from: id)
        underWay[id] = nil
    }

    /// A failover has been followed to its end. It stays in force while services are where it brought them.
    mutating func finish(_ id: FailoverID) {
        inForce[id] = underWay.removeValue(forKey: id)
        placementsChanged()
    }

    /// Forgets the services that the store has no placement of: they were deleted, and perhaps made anew.
    mutating func forget(allBut stored: Set<ServiceName>) {
        placed = placed.filter { stored.contains($0.key) || underWay[$0.value.failover] != nil }
        active = nil
        movedAway = nil
    }

    mutating func enter(conflict: String, of service: ServiceName) { conflicts[service] = conflict }

    /// Its records are ours again, or may be. Each write is conditional, so nothing is at risk by trying.
    mutating func forgetConflict(of service: ServiceName) { conflicts[service] = nil }

    private mutating func release(_ services: [ServiceName], from id: FailoverID) {
        for service in services where decisions[service] == id { decisions[service] = nil }
    }

    private mutating func placementsChanged() {
        active = nil
        movedAway = nil
        let effective = Set(placed.values.map(\.failover))
        inForce = inForce.filter { effective.contains($0.key) }
        revision += 1
    }
}

extension Failover {
    /// In place, so that its lists are not copied.
    fileprivate mutating func change(_ change: (inout Failover) -> Void) { change(&self) }

    /// Ends a zone, and the move of each service whose last zone it was. Answers these moves, and where their services
    /// are now (nil: home again).
    mutating func endZone(
        _ zone: Int, as state: Move.State, in services: [ServiceName: Service]
    ) -> (moves: [Move], placed: [ServiceName: Placement?]) {
        zones[zone].state = state
        zones[zone].isInDoubt = false
        var placed: [ServiceName: Placement?] = [:]
        let moves = settleMoves(with: zone)
        for move in moves {
            guard hasChanged(move), let service = services[move.service] else { continue }
            traffic.append(Traffic(service: move.service))
            let isHome = service.primary == move.to
            // A service half-way home is still away: the rest of the way is asked for again from there.
            if isHome, move.state != .written { continue }
            placed[move.service] = .some(isHome ? nil : Placement(server: move.to, failover: id))
        }
        if !zones.contains(where: { $0.state == .pending }) { stage = .verifying }
        return (moves, placed)
    }
}

extension Failover.Stage: Comparable {
    private var order: Int { Failover.Stage.allCases.firstIndex(of: self) ?? 0 }

    package static func < (left: Failover.Stage, right: Failover.Stage) -> Bool { left.order < right.order }
}
