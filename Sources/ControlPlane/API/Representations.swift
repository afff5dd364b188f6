import Channel
import Domain
import Fleet
import FoundationEssentials
import Hummingbird
import JSON
import Store

extension Record {
    /// The document with what we add to it. `live` is what is shown of a server besides; nil of one that has just been
    /// created, and of other kinds.
    func representation(of live: LiveServer?) -> JSONObject {
        var body = document.object ?? JSONObject()
        if kind == .server {
            let live = live ?? LiveServer(status: ServerStatus(), currentVersion: revision, services: 0)
            for (key, value) in Record.members(of: live.status) { body[key] = value }
            body["standbyObstacle"] = live.status.standbyObstacle(at: live.currentVersion).map { .string($0) } ?? .null
            body["currentVersion"] = live.currentVersion.json
            body["services"] = .integer(live.services)
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

/// How a server is at this moment.
struct LiveServer {
    let status: ServerStatus
    let currentVersion: SnapshotVersion
    /// How many services it carries.
    let services: Int
}

/// Resources as the API shows them now.
struct Representations: Sendable {
    let store: Store
    let publisher: SnapshotPublisher

    /// A resource; empty for nil.
    func representation(_ record: Record?) async -> JSONObject {
        guard let record else { return JSONObject() }
        guard record.kind == .server else { return record.representation(of: nil) }
        let name = ServerName(checked: record.name)
        return record.representation(of: live(name, await publisher.status(of: name)))
    }

    /// Resources of one kind.
    func representations(_ records: [Record]) async -> [JSONValue] {
        guard records.first?.kind == .server else { return records.map { .object($0.representation(of: nil)) } }
        let statuses = await publisher.statuses()
        return records.map { record in
            let name = ServerName(checked: record.name)
            return .object(record.representation(of: live(name, statuses[name] ?? ServerStatus())))
        }
    }

    private func live(_ name: ServerName, _ status: ServerStatus) -> LiveServer {
        LiveServer(status: status, currentVersion: store.version, services: store.serviceCount(of: name))
    }
}
