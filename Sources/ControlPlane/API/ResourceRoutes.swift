import Access
import Changes
import Crypto
import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// Resources as the API takes and shows them, for each kind alike.
struct Resources: Sendable {
    let store: Store
    let changes: Changes
    let shown: Representations

    // MARK: Reading

    func show(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let name = kind.target(of: request)
        guard let record = try await store.record(kind, name) else { throw Problem(.noSuch(kind, name)) }
        let headers: HTTPFields = [.eTag: Conditions.tag(record.revision)]
        // A server's representation also says how it is, which no revision counts: its reader always gets the newest.
        if kind != .server, try Conditions.isKnown(request, record.revision) {
            return Response(status: .notModified, headers: headers)
        }
        return .json(.object(await shown.representation(record)), headers: headers)
    }

    func list(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: kind.plural)
        return await page(kind, try await store.records(kind, after: paging.key, limit: paging.limit))
    }

    func page(_ kind: ResourceKind, _ page: Page<Record, String>) async -> Response {
        Paging.response(kind.plural, await shown.representations(page.elements), next: page.next)
    }

    // MARK: Changing

    func create(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let order = try Changes.Order(request)
        guard let (document, octets) = try await request.json(types: ["application/json"]) else {
            throw Problem(.invalidJSON, "")
        }
        let outcome = try await changes.create(
            kind, document, order, repetition: try Repetition(of: request, octets))
        return try await answer(outcome, created: "/api/v1/\(kind.plural)")
    }

    /// A merge patch (RFC 7396).
    func update(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let order = try Changes.Order(request)
        let types = ["application/merge-patch+json", "application/json"]
        guard let (patch, _) = try await request.json(types: types) else { throw Problem(.invalidJSON, "") }
        return try await answer(
            await changes.update(kind, kind.target(of: request), by: patch, order) {
                try Conditions.check(request, $0)
            })
    }

    func delete(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let order = try Changes.Order(request)
        return try await answer(
            await changes.delete(kind, kind.target(of: request), order) { try Conditions.check(request, $0) })
    }

    /// The answer to a change of one resource.
    private func answer(_ outcome: Changes.Outcome, created: String? = nil) async throws -> Response {
        switch outcome {
        case .wouldChange(let edits): return .wouldChange(edits)
        case .inForce(let effect):
            var headers: HTTPFields = [.ddirectVersion: effect.version.description]
            var body: JSONObject
            switch effect.target {
            case .now(let record): body = await shown.representation(record)
            case .answeredBefore(let text):
                headers[.idempotencyReplayed] = "true"
                body = try JSONValue(stored: text).object ?? JSONObject()
            }
            if case .integer(let revision)? = body["revision"] {
                headers[.eTag] = Conditions.tag(SnapshotVersion(UInt64(revision)))
            }
            if let created, case .string(let name)? = body["name"] { headers[.location] = "\(created)/\(name)" }
            if let reach = effect.reach { body["applied"] = reach.representation }
            guard !body.keys.isEmpty else { return Response(status: .noContent, headers: headers) }
            return .json(.object(body), status: created == nil ? .ok : .created, headers: headers)
        }
    }
}

/// The operations of a kind of resource that is a collection.
struct ResourceRoutes: Routes {
    let kind: ResourceKind
    let change: Right
    let resources: Resources

    var operations: [Operation] {
        let descriptions = ResourceDescriptions(kind: kind)
        return [
            Operation(.get, "/api/v1/\(kind.plural)", needs: .readFleet, descriptions.list) {
                try await resources.list(kind, $0)
            }
        ] + others
    }

    /// All but the list, which some kinds answer by themselves.
    var others: [Operation] {
        let (collection, one) = ("/api/v1/\(kind.plural)", "/api/v1/\(kind.plural)/{name}")
        let descriptions = ResourceDescriptions(kind: kind)
        return [
            Operation(.post, collection, needs: change, descriptions.create) { try await resources.create(kind, $0) },
            Operation(.get, one, needs: .readFleet, descriptions.show) { try await resources.show(kind, $0) },
            Operation(.patch, one, needs: change, descriptions.update) { try await resources.update(kind, $0) },
            Operation(.delete, one, needs: change, descriptions.delete) { try await resources.delete(kind, $0) },
        ]
    }
}

extension ResourceKind {
    /// The name of the resource that the request's path means.
    func target(of request: APIRequest) -> String {
        self == .settings ? FleetSettings.name : identifier(request.variable("name"))
    }
}

/// What a change may be asked for besides itself, in the query.
enum ChangeParameters {
    /// For how long servers are waited for, in seconds.
    static let timeouts = 0.1...60
    static let usualTimeout = 10
}

extension Changes.Order {
    /// What the request's query wants besides the change.
    init(_ request: APIRequest) throws(Problem) {
        let dryRun: Bool
        switch request.query["dry_run"] {
        case nil, "false": dryRun = false
        case "true": dryRun = true
        case .some(let text):
            throw Problem(.invalidParameter, "dry_run is '\(text.prefix(80))'; expected true or false.")
        }
        var timeout = Double(ChangeParameters.usualTimeout)
        if let text = request.query["timeout"] {
            guard let number = Double(text), ChangeParameters.timeouts.contains(number) else {
                throw Problem(.invalidParameter, "timeout is '\(text.prefix(80))'; expected seconds from 0.1 to 60.")
            }
            timeout = number
        }
        switch request.query["wait"] {
        case nil: self.init(author: request.author, dryRun: dryRun)
        case "applied": self.init(author: request.author, dryRun: dryRun, wait: .seconds(timeout))
        case .some(let text): throw Problem(.invalidParameter, "wait is '\(text.prefix(80))'; expected 'applied'.")
        }
    }
}

extension Repetition {
    /// How a creation is recognised when it is sent again; nil when its sender does not want that.
    fileprivate init?(of request: APIRequest, _ octets: [UInt8]) throws(Problem) {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(
                .invalidParameter, "The Idempotency-Key is no key; expected 1 to 255 visible ASCII characters.")
        }
        var hash = SHA256()
        hash.update(data: Array("POST \(request.path)\n".utf8))
        hash.update(data: octets)
        let fingerprint = hash.finalize().map { String($0, radix: 16) }.joined(separator: " ")
        self.init(key: key, fingerprint: fingerprint) { record in
            JSONValue.object(record.representation(of: nil)).description
        }
    }
}

extension Response {
    static func wouldChange(_ edits: [Change.Edit]) -> Response {
        .json(["dryRun": true, "changes": .array(edits.map { DocumentChange($0).representation })])
    }
}

extension Reach {
    var representation: JSONValue {
        [
            "version": version.json, "complete": .bool(isComplete),
            "servers": .array(
                servers.map { server in
                    [
                        "server": .string(server.name.text), "state": .string(server.state.rawValue),
                        "version": server.version?.json ?? .null,
                        "reasons": .array(server.reasons.map { .string($0) }),
                    ]
                }),
        ]
    }
}

extension SnapshotVersion {
    var json: JSONValue { .integer(Int(clamping: number)) }
}

extension DocumentChange {
    var representation: JSONValue {
        ["kind": .string(kind.rawValue), "name": .string(name), "before": before ?? .null, "after": after ?? .null]
    }
}
