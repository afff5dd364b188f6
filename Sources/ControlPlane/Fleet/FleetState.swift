package import Domain

/// The whole configuration at one version, in memory: what the store holds, as domain values.
///
/// Each part that needs it keeps one of its own and brings it forward change by change, so that a change costs what it
/// touches and no copy of ten thousand services.
package struct FleetState: Sendable {
    package let incarnation: Incarnation
    package private(set) var version: SnapshotVersion
    package private(set) var customers: [CustomerName: Customer]
    package private(set) var servers: [ServerName: Server]
    package private(set) var services: [ServiceName: Service]
    package private(set) var zones: [DomainName: Zone]
    package private(set) var settings: FleetSettings
    /// Which service has each client domain.
    package private(set) var owners: [ClientDomain: ServiceName]

    package init(
        incarnation: Incarnation, version: SnapshotVersion, customers: [Customer] = [], servers: [Server] = [],
        services: [Service] = [], zones: [Zone] = [], settings: FleetSettings = FleetSettings()
    ) {
        self.incarnation = incarnation
        self.version = version
        self.customers = Dictionary(uniqueKeysWithValues: customers.map { ($0.name, $0) })
        self.servers = Dictionary(uniqueKeysWithValues: servers.map { ($0.name, $0) })
        self.zones = Dictionary(uniqueKeysWithValues: zones.map { ($0.name, $0) })
        self.settings = settings
        self.services = [:]
        owners = [:]
        for service in services { set(service, named: service.name) }
    }

    /// Brings the state forward by one change, whose version must be the next.
    package mutating func apply(_ change: Change) {
        precondition(change.version.number == version.number + 1, "changes are applied one by one, in order")
        for edit in change.edits {
            switch edit {
            case .customer(let name, _, let after): customers[name] = after
            case .server(let name, _, let after): servers[name] = after
            case .service(let name, _, let after): set(after, named: name)
            case .zone(let name, _, let after): zones[name] = after
            case .settings(_, let after): settings = after
            }
        }
        version = change.version
    }

    private mutating func set(_ service: Service?, named name: ServiceName) {
        for domain in services[name]?.carriage.clientDomains ?? [] where owners[domain] == name { owners[domain] = nil }
        services[name] = service
        for domain in service?.carriage.clientDomains ?? [] { owners[domain] = name }
    }
}

/// One step from a version to the next: everything that one transaction changed.
package struct Change: Sendable, Equatable {
    /// A resource before and after; nil where it did not or does not exist.
    package enum Edit: Sendable, Equatable {
        case customer(CustomerName, before: Customer?, after: Customer?)
        case server(ServerName, before: Server?, after: Server?)
        case service(ServiceName, before: Service?, after: Service?)
        case zone(DomainName, before: Zone?, after: Zone?)
        /// There are always some: before anybody set them, those that hold when nobody does.
        case settings(before: FleetSettings, after: FleetSettings)
    }

    package let version: SnapshotVersion
    package let edits: [Edit]

    package init(version: SnapshotVersion, edits: [Edit]) {
        self.version = version
        self.edits = edits
    }
}
