package import Domain

/// Who refers to whom, so that a rule across resources costs a look-up and not a walk over a hundred thousand services.
package struct References: Sendable {
    /// Keys, and the names that have each.
    package struct Index<Key: Hashable & Sendable, Name: Hashable & Sendable>: Sendable {
        private var names: [Key: Set<Name>] = [:]

        package subscript(key: Key) -> Set<Name> { names[key] ?? [] }

        mutating func insert(_ name: Name, for key: Key) {
            names[key, default: []].insert(name)
        }

        mutating func remove(_ name: Name, for key: Key) {
            names[key]?.remove(name)
            if names[key]?.isEmpty == true { names[key] = nil }
        }
    }

    private(set) var servicesByCustomer = Index<CustomerName, ServiceName>()
    package private(set) var servicesByServer = Index<ServerName, ServiceName>()
    private(set) var servicesByDomain = Index<ClientDomain, ServiceName>()
    private(set) var servicesByEndpoint = Index<EndpointHost, ServiceName>()
    /// Endpoints that are names, by what follows their first label: those that a wildcard client domain would match.
    private(set) var servicesByEndpointParent = Index<String, ServiceName>()
    private(set) var servicesByZone = Index<DomainName, ServiceName>()
    /// By the names that steer their traffic.
    private(set) var servicesByBoundName = Index<DomainName, ServiceName>()
    private(set) var serversByHostname = Index<DomainName, ServerName>()
    private(set) var serversByAddress = Index<Address, ServerName>()
    private(set) var serversByDefaultService = Index<ServiceName, ServerName>()

    mutating func add(_ service: Service) {
        let name = service.name
        servicesByCustomer.insert(name, for: service.customer)
        for server in service.servers { servicesByServer.insert(name, for: server) }
        for domain in service.carriage.clientDomains { servicesByDomain.insert(name, for: domain) }
        for target in service.carriage.endpoint.targets {
            servicesByEndpoint.insert(name, for: target.host)
            if let parent = target.host.parent { servicesByEndpointParent.insert(name, for: parent) }
        }
        for binding in service.bindings {
            servicesByZone.insert(name, for: binding.zone)
            servicesByBoundName.insert(name, for: binding.name)
        }
    }

    mutating func remove(_ service: Service) {
        let name = service.name
        servicesByCustomer.remove(name, for: service.customer)
        for server in service.servers { servicesByServer.remove(name, for: server) }
        for domain in service.carriage.clientDomains { servicesByDomain.remove(name, for: domain) }
        for target in service.carriage.endpoint.targets {
            servicesByEndpoint.remove(name, for: target.host)
            if let parent = target.host.parent { servicesByEndpointParent.remove(name, for: parent) }
        }
        for binding in service.bindings {
            servicesByZone.remove(name, for: binding.zone)
            servicesByBoundName.remove(name, for: binding.name)
        }
    }

    mutating func add(_ server: Server) {
        serversByHostname.insert(server.name, for: server.hostname)
        for address in server.addresses { serversByAddress.insert(server.name, for: address) }
        for service in server.defaultServices.values { serversByDefaultService.insert(server.name, for: service) }
    }

    mutating func remove(_ server: Server) {
        serversByHostname.remove(server.name, for: server.hostname)
        for address in server.addresses { serversByAddress.remove(server.name, for: address) }
        for service in server.defaultServices.values { serversByDefaultService.remove(server.name, for: service) }
    }
}

extension DomainName {
    /// What follows the first label.
    var parent: String? {
        text.firstIndex(of: ".").map { String(text[text.index(after: $0)...]) }
    }
}

extension EndpointHost {
    var parent: String? {
        if case .name(let name) = self { name.parent } else { nil }
    }
}
