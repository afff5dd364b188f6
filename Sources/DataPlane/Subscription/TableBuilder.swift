import Domain
import Routing
import Syscalls

/// Makes routing tables of snapshots, with the slots that services and endpoint names have.
struct TableBuilder {
    /// What a snapshot comes to: the table, what the resolver has to do for it, and who has which slot.
    struct Outcome {
        let table: RoutingTable
        let added: [ResolverMessage.Addition]
        let removed: [NameSlot]
        let tenants: [ServiceSlots.Tenant]
        /// Slots that changed hands, whose counters begin at what they stand at.
        let moved: [Int32]
        /// The services whose endpoints are checked.
        let checked: [CheckedService]
    }

    /// There are more services or names than slots.
    struct Full: Error, CustomStringConvertible {
        let description: String
    }

    private var services = ServiceSlots()
    private var names = NameSlots()
    private var editions = TargetEditions()
    private var generation: UInt64 = 0
    private let monitor: (http: UInt16, https: UInt16)
    private let seed: UInt64

    init(monitor: (http: UInt16, https: UInt16), seed: UInt64) {
        self.monitor = monitor
        self.seed = seed
    }

    /// The slot of a service that the last snapshot named.
    func slot(of name: ServiceName) -> Int32? { services[name] }

    /// Makes the table of `snapshot`. `isIdle` says whether a slot has no open flow.
    mutating func build(_ snapshot: Snapshot, isIdle: (Int32) -> Bool) throws(Full) -> Outcome {
        // Both before anything is changed: a snapshot is taken whole or not at all.
        let hosts = endpointHosts(of: snapshot)
        guard hosts.count <= Capacity.names else {
            throw Full(description: "it has \(hosts.count) endpoint hosts, more than this data plane can hold")
        }
        guard services.hasRoom(for: snapshot.services.keys, isIdle) else {
            throw Full(
                description: "it has \(snapshot.services.count) services, more than this data plane has room for")
        }
        let moved = services.settle(Set(snapshot.services.keys), isIdle)
        let (given, removed) = names.settle(Set(hosts.keys))
        let added = given.map { slot, host in
            let owner = hosts[host].flatMap { services[$0] } ?? ServiceSlot.unrouted
            return ResolverMessage.Addition(slot: slot, host: host, owner: owner)
        }
        var routes = [RoutingTable.Route](repeating: RoutingTable.Route(), count: services.count)
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
            if carriage.endpoint.check != nil { route.edition = editions[name] }
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
        return Outcome(
            table: table, added: added, removed: removed, tenants: services.tenants, moved: moved, checked: checked)
    }

    /// The services that are checked, whose lists of targets get their numbers.
    private mutating func settleChecks(_ snapshot: Snapshot) -> [CheckedService] {
        var lists: [ServiceName: [EndpointTarget]] = [:]
        for (name, carriage) in snapshot.services where carriage.endpoint.check != nil {
            lists[name] = carriage.endpoint.targets
        }
        editions.settle(lists)
        var checked: [CheckedService] = []
        for (name, targets) in lists {
            guard let carriage = snapshot.services[name], let check = carriage.endpoint.check, let slot = services[name]
            else { continue }
            checked.append(
                CheckedService(
                    slot: slot, name: name, edition: editions[name], check: check, carriage: carriage,
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
