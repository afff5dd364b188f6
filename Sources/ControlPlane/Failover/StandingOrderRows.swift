import Domain
import FoundationEssentials
package import Store

/// Orders of operators that last for a time, as rows of the store: an override of a server, a freeze of the fleet.
package struct StandingOrderRows: Sendable {
    package let store: Store

    package init(store: Store) {
        self.store = store
    }

    static func overrides(_ connection: SQLConnection) throws -> [ServerName: ServerOverride] {
        var overrides: [ServerName: ServerOverride] = [:]
        for row in try connection.rows("SELECT server, state, until, reason, author FROM overrides") {
            let override = try ServerOverride(row)
            overrides[override.server] = override
        }
        return overrides
    }

    static func freeze(_ connection: SQLConnection) throws -> Freeze? {
        try connection.rows("SELECT since, until, reason, author FROM freezes").first.map { try Freeze($0) }
    }

    func set(_ override: ServerOverride) async throws {
        let at = Timestamp.text(store.now())
        _ = try await store.write { connection in
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
                    "force server \(override.server) \(override.state.rawValue) "
                    + "until \(Timestamp.text(override.until)): \(override.reason)",
                connection)
            return true
        }
    }

    func clear(overrideOf server: ServerName, by author: String) async throws {
        let at = Timestamp.text(store.now())
        _ = try await store.write { connection in
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
        _ = try await store.write { connection in
            try connection.execute(sql, arguments)
            return true
        }
    }

    /// Freezes the fleet; nil ends it.
    func set(_ freeze: Freeze?, by author: String) async throws {
        let at = Timestamp.text(store.now())
        _ = try await store.write { connection in
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
