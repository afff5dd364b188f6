import Domain
import Fleet
import Hummingbird
import JSON
import Store

extension ControlAPI {
    static let versionOperations: [Operation] = [
        Operation(.get, "/api/v1/versions", query: Operation.page) { $0.listVersions },
        Operation(.get, "/api/v1/versions/{version}") { $0.showVersion },
        Operation(.get, "/api/v1/versions/{version}/diff/{other}") { $0.compareVersions },
        Operation(.post, "/api/v1/versions/{version}/restore", query: Operation.change) { $0.restoreVersion },
    ]

    private func listVersions(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "versions")
        let key = try paging.number().map { SnapshotVersion(UInt64($0)) }
        let page = try await store.versions(before: key, limit: paging.limit)
        return Paging.response(
            "versions", page.elements.map { .object($0.representation) }, next: page.next?.description)
    }

    private func showVersion(_ request: APIRequest) async throws -> Response {
        let version = try version("version", request)
        guard let (record, changes) = try await store.versionRecord(version) else {
            throw noSuchVersion(request.variable("version"))
        }
        var body = record.representation
        body["changes"] = .array(changes.map(\.representation))
        return .json(.object(body))
    }

    private func compareVersions(_ request: APIRequest) async throws -> Response {
        let from = try version("version", request)
        let to = try version("other", request)
        guard let changes = try await store.difference(from: from, to: to) else {
            throw noSuchVersion(request.variable(from > to ? "version" : "other"))
        }
        return .json(["from": from.json, "to": to.json, "changes": .array(changes.map(\.representation))])
    }

    private func restoreVersion(_ request: APIRequest) async throws -> Response {
        let options = try ChangeOptions(request)
        let version = try version("version", request)
        var change = ChangeRequest(author: request.author, action: "version.restore", target: version.description)
        change.dryRun = options.dryRun
        change.restoredFrom = version
        let outcome = try await perform(change) { try await store.restore(version, $0) }
        var edits: [Change.Edit] = []
        let made: SnapshotVersion
        switch outcome {
        case .dryRun, .repeated: return try await answer(outcome, options)
        case .unchanged(let current, _): made = current
        case .done(let version, _, let done):
            made = version
            edits = done
        }
        var body: JSONObject = [
            "version": made.json, "restoredFrom": version.json,
            "changes": .array(edits.map { DocumentChange($0).representation }),
        ]
        if let wait = options.wait { body["applied"] = await applied(made, by: Self.servers(of: edits), timeout: wait) }
        return .json(.object(body), headers: [.ddirectVersion: made.description])
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
