public import Domain

/// The whole configuration at one version, in memory: what the store holds, as domain values.
///
/// Each part that needs it keeps one of its own and brings it forward change by change, so that a change costs what it touches and
/// no copy of ten thousand services.
public struct FleetState: Sendable {
    public let incarnation: Incarnation
    public private(set) var version: SnapshotVersion
    public private(set) var customers: [CustomerName: Customer]
    public private(set) var servers: [ServerName: Server]
    public private(set) var services: [ServiceName: Service]
    public private(set) var zones: [DomainName: Zone]
    public private(set) var settings: FleetSettings
    /// Which service has each client domain.
    public private(set) var owners: [ClientDomain: ServiceName]

    public init(
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
    public mutating func apply(_ change: Change) {
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
public struct Change: Sendable, Equatable {
    /// A resource before and after; nil where it did not or does not exist.
    public enum Edit: Sendable, Equatable {
        case customer(CustomerName, before: Customer?, after: Customer?)
        case server(ServerName, before: Server?, after: Server?)
        case service(ServiceName, before: Service?, after: Service?)
        case zone(DomainName, before: Zone?, after: Zone?)
        /// There are always some: before anybody set them, those that hold when nobody does.
        case settings(before: FleetSettings, after: FleetSettings)
    }

    public let version: SnapshotVersion
    public let edits: [Edit]

    public init(version: SnapshotVersion, edits: [Edit]) {
        self.version = version
        self.edits = edits
    }
}
