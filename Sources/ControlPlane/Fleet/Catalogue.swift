import Domain

/// The state of the fleet, and who refers to whom in it: all that the rules ask.
package struct Catalogue: Sendable {
    package private(set) var state: FleetState
    package private(set) var references = References()

    package init(_ state: FleetState) {
        self.state = state
        for service in state.services.values { references.add(service) }
        for server in state.servers.values { references.add(server) }
    }

    package mutating func apply(_ change: Change) {
        for edit in change.edits {
            switch edit {
            case .customer, .zone, .settings: break
            case .server(_, let before, let after):
                if let before { references.remove(before) }
                if let after { references.add(after) }
            case .service(_, let before, let after):
                if let before { references.remove(before) }
                if let after { references.add(after) }
            }
        }
        state.apply(change)
    }
}

/// What somebody wants to change, read as far as it can be.
package struct Proposal {
    /// Complete edits only; a draft that could not be read in full has none.
    package var edits: [Change.Edit] = []
    package var services: [ServiceDraft] = []
    package var servers: [ServerDraft] = []
    var settings: FleetSettings?
    /// What was wrong already before anything was compared with the fleet.
    package var violations: [Violation] = []
    /// Whether what is wrong is told with the resource's kind and name in front, as the request itself names none.
    package var namesResources = false

    package init() {}

    package init(_ edits: [Change.Edit]) {
        self.edits = edits
        for edit in edits {
            switch edit {
            case .server(_, _, let after?): servers.append(ServerDraft(after))
            case .service(_, _, let after?): services.append(ServiceDraft(after))
            case .settings(_, let after): settings = after
            default: break
            }
        }
    }
}

/// The fleet as it would be after a proposal, without making a copy of it.
package struct FleetView {
    private let catalogue: Catalogue
    private let proposed: References
    private var customers: [CustomerName: Customer?] = [:]
    private var servers: [ServerName: Server?] = [:]
    private var services: [ServiceName: Service?] = [:]
    private var zones: [DomainName: Zone?] = [:]
    /// What would hold for the whole fleet.
    private(set) var settings: FleetSettings

    package init(_ catalogue: Catalogue, after edits: [Change.Edit]) {
        self.catalogue = catalogue
        settings = catalogue.state.settings
        var proposed = References()
        for edit in edits {
            switch edit {
            case .customer(let name, _, let after): customers.updateValue(after, forKey: name)
            case .server(let name, _, let after):
                servers.updateValue(after, forKey: name)
                if let after { proposed.add(after) }
            case .service(let name, _, let after):
                services.updateValue(after, forKey: name)
                if let after { proposed.add(after) }
            case .zone(let name, _, let after): zones.updateValue(after, forKey: name)
            case .settings(_, let after): settings = after
            }
        }
        self.proposed = proposed
    }

    func has(_ name: CustomerName) -> Bool { (customers[name] ?? catalogue.state.customers[name]) != nil }
    func server(_ name: ServerName) -> Server? { servers[name] ?? catalogue.state.servers[name] }
    func service(_ name: ServiceName) -> Service? { services[name] ?? catalogue.state.services[name] }

    /// The service as it is before the proposal.
    func present(_ name: ServiceName) -> Service? { catalogue.state.services[name] }

    func zone(_ name: DomainName) -> Zone? { zones[name] ?? catalogue.state.zones[name] }

    /// The servers that the proposal leaves as they are.
    var untouchedServers: some Sequence<Server> {
        let edited = servers
        return catalogue.state.servers.values.lazy.filter { edited[$0.name] == nil }
    }

    /// The services that refer to `key`, but for `excluded`; in no order, and only as many as are taken.
    func services<Key>(
        _ index: KeyPath<References, References.Index<Key, ServiceName>>, _ key: Key,
        except excluded: ServiceName? = nil
    ) -> some Sequence<ServiceName> {
        let edited = services
        let unedited = catalogue.references[keyPath: index][key].lazy.filter { edited[$0] == nil && $0 != excluded }
        let changed = proposed[keyPath: index][key].lazy.filter { $0 != excluded }
        return [AnySequence(unedited), AnySequence(changed)].joined()
    }

    /// The servers that refer to `key`, but for `excluded`.
    func servers<Key>(
        _ index: KeyPath<References, References.Index<Key, ServerName>>, _ key: Key, except excluded: ServerName? = nil
    ) -> [ServerName] {
        let unedited = catalogue.references[keyPath: index][key].filter { servers[$0] == nil }
        return unedited.union(proposed[keyPath: index][key]).filter { $0 != excluded }.sorted()
    }
}
