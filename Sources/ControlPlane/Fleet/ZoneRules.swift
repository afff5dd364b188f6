import Domain

extension Rules {
    /// Whether a binding of `draft` may be.
    func violations(of binding: BindingDraft, in draft: ServiceDraft) -> [Violation] {
        var violations: [Violation] = []
        if let zone = binding.zone, fleet.zone(zone) == nil {
            violations.append(
                .invalid("\(binding.pointer)/zone", "'\(zone)' is no zone; expected the apex of one that exists."))
        }
        guard let name = binding.name else { return violations }
        let pointer = "\(binding.pointer)/name"
        if let other = fleet.services(\.servicesByBoundName, name, except: draft.name).min() {
            violations.append(
                .conflict(
                    pointer, "'\(name)' steers the traffic of service \(other); expected a name of this service alone.")
            )
        }
        if let server = fleet.servers(\.serversByHostname, name).first {
            violations.append(
                .conflict(
                    pointer,
                    "'\(name)' is the host name of server \(server), which always leads to that server; expected another name."
                ))
        }
        if let looping = fleet.services(\.servicesByEndpoint, .name(name), except: draft.name).min() {
            violations.append(
                .conflict(
                    pointer,
                    "'\(name)' is where service \(looping) has its endpoint, so its traffic would go round in a loop; "
                        + "expected a name that is no endpoint."))
        }
        return violations
    }

    func violations(ofDeletingZone name: DomainName) -> [Violation] {
        let users = fleet.services(\.servicesByZone, name)
        return Rules.some(users).map {
            [
                .conflict(
                    "",
                    "Zone \(name) has names that steer \($0); expected a zone that no service names. Unbind them first."
                )
            ]
        } ?? []
    }
}
