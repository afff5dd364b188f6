package import Domain
package import Fleet
import JSON

extension DocumentChange {
    /// The net difference between two versions, `from` before `to`, by kind and name: what each resource was and what
    /// it became.
    ///
    /// Resources that came back to what they were are left out.
    static func net(from: SnapshotVersion, to: SnapshotVersion, _ connection: SQLConnection) throws -> [DocumentChange]
    {
        let rows = try connection.rows(
            """
            SELECT r.kind, r.name, f.before, l.after
            FROM (SELECT kind, name, MIN(version) AS first, MAX(version) AS last FROM changes
                  WHERE version > ? AND version <= ? GROUP BY kind, name) r
            JOIN changes f ON f.version = r.first AND f.kind = r.kind AND f.name = r.name
            JOIN changes l ON l.version = r.last AND l.kind = r.kind AND l.name = r.name
            ORDER BY r.kind, r.name
            """, [from.sql, to.sql])
        return try rows.map { try DocumentChange($0) }.filter { $0.before != $0.after }
    }

    /// A row of kind, name, before, after.
    fileprivate init(_ row: SQLRow) throws {
        guard let kind = ResourceKind(rawValue: try row.text(0)) else {
            throw StoreFailure.damaged("a change is of the kind '\(try row.text(0))'")
        }
        self.init(
            kind: kind, name: try row.text(1),
            before: row.isNull(2) ? nil : kind.completed(try JSONValue(stored: row.text(2))),
            after: row.isNull(3) ? nil : kind.completed(try JSONValue(stored: row.text(3))))
    }

    package init(_ edit: Change.Edit) {
        self.init(kind: edit.kind, name: edit.name, before: edit.before, after: edit.after)
    }

    var reversed: DocumentChange { DocumentChange(kind: kind, name: name, before: after, after: before) }
}

extension VersionRecord {
    fileprivate static let columns = "version, at, author, summary, restored_from"

    fileprivate init(_ row: SQLRow) throws {
        self.init(
            version: try SnapshotVersion(row: row, 0), at: try row.text(1), author: try row.text(2),
            summary: try row.text(3),
            restoredFrom: row.isNull(4) ? nil : try SnapshotVersion(row: row, 4))
    }
}

extension Store {
    /// Versions, newest first, from the one before `key`.
    package func versions(before key: SnapshotVersion?, limit: Int) async throws -> Page<VersionRecord, SnapshotVersion>
    {
        let versions = try await read { connection in
            try connection.rows(
                "SELECT \(VersionRecord.columns) FROM versions WHERE version < ? ORDER BY version DESC LIMIT ?",
                [key?.sql ?? .integer(Int64.max), .integer(Int64(limit + 1))]
            ).map { try VersionRecord($0) }
        }
        return Page(
            elements: Array(versions.prefix(limit)), next: versions.count > limit ? versions[limit - 1].version : nil)
    }

    package func versionRecord(_ version: SnapshotVersion) async throws -> (VersionRecord, [DocumentChange])? {
        try await read { connection in
            let rows = try connection.rows(
                "SELECT \(VersionRecord.columns) FROM versions WHERE version = ?", [version.sql])
            guard let record = try rows.first.map({ try VersionRecord($0) }) else { return nil }
            let changes = try connection.rows(
                "SELECT kind, name, before, after FROM changes WHERE version = ? ORDER BY position", [version.sql])
            return (record, try changes.map { try DocumentChange($0) })
        }
    }

    /// What leads from one version to the other, forwards or backwards; nil when there is no such version.
    package func difference(from: SnapshotVersion, to: SnapshotVersion) async throws -> [DocumentChange]? {
        let newest = version
        guard from.number >= 1, to.number >= 1, max(from, to) <= newest else { return nil }
        return try await read { connection in
            let forwards = try DocumentChange.net(from: min(from, to), to: max(from, to), connection)
            return from <= to ? forwards : forwards.map(\.reversed)
        }
    }

    /// What `version` changed.
    package func changes(of version: SnapshotVersion) async throws -> [Change.Edit] {
        try await read { connection in
            try connection.rows(
                "SELECT kind, name, before, after FROM changes WHERE version = ? ORDER BY position", [version.sql]
            )
            .map { try Change.Edit(DocumentChange($0)) }
        }
    }

    /// Makes the state of `version` the newest one, by a change that is checked against today's rules like any other.
    package func restore(_ version: SnapshotVersion, _ request: ChangeRequest) async throws -> ChangeOutcome {
        try await change(request) { base in
            guard version.number >= 1, version <= base.state.version else {
                throw ChangeRefusal.notFound("There is no version \(version); the newest is \(base.state.version).")
            }
            var edits: [Change.Edit] = []
            for difference in try base.documents(at: version) {
                edits.append(try base.state.edit(difference.kind, difference.name, to: difference.before))
            }
            var proposal = Proposal(edits)
            proposal.namesResources = true
            return proposal
        }
    }

    /// The newest changes, oldest first: what the publisher needs to send differences to servers that were away for a
    /// moment.
    package func recentChanges(limit: Int) async throws -> [Change] {
        let newest = version
        let oldest = SnapshotVersion(newest.number - min(newest.number, UInt64(max(limit, 0))))
        return try await read { connection in
            var edits: [SnapshotVersion: [Change.Edit]] = [:]
            try connection.forEachRow(
                "SELECT kind, name, before, after, version FROM changes WHERE version > ? AND version <= ? ORDER BY version, position",
                [oldest.sql, newest.sql]
            ) { row in
                edits[try SnapshotVersion(row: row, 4), default: []].append(try Change.Edit(DocumentChange(row)))
            }
            return edits.map { Change(version: $0.key, edits: $0.value) }.sorted { $0.version < $1.version }
        }
    }
}

extension FleetState {
    /// The edit that makes the resource what `document` says; nil removes it.
    fileprivate func edit(_ kind: ResourceKind, _ name: String, to document: JSONValue?) throws -> Change.Edit {
        let edit = try Change.Edit(DocumentChange(kind: kind, name: name, before: nil, after: document))
        return switch edit {
        case .customer(let name, _, let after): .customer(name, before: customers[name], after: after)
        case .server(let name, _, let after): .server(name, before: servers[name], after: after)
        case .service(let name, _, let after): .service(name, before: services[name], after: after)
        case .zone(let name, _, let after): .zone(name, before: zones[name], after: after)
        case .settings(_, let after): .settings(before: settings, after: after)
        }
    }
}

extension Change.Edit {
    /// An edit that the store wrote itself as documents.
    fileprivate init(_ change: DocumentChange) throws {
        let findings = Findings()
        do {
            switch change.kind {
            case .customer:
                self = .customer(
                    try CustomerName(change.name), before: change.before.flatMap { Customer.read($0, findings) },
                    after: change.after.flatMap { Customer.read($0, findings) })
            case .server:
                self = .server(
                    try ServerName(change.name),
                    before: change.before.flatMap { ServerDraft(reading: $0, findings).server },
                    after: change.after.flatMap { ServerDraft(reading: $0, findings).server })
            case .service:
                self = .service(
                    try ServiceName(change.name),
                    before: change.before.flatMap { ServiceDraft(reading: $0, findings).service },
                    after: change.after.flatMap { ServiceDraft(reading: $0, findings).service })
            case .zone:
                self = .zone(
                    try DomainName(change.name), before: change.before.flatMap { Zone.read($0, findings) },
                    after: change.after.flatMap { Zone.read($0, findings) })
            case .settings:
                self = .settings(
                    before: change.before.flatMap { FleetSettings.read($0, findings) } ?? FleetSettings(),
                    after: change.after.flatMap { FleetSettings.read($0, findings) } ?? FleetSettings())
            }
        } catch {
            throw StoreFailure.damaged("a change has the name '\(change.name)'")
        }
        // What was right once may not be any more, under the rules of a newer release.
        guard findings.all.isEmpty else {
            throw Rejection(violations: findings.all.map { $0.under("/\(change.kind.plural)/\(change.name)") })
        }
    }
}
