import Hummingbird
import JSON
import Store

/// Who did what, and what was refused.
struct AuditRoutes: Routes {
    let store: Store

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/audit", needs: .readAudit, .listAudit) { try await list($0) }
        ]
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "audit")
        let page = try await store.auditTrail(before: try paging.number(), limit: paging.limit)
        let items = page.elements.map { entry -> JSONValue in
            [
                "id": .integer(Int(entry.id)), "at": .string(entry.at), "author": .string(entry.author),
                "action": .string(entry.action), "target": .string(entry.target),
                "version": entry.version?.json ?? .null,
                "outcome": .string(entry.done ? "done" : "refused"), "detail": .string(entry.detail),
            ]
        }
        return Paging.response("audit", items, next: page.next.map { String($0) })
    }
}
