package import Domain
package import Fleet
import JSON

extension Record {
    static func find(_ kind: ResourceKind, _ name: String, _ connection: SQLConnection) throws -> Record? {
        let row = try connection.rows(
            "SELECT name, document, revision, created_at, updated_at FROM \(kind.plural) WHERE name = ?", [.text(name)]
        ).first
        if row == nil, kind == .settings, name == FleetSettings.name { return .untouchedSettings }
        return try row.map { try Record(kind, $0) }
    }

    /// The settings before anybody has set any.
    private static var untouchedSettings: Record {
        Record(
            kind: .settings, name: FleetSettings.name, document: FleetSettings().document, revision: SnapshotVersion(0),
            createdAt: nil, updatedAt: nil)
    }

    fileprivate init(_ kind: ResourceKind, _ row: SQLRow) throws {
        self.init(
            kind: kind, name: try row.text(0), document: kind.completed(try JSONValue(stored: row.text(1))),
            revision: try SnapshotVersion(row: row, 2), createdAt: try row.text(3), updatedAt: try row.text(4))
    }
}

extension Store {
    package func record(_ kind: ResourceKind, _ name: String) async throws -> Record? {
        try await read { try Record.find(kind, name, $0) }
    }

    /// Resources by name, from the one after `key`.
    package func records(_ kind: ResourceKind, after key: String?, limit: Int) async throws -> Page<Record, String> {
        try await page(
            kind,
            "SELECT name, document, revision, created_at, updated_at FROM \(kind.plural) WHERE name > ? ORDER BY name LIMIT ?",
            [.text(key ?? "")], limit: limit)
    }

    /// Services by name, from the one after `key`, of a customer, a server, or both.
    package func services(
        customer: CustomerName?, server: ServerName?, after key: String?, limit: Int
    ) async throws -> Page<Record, String> {
        let columns = "s.name, s.document, s.revision, s.created_at, s.updated_at"
        // Each form walks one index from the key on, so a page costs its length whatever the number of services.
        switch (customer, server) {
        case (nil, nil):
            return try await records(.service, after: key, limit: limit)
        case (let customer?, nil):
            return try await page(
                .service,
                "SELECT \(columns) FROM services s WHERE s.customer = ? AND s.name > ? ORDER BY s.name LIMIT ?",
                [.text(customer.text), .text(key ?? "")], limit: limit)
        case (nil, let server?):
            return try await page(
                .service,
                """
                SELECT \(columns) FROM service_servers c JOIN services s ON s.name = c.service
                WHERE c.server = ? AND c.service > ? ORDER BY c.service LIMIT ?
                """,
                [.text(server.text), .text(key ?? "")], limit: limit)
        case (let customer?, let server?):
            return try await page(
                .service,
                """
                SELECT \(columns) FROM services s JOIN service_servers c ON c.service = s.name AND c.server = ?
                WHERE s.customer = ? AND s.name > ? ORDER BY s.name LIMIT ?
                """,
                [.text(server.text), .text(customer.text), .text(key ?? "")], limit: limit)
        }
    }

    private func page(
        _ kind: ResourceKind, _ sql: String, _ arguments: [SQLValue], limit: Int
    ) async throws -> Page<Record, String> {
        // One more than asked for tells whether there is a next page.
        let records = try await read { connection in
            try connection.rows(sql, arguments + [.integer(Int64(limit + 1))]).map { try Record(kind, $0) }
        }
        return Page(elements: Array(records.prefix(limit)), next: records.count > limit ? records[limit - 1].name : nil)
    }

    /// How many services `server` carries.
    package func serviceCount(of server: ServerName) -> Int {
        catalogue.withLock { $0.references.servicesByServer[server].count }
    }
}
