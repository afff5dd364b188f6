import Domain

/// A server to be probed: its monitor endpoint by every address on both ports, and the services that are checked through it.
struct ProbeTarget: Hashable, Sendable {
    let server: ServerName
    let hostname: DomainName
    let addresses: [Address]
    let httpPort: Port
    let httpsPort: Port
    /// From the start of one round to that of the next.
    let interval: Duration
    /// For how long a round may take; no longer than the interval.
    let timeout: Duration
    let checks: [ProbeCheck]
}

/// A service's own check, as one server is asked to answer it.
struct ProbeCheck: Hashable, Sendable {
    let service: ServiceName
    /// The SNI and the Host of the request.
    let host: DomainName
    let path: String
    let usesTLS: Bool
}

/// Who is probed, and from where. Pure.
///
/// Every server is, whether it carries anything or not: a standby has to be known to be well before it is needed. A service's check goes
/// through every server that carries it, so that an endpoint that is dead (it answers through none) is told from a server that has
/// lost its way to it (it answers through others).
struct ProbePlan: Sendable, Equatable {
    /// What the control plane itself probes: every server.
    let targets: [ProbeTarget]
    /// What each data plane probes: the servers of other regions. What a region has in common, such as its way to the world, must not
    /// hide from a vantage, or look like somebody else's failure.
    let targetsByServer: [ServerName: [ProbeTarget]]
    /// Servers beyond what a vantage can probe, which nobody does.
    let unwatched: [ServerName]

    /// A fleet has tens of servers; each costs a vantage some connections every interval.
    static let mostTargets = 256
    /// Of one server. Those beyond, in the order of their names, are not made.
    static let mostChecks = 200

    init(servers: [ServerName: Server], services: [ServiceName: Service], monitoring: Monitoring) {
        let checks = ProbePlan.checks(of: services)
        let sorted = servers.values.sorted { $0.name < $1.name }
        let targets = sorted.map { ProbeTarget($0, monitoring, checks: checks[$0.name] ?? []) }
        self.targets = Array(targets.prefix(ProbePlan.mostTargets))
        unwatched = targets.dropFirst(ProbePlan.mostTargets).map(\.server)
        // Servers of one region have one list.
        var listOfRegion: [RegionName: [ProbeTarget]] = [:]
        for region in Set(sorted.map(\.region)) {
            let others = zip(sorted, targets).lazy.filter { $0.0.region != region }
            listOfRegion[region] = others.prefix(ProbePlan.mostTargets).map(\.1)
        }
        targetsByServer = servers.mapValues { listOfRegion[$0.region] ?? [] }
    }

    private static func checks(of services: [ServiceName: Service]) -> [ServerName: [ProbeCheck]] {
        var checks: [ServerName: [ProbeCheck]] = [:]
        for service in services.values {
            guard let check = service.check else { continue }
            let made = ProbeCheck(service: service.name, host: check.host, path: check.path, usesTLS: check.usesTLS)
            for server in service.servers { checks[server, default: []].append(made) }
        }
        return checks.mapValues { all in Array(all.sorted { $0.service < $1.service }.prefix(mostChecks)) }
    }
}

extension ProbeTarget {
    fileprivate init(_ server: Server, _ fleet: Monitoring, checks: [ProbeCheck]) {
        // The rules of the store keep the two together; were they apart, the fleet's settings would be better than none.
        let monitoring = (try? server.monitoring.resolved(over: fleet)) ?? fleet
        self.init(
            server: server.name, hostname: server.hostname, addresses: server.addresses,
            httpPort: server.monitoring.httpPort, httpsPort: server.monitoring.httpsPort,
            interval: .seconds(monitoring.interval), timeout: .seconds(monitoring.timeout), checks: checks)
    }
}
