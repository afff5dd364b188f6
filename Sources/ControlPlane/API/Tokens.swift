import Access
import Changes
import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// The tokens of the API.
struct TokenRoutes: Routes {
    let tokens: AccessTokens
    let changes: Changes

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/tokens", needs: .manageTokens, .listTokens) { try await list($0) },
            Operation(.post, "/api/v1/tokens", needs: .manageTokens, .createToken) { try await create($0) },
            Operation(.delete, "/api/v1/tokens/{name}", needs: .manageTokens, .deleteToken) { try await delete($0) },
        ]
    }

    static let name = TextField("name", .slug, expected: "a name for the token, such as deploy") {
        text throws(InvalidValue) in try TokenName(text)
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "tokens")
        let page = try await tokens.records(after: paging.key, limit: paging.limit)
        let items = page.elements.map { token -> JSONValue in
            ["name": .string(token.name), "createdAt": .string(token.createdAt)]
        }
        return Paging.response("tokens", items, next: page.next)
    }

    private func create(_ request: APIRequest) async throws -> Response {
        guard let (value, _) = try await request.json(types: ["application/json"]) else {
            throw Problem(.invalidJSON, "")
        }
        guard request.headers[.idempotencyKey] == nil else {
            throw Problem(
                .invalidParameter,
                "Tokens take no Idempotency-Key, as a secret is shown once and cannot be repeated. When an answer was lost, delete "
                    + "the token and create it anew.")
        }
        let findings = Findings()
        var reader = ObjectReader(value, at: "", findings)
        let name = reader?.read(TokenRoutes.name)
        reader?.finish()
        guard findings.all.isEmpty, let name else { throw Rejection(violations: findings.all) }
        do {
            let token = try await tokens.create(name, by: request.author)
            return .json(
                ["name": .string(name.text), "token": .string(token.secret)], status: .created,
                headers: [.location: "/api/v1/tokens/\(name)"])
        } catch let rejection as Rejection {
            await enterRefusal(request, "token.create", name.text, rejection)
            throw rejection
        }
    }

    private func delete(_ request: APIRequest) async throws -> Response {
        let text = request.variable("name")
        do {
            try await tokens.delete(TokenName(checked: text), by: request.author)
            return Response(status: .noContent)
        } catch let rejection as Rejection {
            await enterRefusal(request, "token.delete", text, rejection)
            throw rejection
        }
    }

    private func enterRefusal(_ request: APIRequest, _ action: String, _ target: String, _ rejection: Rejection) async {
        await changes.enterRefusal(
            ChangeRequest(author: request.author, action: action, target: target),
            rejection.violations.map(\.sentence).joined(separator: " "))
    }
}
