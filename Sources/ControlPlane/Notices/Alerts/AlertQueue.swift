package import Domain
package import FoundationEssentials
import JSON
package import Store

extension Alert {
    /// Stores what there is to be told of something, inside the transaction in which that is stored: no crash comes
    /// between the two.
    ///
    /// It does nothing when this kind of event is no alert, or when there is nobody to be told.
    package static func insert(
        _ kind: FleetEvent.Kind, server: ServerName?, failover: Int64?, detail: String, to webhooks: [Webhook],
        at: Date, _ connection: SQLConnection
    ) throws {
        guard kind.isAlert, !webhooks.isEmpty else { return }
        let body = Alert.members(server: server, failover: failover, detail: detail)
        try insert(kind: kind, body: body, urls: webhooks.map(\.url), at: at, connection)
    }

    /// Stores an alert for each of `urls`, inside a transaction of the caller's.
    @discardableResult
    fileprivate static func insert(
        kind: FleetEvent.Kind, body members: JSONObject, urls: [String], at: Date, _ connection: SQLConnection
    ) throws -> Alert {
        let newest = try connection.rows("SELECT COALESCE(MAX(id), 0) FROM alerts").first?.integer(0) ?? 0
        let id = max(newest &+ 1, Int64(exactly: (at.timeIntervalSince1970 * 1000).rounded(.down)) ?? 0)
        let time = Timestamp.text(at)
        let head: JSONObject = ["id": .integer(Int(id)), "at": .string(time), "kind": .string(kind.rawValue)]
        let text = JSONValue.object(head.adding(members)).description
        try connection.execute(
            "INSERT INTO alerts (id, at, kind, body) VALUES (?, ?, ?, ?)",
            [.integer(id), .text(time), .text(kind.rawValue), .text(text)])
        for url in Set(urls) {
            try connection.execute(
                "INSERT INTO alert_deliveries (alert, url, attempts, next_at) VALUES (?, ?, 0, ?)",
                [.integer(id), .text(url), .text(time)])
        }
        return Alert(id: id, at: at, kind: kind.rawValue, body: text)
    }
}

/// The queue of alerts. What stands in it is sent until it has arrived or is given up, whatever happens to this
/// process.
package struct AlertQueue: Sendable {
    package let store: Store

    package init(store: Store) {
        self.store = store
    }

    var now: Date { store.now() }

    /// Stores an alert for each of `urls`.
    func enqueue(kind: FleetEvent.Kind, body: JSONObject, urls: [String], at: Date) async throws -> Alert {
        let alert = try await store.write { connection in
            try Alert.insert(kind: kind, body: body, urls: urls, at: at, connection)
        }
        guard let alert else { throw StoreFailure.other("the writer gave no answer") }
        return alert
    }

    /// What is to be sent now: of each URL the one that has waited longest, for `limit` URLs at most.
    ///
    /// One of each, so that whatever waits for a dead receiver never stands before what waits for another.
    func due(at: Date, limit: Int) async throws -> [AlertDelivery] {
        let time = Timestamp.text(at)
        return try await store.read { connection in
            let urls = try connection.rows(
                "SELECT DISTINCT url FROM alert_deliveries WHERE done_at IS NULL AND next_at <= ? ORDER BY url LIMIT ?",
                [.text(time), .integer(Int64(limit))]
            ).map { try $0.text(0) }
            return try urls.flatMap { url in
                try connection.rows(
                    """
                    SELECT a.id, a.at, a.kind, a.body, d.attempts FROM alert_deliveries d JOIN alerts a ON a.id = d.alert
                    WHERE d.done_at IS NULL AND d.url = ? AND d.next_at <= ? ORDER BY d.next_at, d.alert LIMIT 1
                    """, [.text(url), .text(time)]
                ).map { row in
                    AlertDelivery(
                        alert: Alert(
                            id: try row.integer(0), at: try moment(row, 1), kind: try row.text(2),
                            body: try row.text(3)),
                        url: url, attempts: Int(clamping: try row.integer(4)))
                }
            }
        }
    }

    /// When the next delivery after `at` is due.
    func next(after at: Date) async throws -> Date? {
        try await store.read { connection in
            let rows = try connection.rows(
                "SELECT MIN(next_at) FROM alert_deliveries WHERE done_at IS NULL AND next_at > ?",
                [.text(Timestamp.text(at))])
            guard let row = rows.first, !row.isNull(0) else { return nil }
            return try moment(row, 0)
        }
    }

    /// Deliveries that are to come, whether they have been tried or not.
    package func waiting() async throws -> Int {
        try await store.read { connection in
            let rows = try connection.rows("SELECT COUNT(*) FROM alert_deliveries WHERE done_at IS NULL")
            return Int(clamping: try rows.first?.integer(0) ?? 0)
        }
    }

    func delivered(_ delivery: AlertDelivery) async throws {
        try await note(delivery, nextAt: nil, error: nil, audit: nil)
    }

    /// Takes note of an attempt that failed. It is tried again at `nextAt`.
    func failed(_ delivery: AlertDelivery, nextAt: Date, error: String) async throws {
        try await note(delivery, nextAt: nextAt, error: error, audit: nil)
    }

    /// Takes note that an alert will not be sent there any more, in the audit trail too.
    func givenUp(_ delivery: AlertDelivery, error: String) async throws {
        let request = ChangeRequest(author: "control plane", action: "alert.send", target: delivery.receiver)
        try await note(delivery, nextAt: nil, error: error, audit: request)
    }

    private func note(_ delivery: AlertDelivery, nextAt: Date?, error: String?, audit: ChangeRequest?) async throws {
        let at = Timestamp.text(store.now())
        let next = nextAt.map { Timestamp.text($0) }
        _ = try await store.write { connection in
            try connection.execute(
                """
                UPDATE alert_deliveries SET attempts = ?, next_at = ?, done_at = ?, last_error = ?
                WHERE alert = ? AND url = ?
                """,
                [
                    .integer(Int64(delivery.attempts) &+ 1), .text(next ?? at), .text(next == nil ? at : nil),
                    .text(error), .integer(delivery.alert.id), .text(delivery.url),
                ])
            if let audit {
                try AuditRecord.insert(
                    audit, at: at, version: nil, done: false,
                    detail: "give up alert \(delivery.alert.id) (\(delivery.alert.kind)): \(error ?? "")", connection)
            }
            return true
        }
    }

    /// Forgets alerts of before `end` that nobody waits for.
    func prune(before end: Date) async throws {
        let time = Timestamp.text(end)
        _ = try await store.write { connection in
            let over = """
                SELECT id FROM alerts a WHERE a.at < ?
                AND NOT EXISTS (SELECT 1 FROM alert_deliveries d WHERE d.alert = a.id AND d.done_at IS NULL)
                """
            try connection.execute("DELETE FROM alert_deliveries WHERE alert IN (\(over))", [.text(time)])
            try connection.execute(
                "DELETE FROM alerts WHERE at < ? AND id NOT IN (SELECT alert FROM alert_deliveries)", [.text(time)])
            return true
        }
    }
}

/// A time that the store wrote itself.
private func moment(_ row: SQLRow, _ column: Int) throws(StoreFailure) -> Date {
    let text = try row.text(column)
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = try? Date(text, strategy: style) else { throw .damaged("'\(text)' is no time") }
    return date
}
