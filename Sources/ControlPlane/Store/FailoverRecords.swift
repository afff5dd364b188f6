import Domain
import FoundationEssentials

/// Where a failover has brought a service.
struct Placement: Sendable, Equatable {
    let server: ServerName
    let failover: FailoverID
}

/// A decision that is yet to get its number.
struct FailoverDraft: Sendable {
    let kind: Failover.Kind
    let server: ServerName
    let reason: String
    let author: String
    var returnsAt: Date?
    var reverses: FailoverID?
    let moves: [Failover.Move]
    let zones: [Failover.ZoneWork]
}

/// What outlives the process of failovers, as it is read at start.
struct FailoverRecords: Sendable {
    var underWay: [Failover] = []
    var decisions: [ServiceName: FailoverID] = [:]
    var placements: [ServiceName: Placement] = [:]
    /// Those that are over and whose services are still where they brought them.
    var inForce: [Failover] = []
    var overrides: [ServerName: ServerOverride] = [:]
    var freeze: Freeze?
}

/// What there is to be told of a failover: an event, and an alert to those who have to know.
struct FailoverNews: Sendable {
    let kind: FleetEvent.Kind
    let detail: String

    func words(of id: FailoverID) -> String { "failover \(id): \(detail)" }
}

/// How far a failover has come, by some steps, since it was stored last.
struct FailoverChange: Sendable {
    let failover: Failover
    let before: Failover?
    let steps: [FailoverStep]
}

/// What one step of a failover changes beside its own rows.
struct FailoverStep: Sendable {
    var entries: [TimelineEntry] = []
    /// Stored with the step, so that somebody is told of it whatever becomes of this process.
    var news: FailoverNews?
    /// Where services are from now on; nil where they are home again.
    var placed: [ServiceName: Placement?] = [:]
    /// The services about which the decision has come to an end.
    var released: [ServiceName] = []
}

extension Store {
    func failoverRecords() async throws -> FailoverRecords {
        try await read { connection in
            var records = FailoverRecords()
            for row in try connection.rows("SELECT id, document FROM failovers WHERE is_over = 0 ORDER BY id") {
                records.underWay.append(try Failover(row, connection))
            }
            for row in try connection.rows("SELECT service, failover FROM decisions") {
                records.decisions[ServiceName(checked: try row.text(0))] = FailoverID(number: try row.integer(1))
            }
            records.placements = try Store.placements(connection)
            for id in Set(records.placements.values.map(\.failover)) {
                if let failover = try Failover.find(id, connection), failover.stage.isOver {
                    records.inForce.append(failover)
                }
            }
            for row in try connection.rows("SELECT server, state, until, reason, author FROM overrides") {
                let override = try ServerOverride(row)
                records.overrides[override.server] = override
            }
            records.freeze = try connection.rows("SELECT since, until, reason, author FROM freezes").first.map {
                try Freeze($0)
            }
            return records
        }
    }

    func placements() async throws -> [ServiceName: Placement] { try await read { try Store.placements($0) } }

    private static func placements(_ connection: SQLConnection) throws -> [ServiceName: Placement] {
        var placements: [ServiceName: Placement] = [:]
        for row in try connection.rows("SELECT service, server, failover FROM placements") {
            placements[ServiceName(checked: try row.text(0))] = Placement(
                server: ServerName(checked: try row.text(1)), failover: FailoverID(number: try row.integer(2)))
        }
        return placements
    }

    fileprivate static func isThere(_ service: ServiceName, _ connection: SQLConnection) throws -> Bool {
        try !connection.rows("SELECT name FROM services WHERE name = ?", [.text(service.text)]).isEmpty
    }

    /// Stores a decision and makes it the one about its services. Throws a ``StoreFailure`` of a constraint when another one is.
    func begin(
        _ draft: FailoverDraft, _ entries: [TimelineEntry], _ news: FailoverNews, at: Date
    ) async throws -> Failover {
        let webhooks = state.settings.webhooks
        let failover = try await write { connection -> Failover? in
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
                guard try Store.isThere(move.service, connection) else {
                    throw StoreFailure.constraint("service \(move.service) is gone")
                }
                try connection.execute(
                    "INSERT INTO decisions (service, failover) VALUES (?, ?)",
                    [.text(move.service.text), .integer(failover.id.number)])
            }
            try TimelineEntry.insert(entries, of: failover.id, connection)
            try Alert.insert(news, of: failover, to: webhooks, at: at, connection)
            let moved = FailoverService.listed(draft.moves.map { "\($0.service) from \($0.from) to \($0.to)" })
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
        let webhooks = state.settings.webhooks
        let at = now()
        _ = try await write { connection in
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
    func failover(_ id: FailoverID) async throws -> (failover: Failover, timeline: [JSONValue])? {
        try await read { connection in
            guard let failover = try Failover.find(id, connection) else { return nil }
            let timeline = try connection.rows(
                "SELECT document FROM failover_timeline WHERE failover = ? ORDER BY number", [.integer(id.number)]
            ).map { try JSONValue(stored: $0.text(0)) }
            return (failover, timeline)
        }
    }

    /// Failovers, newest first, from the one before `key`.
    func failovers(before key: FailoverID?, limit: Int) async throws -> Page<Failover, FailoverID> {
        let failovers = try await read { connection in
            try connection.rows(
                "SELECT id, document FROM failovers WHERE id < ? ORDER BY id DESC LIMIT ?",
                [.integer(key?.number ?? Int64.max), .integer(Int64(limit + 1))]
            ).map { try Failover($0, connection) }
        }
        return Page(
            elements: Array(failovers.prefix(limit)), next: failovers.count > limit ? failovers[limit - 1].id : nil)
    }

    // MARK: What configuration has to respect

    /// What would take a service from a server to which its records lead, or are about to.
    static func strandings(_ proposal: Proposal, _ connection: SQLConnection) throws -> [Violation] {
        var violations: [Violation] = []
        for case .service(let name, _, let after?) in proposal.edits {
            guard let (server, failover) = try leading(name, connection).first(where: { !after.servers.contains($0.0) })
            else { continue }
            let violation = Violation.conflict(
                "/standbys",
                "Devices are led to server \(server) since failover \(failover); expected it among the primary and the standbys until `ddirect failback` has taken the service back."
            )
            violations.append(proposal.namesResources ? violation.under("/services/\(name)") : violation)
        }
        return violations
    }

    /// The servers to which failovers lead a service, or are leading it.
    private static func leading(
        _ service: ServiceName, _ connection: SQLConnection
    ) throws -> [(server: ServerName, failover: FailoverID)] {
        var servers: [(server: ServerName, failover: FailoverID)] = []
        let placements = try connection.rows(
            "SELECT server, failover FROM placements WHERE service = ?", [.text(service.text)])
        for row in placements {
            servers.append((ServerName(checked: try row.text(0)), FailoverID(number: try row.integer(1))))
        }
        let decisions = try connection.rows("SELECT failover FROM decisions WHERE service = ?", [.text(service.text)])
        for row in decisions {
            let id = FailoverID(number: try row.integer(0))
            for move in try Failover.find(id, connection)?.moves ?? [] where move.service == service {
                servers.append((move.to, id))
            }
        }
        return servers
    }

    /// A service that is gone is nowhere; one of the same name that comes later begins at its primary.
    static func forgetPlacement(of service: ServiceName, _ connection: SQLConnection) throws {
        try connection.execute("DELETE FROM placements WHERE service = ?", [.text(service.text)])
        try connection.execute("DELETE FROM decisions WHERE service = ?", [.text(service.text)])
    }

    // MARK: The operator's word

    func setOverride(_ override: ServerOverride) async throws {
        let at = Timestamp.text(now())
        _ = try await write { connection in
            try connection.execute("DELETE FROM overrides WHERE server = ?", [.text(override.server.text)])
            try connection.execute(
                "INSERT INTO overrides (server, state, until, reason, author) VALUES (?, ?, ?, ?, ?)",
                [
                    .text(override.server.text), .text(override.state.rawValue), .text(Timestamp.text(override.until)),
                    .text(override.reason), .text(override.author),
                ])
            try AuditRecord.insert(
                ChangeRequest(author: override.author, action: "server.override", target: override.server.text), at: at,
                version: nil, done: true,
                detail:
                    "force server \(override.server) \(override.state.rawValue) until \(Timestamp.text(override.until)): \(override.reason)",
                connection)
            return true
        }
    }

    func clearOverride(of server: ServerName, by author: String) async throws {
        let at = Timestamp.text(now())
        _ = try await write { connection in
            try connection.execute("DELETE FROM overrides WHERE server = ?", [.text(server.text)])
            try AuditRecord.insert(
                ChangeRequest(author: author, action: "server.override", target: server.text), at: at, version: nil,
                done: true, detail: "go by probes again for server \(server)", connection)
            return true
        }
    }

    /// Ends an override whose time is over, unless there is another by now.
    func end(_ override: ServerOverride) async throws {
        try await end(
            "DELETE FROM overrides WHERE server = ? AND until = ?",
            [.text(override.server.text), .text(Timestamp.text(override.until))])
    }

    /// Ends a freeze whose time is over, unless there is another by now.
    func end(_ freeze: Freeze) async throws {
        try await end("DELETE FROM freezes WHERE until = ?", [.text(Timestamp.text(freeze.until))])
    }

    private func end(_ sql: String, _ arguments: [SQLValue]) async throws {
        _ = try await write { connection in
            try connection.execute(sql, arguments)
            return true
        }
    }

    /// Freezes the fleet; nil ends it.
    func setFreeze(_ freeze: Freeze?, by author: String) async throws {
        let at = Timestamp.text(now())
        _ = try await write { connection in
            try connection.execute("DELETE FROM freezes")
            if let freeze {
                try connection.execute(
                    "INSERT INTO freezes (id, since, until, reason, author) VALUES (1, ?, ?, ?, ?)",
                    [
                        .text(Timestamp.text(freeze.since)), .text(Timestamp.text(freeze.until)), .text(freeze.reason),
                        .text(freeze.author),
                    ])
            }
            let detail = freeze.map { "freeze failover until \(Timestamp.text($0.until)): \($0.reason)" }
            try AuditRecord.insert(
                ChangeRequest(author: author, action: "failover.freeze", target: "fleet"), at: at, version: nil,
                done: true, detail: detail ?? "end the freeze of failover", connection)
            return true
        }
    }
}

extension Failover {
    fileprivate static func find(_ id: FailoverID, _ connection: SQLConnection) throws -> Failover? {
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
            guard let placement, try Store.isThere(service, connection) else { continue }
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
        if let news { try Alert.insert(news, of: failover, to: webhooks, at: at, connection) }
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

extension ServerOverride {
    fileprivate init(_ row: SQLRow) throws {
        guard let state = State(rawValue: try row.text(1)), let until = Timestamp.date(try row.text(2)) else {
            throw StoreFailure.damaged("the override of server \(try row.text(0)) cannot be read")
        }
        self.init(
            server: ServerName(checked: try row.text(0)), state: state, until: until, reason: try row.text(3),
            author: try row.text(4))
    }
}

extension Freeze {
    fileprivate init(_ row: SQLRow) throws {
        guard let since = Timestamp.date(try row.text(0)), let until = Timestamp.date(try row.text(1)) else {
            throw StoreFailure.damaged("the freeze of the fleet cannot be read")
        }
        self.init(since: since, until: until, reason: try row.text(2), author: try row.text(3))
    }
}
