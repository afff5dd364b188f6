import Domain
import Routing
import Syscalls

/// Gives services and endpoint names their slots, and makes routing tables of snapshots.
///
/// A slot is a service's for as long as a snapshot names it, and until its last flow has closed; then, from the next snapshot on, another
/// service may have it.
struct SlotRegistry {
    /// A service that has a slot now.
    struct Tenant: Sendable, Equatable {
        let slot: Int32
        let name: String
    }

    /// What a snapshot comes to: the table, what the resolver has to do for it, and who has which slot.
    struct Outcome {
        let table: RoutingTable
        let added: [ResolverMessage.Addition]
        let removed: [NameSlot]
        let tenants: [Tenant]
        /// Slots that changed hands, whose counters begin at what they stand at.
        let moved: [Int32]
        /// The services whose endpoints are checked.
        let checked: [CheckedService]
    }

    /// There are more services or names than slots.
    struct Full: Error, CustomStringConvertible {
        let description: String
    }

    fileprivate var services: [ServiceName: Int32] = [:]
    /// Slots of services that are gone, whose flows may still be open.
    private var retired: [Int32] = []
    private var nextService = ServiceSlot.firstFree
    private var names: [EndpointHost: NameSlot] = [:]
    private var freeNames: [Int32] = []
    private var nextName: Int32 = 0
    private var nextTenant: UInt32 = 1
    /// The lists of targets of the services that are checked, and the number of each.
    private var editions: [ServiceName: (number: UInt32, targets: [EndpointTarget])] = [:]
    private var nextEdition: UInt32 = 1
    private var generation: UInt64 = 0
    private let monitor: (http: UInt16, https: UInt16)
    private let seed: UInt64

    init(monitor: (http: UInt16, https: UInt16), seed: UInt64) {
        self.monitor = monitor
        self.seed = seed
    }

    /// Makes the table of `snapshot`. `isIdle` says whether a slot has no open flow.
    mutating func build(_ snapshot: Snapshot, isIdle: (Int32) -> Bool) throws(Full) -> Outcome {
        // Both before anything is changed: a snapshot is taken whole or not at all.
        let hosts = endpointHosts(of: snapshot)
        guard hosts.count <= Capacity.names else {
            throw Full(description: "it has \(hosts.count) endpoint hosts, more than this data plane can hold")
        }
        let arrivals = snapshot.services.keys.count { services[$0] == nil }
        guard arrivals <= Capacity.services - Int(nextService) + retired.count(where: isIdle) else {
            throw Full(
                description: "it has \(snapshot.services.count) services, more than this data plane has room for")
        }
        let moved = settle(snapshot, isIdle)
        let (added, removed) = settleNames(hosts)
        var routes = [RoutingTable.Route](repeating: RoutingTable.Route(), count: Int(nextService))
        var targets: [RoutingTable.Target] = []
        var domains: [(name: [UInt8], isWildcard: Bool, service: Int32)] = []
        targets.reserveCapacity(snapshot.services.count)
        domains.reserveCapacity(snapshot.services.count)
        let checked = settleChecks(snapshot)
        let server = snapshot.settings.server
        var access = AccessListsBuilder()
        for (name, carriage) in snapshot.services {
            guard let slot = services[name] else { continue }
            var route = RoutingTable.Route(carriage, on: server)
            route.access = access.add(carriage.access)
            route.firstTarget = Int32(targets.count)
            if carriage.endpoint.check != nil { route.edition = editions[name]?.number ?? 0 }
            carriage.endpoint.forEachTarget { target in
                guard let host = names[target.host] else { return }
                targets.append(
                    RoutingTable.Target(
                        name: host, httpPort: target.httpPort.number, httpsPort: target.httpsPort.number))
            }
            routes[Int(slot)] = route
            for domain in carriage.clientDomains {
                domains.append((Array(domain.name.text.utf8), domain.isWildcard, slot))
            }
        }
        var route = RoutingTable.Route()
        route.firstTarget = Int32(targets.count)
        route.targetCount = 1
        // The responder is told whose connection it is, as a trusted sender says, if there is one.
        route.acceptProxyProtocol = true
        route.sendProxyProtocol = .v2
        targets.append(RoutingTable.Target(name: .monitor, httpPort: monitor.http, httpsPort: monitor.https))
        routes[Int(ServiceSlot.monitor)] = route
        domains.append((Array(server.hostname.text.utf8), false, ServiceSlot.monitor))
        let defaults = server.defaultServices.compactMap { address, name in
            services[name].map { RoutingTable.DefaultRoute(address: address, service: $0) }
        }
        generation += 1
        let table = RoutingTable(
            generation: generation, domains: domains, routes: routes, targets: targets, defaults: defaults,
            trusted: server.trustedSenders, fleet: snapshot.settings.policy.fleet, access: access.build(),
            limits: RoutingTable.ArrivalLimits(server.limits),
            flowLog: RoutingTable.FlowSampling(.standard, over: server.flowLog), seed: seed)
        let tenants = services.map { Tenant(slot: $0.value, name: $0.key.text) }
        return Outcome(
            table: table, added: added, removed: removed, tenants: tenants, moved: moved, checked: checked)
    }

    /// Retires the slots of services that are gone and gives the new ones theirs; the slots that changed hands.
    private mutating func settle(_ snapshot: Snapshot, _ isIdle: (Int32) -> Bool) -> [Int32] {
        // Workers route by the table before until they have this one, so the slots of those that go now are for the next to take.
        let leaving = services.filter { snapshot.services[$0.key] == nil }
        for name in leaving.keys { services[name] = nil }
        var moved: [Int32] = []
        var busy: [Int32] = []
        for name in snapshot.services.keys where services[name] == nil {
            var slot: Int32?
            while slot == nil, let candidate = retired.popLast() {
                if isIdle(candidate) { slot = candidate } else { busy.append(candidate) }
            }
            if let slot { moved.append(slot) }
            services[name] = slot ?? nextService
            if slot == nil { nextService += 1 }
        }
        retired += busy
        retired += leaving.values
        return moved
    }

    /// The services that are checked, whose lists of targets get numbers: the same as before when the list is, else one that no list had.
    private mutating func settleChecks(_ snapshot: Snapshot) -> [CheckedService] {
        let before = editions
        editions = [:]
        var checked: [CheckedService] = []
        for (name, carriage) in snapshot.services {
            guard let check = carriage.endpoint.check, let slot = services[name] else { continue }
            let targets = carriage.endpoint.targets
            var edition = before[name]
            if edition?.targets != targets {
                edition = (nextEdition, targets)
                // Wraps after four thousand million changes, and 0 is for what is not checked.
                nextEdition = max(1, nextEdition &+ 1)
            }
            editions[name] = edition
            checked.append(
                CheckedService(
                    slot: slot, name: name, edition: edition?.number ?? 0, check: check, carriage: carriage,
                    targets: targets.compactMap { target in names[target.host].map { .init(target: target, name: $0) } }
                ))
        }
        return checked
    }

    /// Every host of an endpoint, and a service that has it.
    private func endpointHosts(of snapshot: Snapshot) -> [EndpointHost: ServiceName] {
        var hosts = [EndpointHost: ServiceName](minimumCapacity: snapshot.services.count)
        for (name, carriage) in snapshot.services {
            carriage.endpoint.forEachTarget { hosts[$0.host] = name }
        }
        return hosts
    }

    private mutating func settleNames(
        _ wanted: [EndpointHost: ServiceName]
    ) -> (added: [ResolverMessage.Addition], removed: [NameSlot]) {
        var removed: [NameSlot] = []
        for (host, slot) in names where wanted[host] == nil {
            names[host] = nil
            freeNames.append(slot.index)
            removed.append(slot)
        }
        var added: [ResolverMessage.Addition] = []
        for (host, service) in wanted where names[host] == nil {
            let index = freeNames.popLast() ?? nextName
            if index == nextName { nextName += 1 }
            let slot = NameSlot(index: index, tenant: nextTenant)
            nextTenant &+= 1
            names[host] = slot
            added.append(.init(slot: slot, host: host, owner: services[service] ?? ServiceSlot.unrouted))
        }
        return (added, removed)
    }
}

extension RoutingTable.Route {
    init(_ carriage: Carriage, on server: Server) {
        targetCount = Int32(1 + carriage.endpoint.fallbacks.count)
        acceptProxyProtocol = carriage.acceptProxyProtocol
        sendProxyProtocol =
            switch carriage.sendProxyProtocol {
            case .off: .off
            case .v1: .v1
            case .v2: .v2
            }
        forwardedFor =
            switch carriage.forwardedFor {
            case .append: .append
            case .replace: .replace
            case .off: .off
            }
        forwardedFields =
            switch carriage.forwardedFieldsInForce {
            case .keep: .keep
            case .strip: .strip
            case .set: .set
            }
        limits = RoutingTable.Limits(carriage.limits)
        flowLog = RoutingTable.FlowSampling(carriage.flowLog, over: server.flowLog)
    }
}

extension RoutingTable.Limits {
    init(_ limits: ServiceLimits) {
        connections = limits.connections.inForce(standard: ServiceLimits.standardConnections)
        newConnections = limits.newConnections.inForce(standard: ServiceLimits.standardNewConnections)
        clientConnections = limits.clientConnections.inForce(standard: ServiceLimits.standardClientConnections)
        newClientConnections = limits.newClientConnections.inForce(
            standard: ServiceLimits.standardNewClientConnections)
        minimumRate = limits.minimumRate ?? MinimumRate.standard
    }
}

extension RoutingTable.ArrivalLimits {
    init(_ limits: ServerLimits) {
        clientConnections = limits.clientConnections.inForce(standard: ServerLimits.standardClientConnections)
        newClientConnections = limits.newClientConnections.inForce(
            standard: ServerLimits.standardNewClientConnections)
        clientOpenings = limits.clientOpenings.inForce(standard: ServerLimits.standardClientOpenings)
        minimumRate = limits.minimumRate ?? MinimumRate.standard
    }
}

extension RoutingTable.FlowSampling {
    init(_ flowLog: FlowLog, over server: FlowLog) {
        (oneIn, interval) = flowLog.resolved(over: server)
    }
}

extension Endpoint {
    /// What `targets` has, in its order, without making an array of it for each of a hundred thousand services.
    fileprivate func forEachTarget(_ body: (EndpointTarget) -> Void) {
        body(target)
        for fallback in fallbacks { body(fallback) }
    }
}

extension SlotRegistry {
    /// The slot of a service that the last snapshot named.
    func slot(of name: ServiceName) -> Int32? { services[name] }
}
