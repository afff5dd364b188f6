import Domain

extension Rules {
    func violations(of draft: ServerDraft) -> [Violation] {
        var violations: [Violation] = []
        if let hostname = draft.hostname {
            violations += hostnameViolations(hostname, draft)
        }
        for (index, address) in draft.addresses.enumerated() {
            guard let address else { continue }
            violations += addressViolations(address, "/addresses/\(index)", draft)
        }
        if let monitoring = draft.monitoring {
            violations += self.violations(of: monitoring)
        }
        for (address, name) in draft.defaultServices {
            let pointer = "/defaultServices/\(address)"
            guard let service = fleet.service(name) else {
                violations.append(
                    .invalid(pointer, "'\(name)' is no service; expected the name of one that this server carries."))
                continue
            }
            if let server = draft.name, !service.servers.contains(server) {
                violations.append(
                    .invalid(
                        pointer,
                        "Service \(name) is not carried by this server; expected a service of which it is primary or standby."
                    ))
            }
        }
        return violations
    }

    private func hostnameViolations(_ hostname: DomainName, _ draft: ServerDraft) -> [Violation] {
        var violations: [Violation] = []
        let pointer = "/hostname"
        if let other = fleet.servers(\.serversByHostname, hostname, except: draft.name).first {
            violations.append(
                .conflict(pointer, "'\(hostname)' belongs to server \(other); expected a host name of its own."))
        }
        if let exact = ClientDomain.all(matching: hostname).first(where: { !$0.isWildcard }),
            let owner = fleet.services(\.servicesByDomain, exact).min()
        {
            violations.append(
                .conflict(
                    pointer,
                    "'\(hostname)' is a client domain of service \(owner); expected a name that devices do not call."))
        }
        if let user = fleet.services(\.servicesByEndpoint, .name(hostname)).min() {
            violations.append(
                .conflict(
                    pointer,
                    "'\(hostname)' is where service \(user) has its endpoint, so its traffic would go round in a loop; "
                        + "expected a name that is no endpoint."))
        }
        if let steered = fleet.services(\.servicesByBoundName, hostname).min() {
            violations.append(
                .conflict(
                    pointer,
                    "'\(hostname)' is a name that steers the traffic of service \(steered); "
                        + "expected a host name that always leads to this server."))
        }
        return violations
    }

    private func addressViolations(_ address: Address, _ pointer: String, _ draft: ServerDraft) -> [Violation] {
        var violations: [Violation] = []
        if let other = fleet.servers(\.serversByAddress, address, except: draft.name).first {
            violations.append(
                .conflict(pointer, "'\(address)' belongs to server \(other); expected an address of its own."))
        }
        let policy = EndpointPolicy(exceptions: exceptions, fleet: [address])
        if policy.refusal(of: address) == .fleet,
            let user = fleet.services(\.servicesByEndpoint, .address(address)).min()
        {
            violations.append(
                .conflict(
                    pointer,
                    "'\(address)' is where service \(user) has its endpoint, so its traffic would go round in a loop; "
                        + "expected an address that is no endpoint."))
        }
        return violations
    }
}
