import Domain
import Fleet
import JSON

/// Brings the rows of the changed resources to what the edits say.
struct RowWriter {
    let connection: SQLConnection
    let version: SnapshotVersion
    let at: String

    /// What services refer to and claim goes first for all of them, so that two services may swap a client domain in
    /// one version.
    func write(_ edits: [Change.Edit]) throws {
        for case .service(let name, _, _) in edits {
            try connection.execute("DELETE FROM client_domains WHERE service = ?", [.text(name.text)])
            try connection.execute("DELETE FROM service_servers WHERE service = ?", [.text(name.text)])
        }
        for edit in edits {
            try write(edit)
        }
    }

    private func write(_ edit: Change.Edit) throws {
        let table = edit.kind.plural
        guard let document = edit.after else {
            return try connection.execute("DELETE FROM \(table) WHERE name = ?", [.text(edit.name)])
        }
        let texts: [SQLValue] = [.text(document.description), version.sql, .text(at)]
        switch (edit, edit.before) {
        case (.service(let name, _, let after?), let before):
            let customer = SQLValue.text(after.customer.text)
            if before == nil {
                try connection.execute(
                    "INSERT INTO services (document, revision, created_at, updated_at, name, customer) VALUES (?, ?, ?, ?, ?, ?)",
                    texts + [.text(at), .text(name.text), customer])
            } else {
                try connection.execute(
                    "UPDATE services SET document = ?, revision = ?, updated_at = ?, customer = ? WHERE name = ?",
                    texts + [customer, .text(name.text)])
            }
            try writeReferences(of: after)
        case (.settings, _):
            // They are never created: before the first change to them there is no row.
            try connection.execute(
                """
                INSERT INTO settings (document, revision, created_at, updated_at, name) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE
                SET document = excluded.document, revision = excluded.revision, updated_at = excluded.updated_at
                """,
                texts + [.text(at), .text(edit.name)])
        case (_, nil):
            try connection.execute(
                "INSERT INTO \(table) (document, revision, created_at, updated_at, name) VALUES (?, ?, ?, ?, ?)",
                texts + [.text(at), .text(edit.name)])
        default:
            try connection.execute(
                "UPDATE \(table) SET document = ?, revision = ?, updated_at = ? WHERE name = ?",
                texts + [.text(edit.name)])
        }
    }

    private func writeReferences(of service: Service) throws {
        for domain in service.carriage.clientDomains {
            try connection.execute(
                "INSERT INTO client_domains (domain, service) VALUES (?, ?)",
                [.text(domain.description), .text(service.name.text)])
        }
        for server in service.servers {
            try connection.execute(
                "INSERT INTO service_servers (server, service) VALUES (?, ?)",
                [.text(server.text), .text(service.name.text)])
        }
    }
}
