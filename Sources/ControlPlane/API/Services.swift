import Domain
import Fleet
import Hummingbird
import JSON
import Store

extension ControlAPI {
    static let serviceOperations: [Operation] = [
        Operation(.get, "/api/v1/services", query: Operation.page.union(["customer", "server"])) { $0.listServices },
        Operation(.post, "/api/v1/services", query: Operation.change) { api in
            { try await api.create(.service, $0, proposeService) }
        },
        Operation(.get, "/api/v1/services/{name}") { api in { try await api.show(.service, $0) } },
        Operation(.patch, "/api/v1/services/{name}", query: Operation.change) { api in
            { try await api.update(.service, $0, proposeService) }
        },
        Operation(.delete, "/api/v1/services/{name}", query: Operation.change) { api in
            { try await api.delete(.service, $0) }
        },
        Operation(.post, "/api/v1/services/{name}/endpoint-check") { $0.checkEndpoint },
    ]

    private func listServices(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "services")
        let customer = try filter("customer", request) { text throws(InvalidValue) in try CustomerName(text) }
        let server = try filter("server", request) { text throws(InvalidValue) in try ServerName(text) }
        let page = try await store.services(customer: customer, server: server, after: paging.key, limit: paging.limit)
        var items: [JSONValue] = []
        for record in page.elements { items.append(.object(await representation(record))) }
        return Paging.response("services", items, next: page.next)
    }

    /// What a query parameter says, if it is there.
    func filter<Value>(
        _ parameter: String, _ request: APIRequest, _ make: (String) throws(InvalidValue) -> Value
    ) throws(Problem) -> Value? {
        guard let text = request.query[parameter] else { return nil }
        do {
            return try make(text)
        } catch {
            throw Problem(.invalidParameter, "\(parameter): \(error).")
        }
    }

    @Sendable private static func proposeService(_ document: JSONValue, _ base: ChangeBase) -> Proposal {
        let findings = Findings()
        let draft = ServiceDraft(reading: document, findings)
        var proposal = Proposal()
        if let service = draft.service {
            proposal.edits = [.service(service.name, before: base.state.services[service.name], after: service)]
        }
        proposal.services = [draft]
        proposal.violations = findings.all
        return proposal
    }
}
