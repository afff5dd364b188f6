import Domain
import Fleet
import JSON

/// Reads the whole state from the database, once, at start.
struct StateReader {
    let driver: SQLiteDriver

    func read() async throws -> FleetState {
        let incarnation = try await incarnation()
        return try await driver.read { connection in
            if let fault = try connection.rows("PRAGMA quick_check(1)").first?.text(0), fault != "ok" {
                throw StoreFailure.damaged(fault)
            }
            let version = try StateReader.version(connection)
            var customers: [Customer] = []
            var servers: [Server] = []
            var services: [Service] = []
            var zones: [Zone] = []
            var settings = FleetSettings()
            try StateReader.forEachDocument(.customer, connection) { document, findings in
                if let customer = Customer.read(document, findings) { customers.append(customer) }
            }
            try StateReader.forEachDocument(.server, connection) { document, findings in
                if let server = ServerDraft(reading: document, findings).server { servers.append(server) }
            }
            try StateReader.forEachDocument(.service, connection) { document, findings in
                if let service = ServiceDraft(reading: document, findings).service { services.append(service) }
            }
            try StateReader.forEachDocument(.zone, connection) { document, findings in
                if let zone = Zone.read(document, findings) { zones.append(zone) }
            }
            try StateReader.forEachDocument(.settings, connection) { document, findings in
                if let read = FleetSettings.read(document, findings) { settings = read }
            }
            return FleetState(
                incarnation: incarnation, version: version, customers: customers, servers: servers, services: services,
                zones: zones, settings: settings)
        }
    }

    static func version(_ connection: SQLConnection) throws -> SnapshotVersion {
        guard let row = try connection.rows("SELECT COALESCE(MAX(version), 0) FROM versions").first else {
            return SnapshotVersion(0)
        }
        return try SnapshotVersion(row: row, 0)
    }

    private static func forEachDocument(
        _ kind: ResourceKind, _ connection: SQLConnection, _ body: (JSONValue, Findings) -> Void
    ) throws {
        try connection.forEachRow("SELECT name, document FROM \(kind.plural)") { row in
            let findings = Findings()
            let name = try row.text(0)
            let document = try JSONValue(stored: row.text(1))
            body(document, findings)
            guard let violation = findings.all.first else { return }
            throw StoreFailure.damaged("\(kind.rawValue) \(name): \(violation.pointer) \(violation.detail)")
        }
    }

    /// The incarnation that was drawn when the database was made, or a new one.
    private func incarnation() async throws -> Incarnation {
        let drawn = UInt64.random(in: 1...UInt64.max)
        let text = try await driver.write { connection in
            try connection.execute(
                "INSERT INTO facts (name, value) VALUES ('incarnation', ?) ON CONFLICT (name) DO NOTHING",
                [.text(String(drawn, radix: 16))])
            return try connection.rows("SELECT value FROM facts WHERE name = 'incarnation'").first?.text(0)
        }
        guard let text, let number = UInt64(text, radix: 16) else {
            throw StoreFailure.damaged("the incarnation is '\(text ?? "")', which is no hexadecimal number")
        }
        return Incarnation(number)
    }
}
