import Domain
import Fleet
import FoundationEssentials
package import JSON
import Notices
package import Store

/// The failovers as rows of the store: each decision, how far it has come, and where services are since.
package struct FailoverJournal: Sendable {
    package let store: Store

    package init(store: Store) {
        self.store = store
    }

    /// The state that an earlier process left, for the start of this one.
    func records() async throws -> FailoverRecords {
        try await store.read { connection in
            var records = FailoverRecords()
            for row in try connection.rows("SELECT id, document FROM failovers WHERE is_over = 0 ORDER BY id") {
                records.underWay.append(try Failover(row, connection))
            }
            for row in try connection.rows("SELECT service, failover FROM decisions") {
                records.decisions[ServiceName(checked: try row.text(0))] = FailoverID(number: try row.integer(1))
            }
            records.placements = try FailoverJournal.placements(connection)
            for id in Set(records.placements.values.map(\.failover)) {
                if let failover = try Failover.find(id, connection), failover.stage.isOver {
                    records.inForce.append(failover)
                }
            }
            records.overrides = try StandingOrderRows.overrides(connection)
            records.freeze = try StandingOrderRows.freeze(connection)
            return records
        }
    }

    func placements() async throws -> [ServiceName: Placement] {
        try await store.read { try FailoverJournal.placements($0) }
    }

    private static func placements(_ connection: SQLConnection) throws -> [ServiceName: Placement] {
        var placements: [ServiceName: Placement] = [:]
        for row in try connection.rows("SELECT service, server, failover FROM placements") {
            placements[ServiceName(checked: try row.text(0))] = Placement(
                server: ServerName(checked: try row.text(1)), failover: FailoverID(number: try row.integer(2)))
        }
        return placements
    }

    /// Stores a decision, and that it is the one about its services. Throws the ``StoreFailure`` of a constraint when
    /// one of them has another.
    func begin(
        _ draft: FailoverDraft, _ entries: [TimelineEntry], _ news: FailoverNews, at: Date
    ) async throws -> Failover {
        let webhooks = store.state.settings.webhooks
        let failover = try await store.write { connection -> Failover? in
            let number = try connection.rows("SELECT COALESCE(MAX(id), 0) FROM failovers").first?.integer(0) ?? 0
            let failover = Failover(
                id: FailoverID(number: number + 1), kind: draft.kind, server: draft.server, reason: draft.reason,
                author: draft.author, at: at, returnsAt: draft.returnsAt, reverses: draft.reverses, moves: draft.moves,
                zones: draft.zones)
            try connection.execute(
                "INSERT INTO failovers (id, is_over, document) VALUES (?, 0, ?)",
                [.integer(failover.id.number), .text(JSONValue.object(failover.head).description)])
            try failover.insertParts(since: nil, connection)
            for move in draft.moves {
                guard try connection.has(.service, move.service.text) else {
                    throw StoreFailure.constraint("service \(move.service) is gone")
                }
                try connection.execute(
                    "INSERT INTO decisions (service, failover) VALUES (?, ?)",
                    [.text(move.service.text), .integer(failover.id.number)])
            }
            try TimelineEntry.insert(entries, of: failover.id, connection)
            try news.insert(of: failover, to: webhooks, at: at, connection)
            let moved = draft.moves.listed
            try AuditRecord.insert(
                ChangeRequest(
                    author: draft.author, action: "failover.\(draft.kind.rawValue)", target: draft.server.text),
                at: Timestamp.text(at), version: nil, done: true,
                detail: "failover \(failover.id), because: \(draft.reason): \(moved)", connection)
            return failover
        }
        guard let failover else { throw StoreFailure.other("the writer gave no answer") }
        return failover
    }

    /// Stores how far failovers have come.
    func save(_ changes: [FailoverChange]) async throws {
        let webhooks = store.state.settings.webhooks
        let at = store.now()
        _ = try await store.write { connection in
            for change in changes {
                let failover = change.failover
                try connection.execute(
                    "UPDATE failovers SET is_over = ?, document = ? WHERE id = ?",
                    [
                        .integer(failover.stage.isOver ? 1 : 0), .text(JSONValue.object(failover.head).description),
                        .integer(failover.id.number),
                    ])
                try failover.insertParts(since: change.before, connection)
                for step in change.steps { try step.insert(of: failover, to: webhooks, at: at, connection) }
            }
            return true
        }
    }

    // MARK: Reading

    /// A failover, and its timeline, each entry as the document that it is stored as.
    package func failover(_ id: FailoverID) async throws -> (failover: Failover, timeline: [JSONValue])? {
        try await store.read { connection in
            guard let failover = try Failover.find(id, connection) else { return nil }
            let timeline = try connection.rows(
                "SELECT document FROM failover_timeline WHERE failover = ? ORDER BY number", [.integer(id.number)]
            ).map { try JSONValue(stored: $0.text(0)) }
            return (failover, timeline)
        }
    }

    /// Failovers, newest first, from the one before `key`.
    package func failovers(before key: FailoverID?, limit: Int) async throws -> Page<Failover, FailoverID> {
        let failovers = try await store.read { connection in
            try connection.rows(
                "SELECT id, document FROM failovers WHERE id < ? ORDER BY id DESC LIMIT ?",
                [.integer(key?.number ?? Int64.max), .integer(Int64(limit + 1))]
            ).map { try Failover($0, connection) }
        }
        return Page(
            elements: Array(failovers.prefix(limit)), next: failovers.count > limit ? failovers[limit - 1].id : nil)
    }
}

extension Failover {
    static func find(_ id: FailoverID, _ connection: SQLConnection) throws -> Failover? {
        try connection.rows("SELECT id, document FROM failovers WHERE id = ?", [.integer(id.number)]).first.map {
            try Failover($0, connection)
        }
    }

    /// From its row, with its parts.
    fileprivate init(_ row: SQLRow, _ connection: SQLConnection) throws {
        guard var document = try JSONValue(stored: row.text(1)).object else {
            throw StoreFailure.damaged("failover \(try row.integer(0)) is no object")
        }
        var parts: [String: [JSONValue]] = [:]
        let rows = try connection.rows(
            "SELECT part, document FROM failover_parts WHERE failover = ? ORDER BY part, place",
            [.integer(try row.integer(0))])
        for row in rows { parts[try row.text(0), default: []].append(try JSONValue(stored: row.text(1))) }
        for part in Part.allCases { document[part.rawValue] = .array(parts[part.rawValue] ?? []) }
        try self.init(stored: .object(document))
    }

    fileprivate func insertParts(since before: Failover?, _ connection: SQLConnection) throws {
        for (part, place, document) in parts(since: before) {
            try connection.execute(
                """
                INSERT INTO failover_parts (failover, part, place, document) VALUES (?, ?, ?, ?)
                ON CONFLICT (failover, part, place) DO UPDATE SET document = excluded.document
                """,
                [.integer(id.number), .text(part.rawValue), .integer(Int64(place)), .text(document.description)])
        }
    }
}

extension FailoverStep {
    fileprivate func insert(
        of failover: Failover, to webhooks: [Webhook], at: Date, _ connection: SQLConnection
    ) throws {
        for (service, placement) in placed {
            try connection.execute("DELETE FROM placements WHERE service = ?", [.text(service.text)])
            // One that was deleted meanwhile is nowhere, and its namesake begins at its primary.
            guard let placement, try connection.has(.service, service.text) else { continue }
            try connection.execute(
                "INSERT INTO placements (service, server, failover) VALUES (?, ?, ?)",
                [.text(service.text), .text(placement.server.text), .integer(placement.failover.number)])
        }
        for service in released {
            try connection.execute(
                "DELETE FROM decisions WHERE service = ? AND failover = ?",
                [.text(service.text), .integer(failover.id.number)])
        }
        try TimelineEntry.insert(entries, of: failover.id, connection)
        if let news { try news.insert(of: failover, to: webhooks, at: at, connection) }
    }
}

extension TimelineEntry {
    fileprivate static func insert(
        _ entries: [TimelineEntry], of failover: FailoverID, _ connection: SQLConnection
    ) throws {
        guard !entries.isEmpty else { return }
        let rows = try connection.rows(
            "SELECT COALESCE(MAX(number), 0) FROM failover_timeline WHERE failover = ?", [.integer(failover.number)])
        var number = try rows.first?.integer(0) ?? 0
        for entry in entries {
            number += 1
            try connection.execute(
                "INSERT INTO failover_timeline (failover, number, document) VALUES (?, ?, ?)",
                [.integer(failover.number), .integer(number), .text(entry.document.description)])
        }
    }
}

extension FailoverNews {
    /// Stored with the step that it tells of.
    fileprivate func insert(
        of failover: Failover, to webhooks: [Webhook], at: Date, _ connection: SQLConnection
    ) throws {
        try Alert.insert(
            kind, server: failover.server, failover: failover.id.number, detail: words(of: failover.id), to: webhooks,
            at: at, connection)
    }
}
