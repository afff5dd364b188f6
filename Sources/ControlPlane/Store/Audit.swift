package import Domain

extension AuditRecord {
    /// What was refused is cut to what a person reads.
    static let longestDetail = 1000

    package static func insert(
        _ request: ChangeRequest, at: String, version: SnapshotVersion?, done: Bool, detail: String,
        _ connection: SQLConnection
    ) throws {
        try connection.execute(
            "INSERT INTO audit (at, author, action, target, version, outcome, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .text(at), .text(request.author), .text(request.action), .text(String(request.target.prefix(100))),
                version?.sql ?? .null, .text(done ? "done" : "refused"), .text(String(detail.prefix(longestDetail))),
            ])
    }

    fileprivate init(_ row: SQLRow) throws {
        self.init(
            id: try row.integer(0), at: try row.text(1), author: try row.text(2), action: try row.text(3),
            target: try row.text(4),
            version: row.isNull(5) ? nil : try SnapshotVersion(row: row, 5), done: try row.text(6) == "done",
            detail: try row.text(7))
    }
}

extension Store {
    /// The audit trail, newest first, from the entry before `key`.
    package func auditTrail(before key: Int64?, limit: Int) async throws -> Page<AuditRecord, Int64> {
        let records = try await read { connection in
            try connection.rows(
                "SELECT id, at, author, action, target, version, outcome, detail FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
                [.integer(key ?? Int64.max), .integer(Int64(limit + 1))]
            ).map { try AuditRecord($0) }
        }
        return Page(elements: Array(records.prefix(limit)), next: records.count > limit ? records[limit - 1].id : nil)
    }

    /// Enters something that made no version: a refused attempt, or a command to a server.
    package func enter(_ request: ChangeRequest, done: Bool, detail: String) async throws {
        let at = Timestamp.text(now())
        _ = try await write { connection in
            try AuditRecord.insert(request, at: at, version: nil, done: done, detail: detail, connection)
            return true
        }
    }
}
