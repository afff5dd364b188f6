package import Domain

/// A server to be probed: its monitor endpoint by every address on both ports, and the services that are checked
/// through it.
package struct ProbeTarget: Hashable, Sendable {
    package let server: ServerName
    let hostname: DomainName
    let addresses: [Address]
    let httpPort: Port
    let httpsPort: Port
    /// From the start of one round to that of the next.
    let interval: Duration
    /// For how long a round may take; no longer than the interval.
    let timeout: Duration
    /// With which a probe shows that it is one; nil when there is none.
    var key: ProbeKey?
    package let checks: [ProbeCheck]
}

/// A service's own check, as one server is asked to answer it.
package struct ProbeCheck: Hashable, Sendable {
    package let service: ServiceName
    /// The SNI and the Host of the request.
    let host: DomainName
    let path: String
    let usesTLS: Bool
}

/// Which servers are probed, and from where. Pure.
///
/// Every server is, whether it carries anything or not: a standby has to be known to be well before it is needed. A
/// service's check goes through every server that carries it, so that an endpoint that is dead (it answers through
/// none) is told from a server that has lost its way to it (it answers through others).
package struct ProbePlan: Sendable, Equatable {
    /// What the control plane itself probes: every server.
    package let targets: [ProbeTarget]
    /// What each data plane probes: servers of other regions. What a region has in common, such as its way to the
    /// world, must not hide from a vantage, or look like somebody else's failure.
    package let targetsByServer: [ServerName: [ProbeTarget]]
    /// Servers beyond what a vantage can probe, which nobody does.
    package let unwatched: [ServerName]
    /// Services beyond what is checked through one server, which are not checked through it.
    package let unchecked: [ServerName: [ServiceName]]

    /// Each costs a vantage some connections every interval.
    static let mostTargets = 256
    /// Data planes that probe one server: enough to lose some and to outvote some, and with the control plane an odd
    /// number. If all probed all, a fleet of a hundred servers would mostly serve its own probes.
    static let mostVantages = 6
    /// Of one server. Those beyond, in the order of their names, are not made.
    static let mostChecks = 200

    /// `connected` are the data planes that can be asked now; `keys` are what probes show that they are of the fleet.
    package init(
        servers: [ServerName: Server], services: [ServiceName: Service], monitoring: Monitoring,
        connected: Set<ServerName>, keys: ProbeKeys? = nil
    ) {
        let wanted = ProbePlan.checks(of: services)
        let checks = wanted.mapValues { Array($0.prefix(ProbePlan.mostChecks)) }
        unchecked = wanted.compactMapValues { all in
            all.count > ProbePlan.mostChecks ? all.dropFirst(ProbePlan.mostChecks).map(\.service) : nil
        }
        let sorted = servers.values.sorted { $0.name < $1.name }
        let targets = sorted.map { ProbeTarget($0, monitoring, keys, checks: checks[$0.name] ?? []) }
        self.targets = Array(targets.prefix(ProbePlan.mostTargets))
        unwatched = targets.dropFirst(ProbePlan.mostTargets).map(\.server)
        var lists = servers.mapValues { _ in [ProbeTarget]() }
        for (server, target) in zip(sorted, targets) {
            for vantage in ProbePlan.vantages(of: server, among: sorted, connected) {
                guard lists[vantage, default: []].count < ProbePlan.mostTargets else { continue }
                lists[vantage, default: []].append(target)
            }
        }
        targetsByServer = lists
    }

    /// The data planes that probe a server: those that are connected first, and of as many regions as there are.
    ///
    /// Of one region they are chosen by a number that depends on the two alone. So each has about as many servers to
    /// probe, and when one comes or goes, only what it probes itself changes hands.
    private static func vantages(
        of server: Server, among servers: [Server], _ connected: Set<ServerName>
    ) -> [ServerName] {
        struct Candidate {
            let name: ServerName
            let region: RegionName
            let isConnected: Bool
            let draw: UInt128
            /// How many of its region come before it.
            var place = 0
        }

        var candidates = servers.filter { $0.region != server.region }.map {
            Candidate(
                name: $0.name, region: $0.region, isConnected: connected.contains($0.name),
                draw: Digest(of: [server.name.text, $0.name.text]).bits)
        }
        guard candidates.count > mostVantages else { return candidates.map(\.name) }
        candidates.sort { ($0.isConnected ? 0 : 1, $0.draw) < ($1.isConnected ? 0 : 1, $1.draw) }
        var seen: [RegionName: Int] = [:]
        for index in candidates.indices {
            candidates[index].place = seen[candidates[index].region, default: 0]
            seen[candidates[index].region, default: 0] += 1
        }
        candidates.sort {
            ($0.isConnected ? 0 : 1, $0.place, $0.draw) < ($1.isConnected ? 0 : 1, $1.place, $1.draw)
        }
        return candidates.prefix(mostVantages).map(\.name)
    }

    private static func checks(of services: [ServiceName: Service]) -> [ServerName: [ProbeCheck]] {
        var checks: [ServerName: [ProbeCheck]] = [:]
        for service in services.values {
            guard let check = service.check else { continue }
            let made = ProbeCheck(service: service.name, host: check.host, path: check.path, usesTLS: check.usesTLS)
            for server in service.servers { checks[server, default: []].append(made) }
        }
        return checks.mapValues { all in all.sorted { $0.service < $1.service } }
    }
}

extension ProbeTarget {
    fileprivate init(_ server: Server, _ fleet: Monitoring, _ keys: ProbeKeys?, checks: [ProbeCheck]) {
        // The rules of the store keep the two together; were they apart, the fleet's settings would be better than
        // none.
        let monitoring = (try? server.monitoring.resolved(over: fleet)) ?? fleet
        self.init(
            server: server.name, hostname: server.hostname, addresses: server.addresses,
            httpPort: server.monitoring.httpPort, httpsPort: server.monitoring.httpsPort,
            interval: .seconds(monitoring.interval), timeout: .seconds(monitoring.timeout),
            key: keys?.key(of: server.name), checks: checks)
    }
}
