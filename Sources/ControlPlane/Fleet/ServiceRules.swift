import Domain

extension Rules {
    func violations(of draft: ServiceDraft) -> [Violation] {
        var violations: [Violation] = []
        if let customer = draft.customer, !fleet.has(customer) {
            violations.append(
                .invalid("/customer", "'\(customer)' is no customer; expected the name of one that exists."))
        }
        violations += domainViolations(draft)
        for binding in draft.bindings { violations += self.violations(of: binding, in: draft) }
        for (pointer, host) in draft.endpoint.hosts where !isOwn(host, draft) {
            violations += self.violations(ofEndpointAt: host, pointer: pointer)
        }
        violations += self.violations(
            ofPortsOf: draft.endpoint,
            present: draft.name.flatMap { fleet.present($0) }?.carriage.endpoint.targets ?? [])
        if let primary = draft.primary, fleet.server(primary) == nil {
            violations.append(.invalid("/primary", "'\(primary)' is no server; expected the name of one that exists."))
        }
        for (index, standby) in draft.standbys.enumerated() {
            guard let standby, fleet.server(standby) == nil else { continue }
            violations.append(
                .invalid("/standbys/\(index)", "'\(standby)' is no server; expected the name of one that exists."))
        }
        if let name = draft.name, draft.service != nil {
            for server in fleet.servers(\.serversByDefaultService, name) where !draft.servers.contains(server) {
                violations.append(
                    .conflict(
                        "/primary",
                        "Server \(server) has this service as a default service; expected it among the primary and the standbys."
                    ))
            }
        }
        return violations
    }

    /// Whether `host` is one of the service's own client domains or bound names, which reading the document has found
    /// already.
    private func isOwn(_ host: EndpointHost, _ draft: ServiceDraft) -> Bool {
        guard case .name(let name) = host else { return false }
        return draft.clientDomains.contains { $0?.matches(name) == true } || draft.bindings.contains { $0.name == name }
    }

    private func domainViolations(_ draft: ServiceDraft) -> [Violation] {
        var violations: [Violation] = []
        for (index, domain) in draft.clientDomains.enumerated() {
            guard let domain else { continue }
            let pointer = "/clientDomains/\(index)"
            if let owner = fleet.services(\.servicesByDomain, domain, except: draft.name).min() {
                violations.append(
                    .conflict(
                        pointer,
                        "'\(domain)' belongs to service \(owner); expected a client domain that no other service has."))
            }
            if !domain.isWildcard, let server = fleet.servers(\.serversByHostname, domain.name).first {
                violations.append(
                    .conflict(
                        pointer,
                        "'\(domain)' is the host name of server \(server), where its monitor endpoint answers; expected another name."
                    ))
            }
            let looping =
                domain.isWildcard
                ? fleet.services(\.servicesByEndpointParent, domain.name.text, except: draft.name).min()
                : fleet.services(\.servicesByEndpoint, .name(domain.name), except: draft.name).min()
            if let looping {
                violations.append(
                    .conflict(
                        pointer,
                        "'\(domain)' is where service \(looping) has its endpoint, so its traffic would go round in a loop; "
                            + "expected a name that is no endpoint."))
            }
        }
        return violations
    }
}
