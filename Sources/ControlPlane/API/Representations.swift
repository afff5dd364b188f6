import Channel
import Domain
import Fleet
import FoundationEssentials
import Hummingbird
import JSON
import Store

extension Record {
    /// The document with what we add to it. `status` and what follows are shown for servers only.
    func representation(status: ServerStatus, currentVersion: SnapshotVersion, services: Int) -> JSONObject {
        var body = document.object ?? JSONObject()
        if kind == .server {
            for (key, value) in Record.members(of: status) { body[key] = value }
            body["standbyObstacle"] = status.standbyObstacle(at: currentVersion).map { .string($0) } ?? .null
            body["currentVersion"] = currentVersion.json
            body["services"] = .integer(services)
        }
        body["revision"] = revision.json
        body["createdAt"] = createdAt.map { .string($0) } ?? .null
        body["updatedAt"] = updatedAt.map { .string($0) } ?? .null
        return body
    }

    private static func members(of status: ServerStatus) -> [(String, JSONValue)] {
        [
            ("connected", .bool(status.connected)),
            (
                "connectedSince",
                status.connectedSince.map { .string(Timestamp.text(Date(timeIntervalSince1970: $0))) } ?? .null
            ),
            ("appliedVersion", status.appliedVersion?.json ?? .null),
            (
                "refusal",
                status.refusal.map {
                    ["version": $0.version.json, "reasons": .array($0.reasons.map { .string($0) })]
                } ?? .null
            ),
            ("sessionAddress", status.sessionAddress.map { .string($0) } ?? .null),
            (
                "certificateExpiresAt",
                status.certificateExpires.map { .string(Timestamp.text(Date(timeIntervalSince1970: $0))) } ?? .null
            ),
            ("uptimeSeconds", .integer(Int(clamping: status.uptime))),
            ("loadPercent", .integer(Int(status.loadPercent))),
            (
                "connectFailures",
                .object(
                    status.connectFailures.sorted { $0.key < $1.key }.reduce(into: JSONObject()) {
                        $0[$1.key] = .integer(Int(clamping: $1.value))
                    })
            ),
            ("softwareVersion", status.softwareVersion.map { .string($0) } ?? .null),
            ("draining", .bool(status.draining)),
            ("connectionsOpen", .integer(Int(clamping: status.connectionsOpen))),
            ("connectionsTotal", .integer(Int(clamping: status.connectionsTotal))),
        ]
    }
}

extension ControlAPI {
    /// A resource as the API shows it now; empty for nil.
    func representation(_ record: Record?) async -> JSONObject {
        guard let record else { return JSONObject() }
        guard record.kind == .server else {
            return record.representation(status: ServerStatus(), currentVersion: record.revision, services: 0)
        }
        let name = ServerName(checked: record.name)
        return record.representation(
            status: await publisher.status(of: name), currentVersion: store.version,
            services: store.serviceCount(of: name))
    }

    /// The answer to reading one resource.
    func show(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let name = kind.target(of: request)
        guard let record = try await store.record(kind, name) else { throw Problem.noSuch(kind, name) }
        let headers: HTTPFields = [.eTag: Conditions.tag(record.revision)]
        // A server's representation also says how it is, which no revision counts: its reader always gets the newest.
        if kind != .server, try Conditions.isKnown(request, record.revision) {
            return Response(status: .notModified, headers: headers)
        }
        return .json(.object(await representation(record)), headers: headers)
    }
}

extension ResourceKind {
    /// The name of the resource that the request's path means.
    func target(of request: APIRequest) -> String {
        self == .settings ? FleetSettings.name : identifier(request.variable("name"))
    }
}

extension Problem {
    static func noSuch(_ kind: ResourceKind, _ name: String) -> Problem {
        Problem(
            .notFound,
            "There is no \(kind.rawValue) '\(name.prefix(80))'; GET /api/v1/\(kind.plural) lists those that there are.")
    }
}
