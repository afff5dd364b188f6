import Domain
import Fleet
import Hummingbird
import JSON
import Store

extension ControlAPI {
    static let zoneOperations: [Operation] = [
        Operation(.get, "/api/v1/zones", query: Operation.page) { $0.listZones },
        Operation(.post, "/api/v1/zones", query: Operation.change) { api in
            { try await api.create(.zone, $0, proposeZone) }
        },
        Operation(.get, "/api/v1/zones/{name}") { api in { try await api.show(.zone, $0) } },
        Operation(.patch, "/api/v1/zones/{name}", query: Operation.change) { api in
            { try await api.update(.zone, $0, proposeZone) }
        },
        Operation(.delete, "/api/v1/zones/{name}", query: Operation.change) { api in
            { try await api.delete(.zone, $0) }
        },
    ]

    private func listZones(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "zones")
        let page = try await store.records(.zone, after: paging.key, limit: paging.limit)
        var items: [JSONValue] = []
        for record in page.elements { items.append(.object(await representation(record))) }
        return Paging.response("zones", items, next: page.next)
    }

    @Sendable private static func proposeZone(_ document: JSONValue, _ base: ChangeBase) -> Proposal {
        let findings = Findings()
        var proposal = Proposal()
        if let zone = Zone.read(document, findings) {
            proposal = Proposal([.zone(zone.name, before: base.state.zones[zone.name], after: zone)])
        }
        proposal.violations = findings.all
        return proposal
    }
}
