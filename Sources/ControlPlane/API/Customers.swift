import Domain
import Fleet
import Hummingbird
import JSON
import Store

extension ControlAPI {
    static let customerOperations: [Operation] = [
        Operation(.get, "/api/v1/customers", query: Operation.page) { $0.listCustomers },
        Operation(.post, "/api/v1/customers", query: Operation.change) { api in
            { try await api.create(.customer, $0, proposeCustomer) }
        },
        Operation(.get, "/api/v1/customers/{name}") { api in { try await api.show(.customer, $0) } },
        Operation(.patch, "/api/v1/customers/{name}", query: Operation.change) { api in
            { try await api.update(.customer, $0, proposeCustomer) }
        },
        Operation(.delete, "/api/v1/customers/{name}", query: Operation.change) { api in
            { try await api.delete(.customer, $0) }
        },
    ]

    private func listCustomers(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "customers")
        let page = try await store.records(.customer, after: paging.key, limit: paging.limit)
        var items: [JSONValue] = []
        for record in page.elements { items.append(.object(await representation(record))) }
        return Paging.response("customers", items, next: page.next)
    }

    @Sendable private static func proposeCustomer(_ document: JSONValue, _ base: ChangeBase) -> Proposal {
        let findings = Findings()
        let customer = Customer.read(document, findings)
        var proposal = Proposal()
        if let customer {
            proposal = Proposal([.customer(customer.name, before: base.state.customers[customer.name], after: customer)]
            )
        }
        proposal.violations = findings.all
        return proposal
    }
}
