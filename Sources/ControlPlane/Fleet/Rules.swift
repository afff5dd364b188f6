package import Domain

/// The rules across resources: what no value can know of itself.
///
/// Asked of the fleet as it would be, so that a change of many resources (a restored version) is judged as a whole.
package struct Rules {
    package let fleet: FleetView
    /// Prefixes that the operator excepts from those that endpoints may not use.
    package let exceptions: [Prefix]
    package let ports: EndpointPorts

    package init(fleet: FleetView, exceptions: [Prefix], ports: EndpointPorts) {
        self.fleet = fleet
        self.exceptions = exceptions
        self.ports = ports
    }

    /// Everything that is wrong with `proposal`, in the order of its parts.
    package static func violations(
        of proposal: Proposal, in catalogue: Catalogue, exceptions: [Prefix], ports: EndpointPorts = EndpointPorts()
    ) -> [Violation] {
        let rules = Rules(
            fleet: FleetView(catalogue, after: proposal.edits), exceptions: exceptions, ports: ports)
        let named = proposal.namesResources
        var violations = proposal.violations
        for draft in proposal.servers {
            violations += rules.violations(of: draft).map {
                named ? $0.under("/servers/\(draft.name?.text ?? "")") : $0
            }
        }
        for draft in proposal.services {
            violations += rules.violations(of: draft).map {
                named ? $0.under("/services/\(draft.name?.text ?? "")") : $0
            }
        }
        if let settings = proposal.settings {
            let place = "/\(ResourceKind.settings.plural)/\(FleetSettings.name)"
            violations += rules.violations(of: settings).map { named ? $0.under(place) : $0 }
        }
        for edit in proposal.edits where edit.after == nil {
            violations += rules.violations(ofDeleting: edit).map {
                named ? $0.under("/\(edit.kind.plural)/\(edit.name)") : $0
            }
        }
        return violations
    }

    // MARK: Deleting

    func violations(ofDeleting edit: Change.Edit) -> [Violation] {
        switch edit {
        case .customer(let name, _, _):
            let users = fleet.services(\.servicesByCustomer, name)
            return Rules.some(users).map {
                [.conflict("", "Customer \(name) has \($0); expected a customer without services. Delete them first.")]
            } ?? []
        case .server(let name, _, _):
            let users = fleet.services(\.servicesByServer, name)
            return Rules.some(users).map {
                [
                    .conflict(
                        "", "Server \(name) carries \($0); expected a server that no service names. Move them first.")
                ]
            } ?? []
        case .service(let name, _, _):
            return fleet.servers(\.serversByDefaultService, name).map {
                .conflict("", "Service \(name) is a default service of server \($0); expected no server to name it.")
            }
        case .zone(let name, _, _):
            return violations(ofDeletingZone: name)
        case .settings:
            // They are set anew, never deleted.
            return []
        }
    }

    /// The first few of `services` in words, or nil when there are none.
    static func some(_ services: some Sequence<ServiceName>) -> String? {
        let first = Array(services.prefix(4))
        guard !first.isEmpty else { return nil }
        let named = first.prefix(3).map(\.text).sorted().joined(separator: ", ")
        return (first.count == 1 ? "service " : "services ") + named + (first.count > 3 ? " and others" : "")
    }

    // MARK: Endpoints

    /// What is wrong with the ports of an endpoint. `present` are the targets that the service has now: those it keeps,
    /// whatever the rule says, so that no change of something else fails for a port that was allowed once.
    package func violations(ofPortsOf draft: EndpointDraft, present: [EndpointTarget] = []) -> [Violation] {
        draft.ports.compactMap { pointer, port, target in
            guard !ports.allows(port), !present.contains(target) else { return nil }
            return .invalid(
                pointer,
                "'\(port)' is a port that endpoints may not use; expected \(EndpointPorts.standard), "
                    + "or an exception by the operator (--allow-endpoint-port).")
        }
    }

    /// Whether an endpoint at `host` may be, for any service.
    package func violations(ofEndpointAt host: EndpointHost, pointer: String) -> [Violation] {
        let expected = "expected the customer's own host, outside the fleet."
        switch host {
        case .address(let address):
            let servers = fleet.servers(\.serversByAddress, address)
            let policy = EndpointPolicy(exceptions: exceptions, fleet: servers.isEmpty ? [] : [address])
            guard let refusal = policy.refusal(of: address) else { return [] }
            switch refusal {
            case .fleet:
                return [
                    .invalid(
                        pointer,
                        "'\(address)' is an address of server \(servers.first?.text ?? ""), so traffic would go round in a loop; "
                            + expected)
                ]
            case .reserved:
                return [
                    .invalid(
                        pointer,
                        "'\(address)' \(refusal); expected a public address, or an exception by the operator (--allow-endpoint)."
                    )
                ]
            }
        case .name(let name):
            if let server = fleet.servers(\.serversByHostname, name).first {
                return [
                    .invalid(
                        pointer,
                        "'\(name)' is the host name of server \(server), so traffic would go round in a loop; "
                            + expected)
                ]
            }
            for domain in ClientDomain.all(matching: name) {
                guard let owner = fleet.services(\.servicesByDomain, domain).min() else { continue }
                return [
                    .invalid(
                        pointer,
                        "'\(name)' is client domain \(domain) of service \(owner), so traffic would go round in a loop; "
                            + expected)
                ]
            }
            if let steered = fleet.services(\.servicesByBoundName, name).min() {
                return [
                    .invalid(
                        pointer,
                        "'\(name)' is a name that steers the traffic of service \(steered), so traffic would go round in a loop; "
                            + expected)
                ]
            }
            return []
        }
    }
}

extension ClientDomain {
    /// The exact domain and the wildcard that match `host`.
    static func all(matching host: DomainName) -> [ClientDomain] {
        var domains: [ClientDomain] = []
        if let exact = try? ClientDomain(host.text) { domains.append(exact) }
        // A name of two labels has no wildcard that a client domain could be: nothing is hidden by the `try?`.
        if let parent = host.parent, let wildcard = try? ClientDomain("*." + parent) { domains.append(wildcard) }
        return domains
    }
}
