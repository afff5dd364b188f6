import Domain
package import Fleet
package import Store

/// The rules that failovers add to changes of the configuration.
package struct PlacementRules: ChangeParticipant {

    package init() {}

    /// The edits that would take a service from a server to which its records lead, or are about to.
    package func violations(of proposal: Proposal, _ connection: SQLConnection) throws -> [Violation] {
        var violations: [Violation] = []
        for case .service(let name, _, let after?) in proposal.edits {
            guard
                let (server, failover) = try PlacementRules.leading(name, connection).first(where: {
                    !after.servers.contains($0.0)
                })
            else { continue }
            let violation = Violation.conflict(
                "/standbys",
                "Devices are led to server \(server) since failover \(failover); expected it among the primary and "
                    + "the standbys until `ddirect failback` has taken the service back."
            )
            violations.append(proposal.namesResources ? violation.under("/services/\(name)") : violation)
        }
        return violations
    }

    /// A service that is gone is nowhere; one of the same name that comes later begins at its primary.
    package func follow(_ change: Change, _ request: ChangeRequest, at: String, _ connection: SQLConnection) throws {
        for service in change.removedServices {
            try connection.execute("DELETE FROM placements WHERE service = ?", [.text(service.text)])
            try connection.execute("DELETE FROM decisions WHERE service = ?", [.text(service.text)])
        }
    }

    /// The servers to which failovers lead a service, or are leading it.
    private static func leading(
        _ service: ServiceName, _ connection: SQLConnection
    ) throws -> [(server: ServerName, failover: FailoverID)] {
        var servers: [(server: ServerName, failover: FailoverID)] = []
        let placements = try connection.rows(
            "SELECT server, failover FROM placements WHERE service = ?", [.text(service.text)])
        for row in placements {
            servers.append((ServerName(checked: try row.text(0)), FailoverID(number: try row.integer(1))))
        }
        let decisions = try connection.rows("SELECT failover FROM decisions WHERE service = ?", [.text(service.text)])
        for row in decisions {
            let id = FailoverID(number: try row.integer(0))
            for move in try Failover.find(id, connection)?.moves ?? [] where move.service == service {
                servers.append((move.to, id))
            }
        }
        return servers
    }
}
