import Changes
import Domain
import Hummingbird
import JSON
import Store

/// Every version of the configuration there was.
struct VersionRoutes: Routes {
    let store: Store
    let changes: Changes

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/versions", needs: .readFleet, .listVersions) { try await list($0) },
            Operation(.get, "/api/v1/versions/{version}", needs: .readFleet, .showVersion) { try await show($0) },
            Operation(.get, "/api/v1/versions/{version}/diff/{other}", needs: .readFleet, .compareVersions) {
                try await compare($0)
            },
            Operation(.post, "/api/v1/versions/{version}/restore", needs: .restoreVersions, .restoreVersion) {
                try await restore($0)
            },
        ]
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "versions")
        let key = try paging.number().map { SnapshotVersion(UInt64($0)) }
        let page = try await store.versions(before: key, limit: paging.limit)
        return Paging.response(
            "versions", page.elements.map { .object($0.representation) }, next: page.next?.description)
    }

    private func show(_ request: APIRequest) async throws -> Response {
        let version = try version("version", request)
        guard let (record, changes) = try await store.versionRecord(version) else {
            throw noSuchVersion(request.variable("version"))
        }
        var body = record.representation
        body["changes"] = .array(changes.map(\.representation))
        return .json(.object(body))
    }

    private func compare(_ request: APIRequest) async throws -> Response {
        let from = try version("version", request)
        let to = try version("other", request)
        guard let changes = try await store.difference(from: from, to: to) else {
            throw noSuchVersion(request.variable(from > to ? "version" : "other"))
        }
        return .json(["from": from.json, "to": to.json, "changes": .array(changes.map(\.representation))])
    }

    private func restore(_ request: APIRequest) async throws -> Response {
        let order = try Changes.Order(request)
        let version = try version("version", request)
        switch try await changes.restore(version, order) {
        case .wouldChange(let edits): return .wouldChange(edits)
        case .inForce(let effect):
            var body: JSONObject = [
                "version": effect.version.json, "restoredFrom": version.json,
                "changes": .array(effect.edits.map { DocumentChange($0).representation }),
            ]
            if let reach = effect.reach { body["applied"] = reach.representation }
            return .json(.object(body), headers: [.ddirectVersion: effect.version.description])
        }
    }

    /// A version in the path. What is no number is as absent as a number that is not reached yet.
    private func version(_ variable: String, _ request: APIRequest) throws(Problem) -> SnapshotVersion {
        let text = request.variable(variable)
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int64(text)
        else {
            throw noSuchVersion(text)
        }
        return SnapshotVersion(UInt64(number))
    }

    private func noSuchVersion(_ text: String) -> Problem {
        Problem(.notFound, "There is no version '\(text.prefix(80))'; expected a number from 1 to \(store.version).")
    }
}

extension VersionRecord {
    fileprivate var representation: JSONObject {
        [
            "version": version.json, "at": .string(at), "author": .string(author), "summary": .string(summary),
            "restoredFrom": restoredFrom?.json ?? .null,
        ]
    }
}
