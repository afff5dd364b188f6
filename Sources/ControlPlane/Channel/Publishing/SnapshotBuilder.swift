import Domain
import Fleet
import Probing
import Wire

/// Makes snapshots and differences of the fleet's configuration, each at the cost of what it holds or touches.
///
/// It keeps, for each server, the services that it carries and the sum of their digests; both are brought forward
/// change by change, so that what a server has now, and what it had at an earlier version, is known without looking at
/// all of it.
struct SnapshotBuilder: Sendable {
    /// What leads a server from one version to the present one.
    struct Step: Equatable {
        let difference: SnapshotDifference
        /// The digest that the server's configuration had at the difference's base.
        let digestBefore: Digest
        /// The digest that it has now.
        let digest: Digest
    }

    /// Everything that a server needs. The rules of the store keep it consistent, and the data plane checks all of it
    /// again; to check it here too would take longer than to make it.
    struct Draft: Sendable {
        let incarnation: Incarnation
        let version: SnapshotVersion
        let settings: ServerSettings
        let services: [ServiceName: CarriedService]
        let digest: Digest

        func checked() throws(Snapshot.Inconsistency) -> Snapshot {
            try Snapshot(
                incarnation: incarnation, version: version, settings: settings, services: services.mapValues(\.carriage)
            )
        }
    }

    /// A service as all servers that carry it have it, with what takes time to compute from it.
    final class CarriedService: Sendable {
        let carriage: Carriage
        let digest: Digest
        /// As it is sent, or why it cannot be.
        let encoded: Result<EncodedService, FrameError>

        init(_ service: Service) {
            carriage = service.carriage
            digest = service.carriage.digest(as: service.name)
            encoded = Result { () throws(FrameError) in try EncodedService(service.name, service.carriage) }
        }
    }

    /// The services of one server.
    private struct Load {
        var services: [ServiceName: CarriedService] = [:]
        var digest = Digest.zero

        mutating func set(_ service: CarriedService?, as name: ServiceName) {
            if let before = services[name] { digest = digest - before.digest }
            services[name] = service
            if let service { digest = digest + service.digest }
        }
    }

    private(set) var fleet: FleetState
    private let exceptions: [Prefix]
    private let probeKeys: ProbeKeys?
    private var log: ChangeLog
    private var loads: [ServerName: Load] = [:]
    /// The settings of every server and their digests; made anew when a server changes, since each names all addresses
    /// of the fleet.
    private var settings: [ServerName: (settings: ServerSettings, digest: Digest)] = [:]

    /// `recent` are the changes that led to `fleet`, the last of them to its version.
    init(
        fleet: FleetState, recent: [Change] = [], exceptions: [Prefix], probeKeys: ProbeKeys? = nil,
        log: ChangeLog = ChangeLog()
    ) {
        self.fleet = fleet
        self.exceptions = exceptions
        self.probeKeys = probeKeys
        self.log = log
        for change in recent where change.version <= fleet.version { self.log.append(change) }
        for service in fleet.services.values {
            let carried = CarriedService(service)
            for server in service.servers { loads[server, default: Load()].set(carried, as: service.name) }
        }
        makeSettings()
    }

    var version: SnapshotVersion { fleet.version }

    func knows(_ server: ServerName) -> Bool { settings[server] != nil }

    /// The digest of what a server should have now, or nil when there is no such server.
    func digest(of server: ServerName) -> Digest? {
        settings[server].map { $0.digest + (loads[server]?.digest ?? .zero) }
    }

    /// Brings everything forward by one change, whose version must be the next.
    mutating func apply(_ change: Change) {
        fleet.apply(change)
        log.append(change)
        var serversChanged = false
        for edit in change.edits {
            switch edit {
            // What the control plane alone needs to know is in no snapshot; the version moves all the same.
            case .customer, .zone, .settings: break
            case .server: serversChanged = true
            case .service(let name, let before, let after):
                for server in before?.servers ?? [] where after?.servers.contains(server) != true {
                    loads[server]?.set(nil, as: name)
                }
                guard let after else { continue }
                let carried = CarriedService(after)
                for server in after.servers { loads[server, default: Load()].set(carried, as: name) }
            }
        }
        if serversChanged { makeSettings() }
    }

    /// All that a server needs, or nil when there is no such server.
    func draft(of server: ServerName) -> Draft? {
        guard let (settings, digest) = settings[server] else { return nil }
        let load = loads[server] ?? Load()
        return Draft(
            incarnation: fleet.incarnation, version: version, settings: settings, services: load.services,
            digest: digest + load.digest)
    }

    /// What leads a server from `base` to the present version, or nil when that can no longer be told. With `settings`
    /// even when they have not changed: what is no part of their digest, such as the probe key, may be new to the
    /// server.
    func step(of server: ServerName, from base: SnapshotVersion, withSettings: Bool = false) -> Step? {
        guard let changes = log.changes(from: base, to: version), let (now, settingsDigest) = settings[server],
            let digest = digest(of: server)
        else { return nil }
        let earlier = EarlierState(of: changes)
        var digestBefore = digest
        var carried: [ServiceName: Carriage] = [:]
        var removed: Set<ServiceName> = []
        for (name, service) in earlier.services {
            let was = service.flatMap { $0.servers.contains(server) ? $0.carriage : nil }
            let now = loads[server]?.services[name]
            guard was != now?.carriage else { continue }
            if let was { digestBefore = digestBefore + was.digest(as: name) }
            if let now {
                digestBefore = digestBefore - now.digest
                carried[name] = now.carriage
            } else {
                removed.insert(name)
            }
        }
        var newSettings = withSettings ? now : nil
        if !earlier.servers.isEmpty {
            let servers = fleet.servers.merging(earlier.servers.compactMapValues { $0 }) { $1 }
                .filter { earlier.servers[$0.key] != .some(nil) }
            guard let before = servers[server] else { return nil }
            let settingsBefore = settings(of: before, policy(of: servers))
            if settingsBefore != now {
                newSettings = now
                digestBefore = digestBefore - settingsDigest + settingsBefore.digest
            }
        }
        let difference = SnapshotDifference(
            base: base, version: version, settings: newSettings, carried: carried, removed: removed)
        return Step(difference: difference, digestBefore: digestBefore, digest: digest)
    }

    private mutating func makeSettings() {
        let policy = policy(of: fleet.servers)
        let addresses = policy.fleet.sorted()
        settings = fleet.servers.mapValues { server in
            let settings = self.settings(of: server, policy)
            return (settings, settings.digest(fleet: addresses))
        }
        loads = loads.filter { settings[$0.key] != nil || !$0.value.services.isEmpty }
    }

    private func settings(of server: Server, _ policy: EndpointPolicy) -> ServerSettings {
        ServerSettings(server: server, policy: policy, probeKey: probeKeys?.key(of: server.name))
    }

    private func policy(of servers: [ServerName: Server]) -> EndpointPolicy {
        EndpointPolicy(exceptions: exceptions, fleet: Set(servers.values.flatMap(\.addresses)))
    }
}

/// What the resources that some changes touched were before the first of them; nil where one did not exist.
private struct EarlierState {
    private(set) var services: [ServiceName: Service?] = [:]
    private(set) var servers: [ServerName: Server?] = [:]

    init(of changes: ArraySlice<Change>) {
        for change in changes {
            for edit in change.edits {
                switch edit {
                case .customer, .zone, .settings: break
                case .service(let name, let before, _):
                    if services.index(forKey: name) == nil { services.updateValue(before, forKey: name) }
                case .server(let name, let before, _):
                    if servers.index(forKey: name) == nil { servers.updateValue(before, forKey: name) }
                }
            }
        }
    }
}
