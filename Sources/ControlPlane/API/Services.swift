import Changes
import Domain
import Fleet
import Hummingbird
import Store

/// Services, and checks of their endpoints.
struct ServiceRoutes: Routes {
    let resources: Resources
    let checks: EndpointChecks
    let store: Store

    var operations: [Operation] {
        [
            Operation(
                .get, "/api/v1/services", needs: .readFleet, ResourceDescriptions(kind: .service).list
            ) { try await list($0) }
        ] + ResourceRoutes(kind: .service, change: .changeServices, resources: resources).others + [
            Operation(.post, "/api/v1/services/{name}/endpoint-check", needs: .checkEndpoints, .checkEndpoint) {
                try await checks.check($0)
            }
        ]
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "services")
        let customer = try request.filter("customer") { text throws(InvalidValue) in try CustomerName(text) }
        let server = try request.filter("server") { text throws(InvalidValue) in try ServerName(text) }
        let page = try await store.services(customer: customer, server: server, after: paging.key, limit: paging.limit)
        return await resources.page(.service, page)
    }
}
