/// The schema, as the steps that lead to it. A step that was released is never edited: the next one corrects it.
///
/// The SQL is that which SQLite and PostgreSQL share, but for `STRICT`, which a driver for PostgreSQL would leave out.
enum Migrations {
    static let all: [(name: String, sql: String)] = [
        ("fleet, versions and audit", fleet),
        ("certificates of the channel", certificates),
        ("zones and settings", zones),
        ("failovers", failovers),
        ("alerts", alerts),
        ("failovers in parts", failoverParts),
        ("the key of probes", probeKey),
    ]

    /// Brings the database to the newest schema, each step in a transaction together with its mark.
    static func run(on driver: SQLiteDriver, at now: String) async throws {
        let done = try await driver.write { connection in
            try connection.executeScript(
                """
                CREATE TABLE IF NOT EXISTS migrations (
                    number INTEGER NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL,
                    at TEXT NOT NULL
                ) STRICT;
                """)
            return try connection.rows("SELECT COALESCE(MAX(number), 0) FROM migrations").first?.integer(0) ?? 0
        }
        let number = Int(done ?? 0)
        guard number <= all.count else { throw StoreFailure.tooNew(schema: number, known: all.count) }
        for (index, step) in all.enumerated().dropFirst(number) {
            _ = try await driver.write { connection in
                try connection.executeScript(step.sql)
                try connection.execute(
                    "INSERT INTO migrations (number, name, at) VALUES (?, ?, ?)",
                    [.integer(Int64(index + 1)), .text(step.name), .text(now)])
                return true
            }
        }
    }

    /// A resource's `document` is what the operator wrote, as JSON; what is constrained or looked up stands beside it in columns and
    /// tables of its own. References are checked at the end of a transaction, since a restored version moves many rows at once.
    private static let fleet = """
        CREATE TABLE facts (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT;

        CREATE TABLE customers (
            name TEXT NOT NULL PRIMARY KEY,
            document TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE servers (
            name TEXT NOT NULL PRIMARY KEY,
            document TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE services (
            name TEXT NOT NULL PRIMARY KEY,
            customer TEXT NOT NULL REFERENCES customers (name) DEFERRABLE INITIALLY DEFERRED,
            document TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;
        CREATE INDEX services_by_customer ON services (customer, name);

        CREATE TABLE service_servers (
            server TEXT NOT NULL REFERENCES servers (name) DEFERRABLE INITIALLY DEFERRED,
            service TEXT NOT NULL REFERENCES services (name) DEFERRABLE INITIALLY DEFERRED,
            PRIMARY KEY (server, service)
        ) STRICT;
        CREATE INDEX service_servers_by_service ON service_servers (service);

        CREATE TABLE client_domains (
            domain TEXT NOT NULL PRIMARY KEY,
            service TEXT NOT NULL REFERENCES services (name) DEFERRABLE INITIALLY DEFERRED
        ) STRICT;
        CREATE INDEX client_domains_by_service ON client_domains (service);

        CREATE TABLE versions (
            version INTEGER NOT NULL PRIMARY KEY,
            at TEXT NOT NULL,
            author TEXT NOT NULL,
            summary TEXT NOT NULL,
            restored_from INTEGER
        ) STRICT;

        CREATE TABLE changes (
            version INTEGER NOT NULL REFERENCES versions (version) DEFERRABLE INITIALLY DEFERRED,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            before TEXT,
            after TEXT,
            PRIMARY KEY (version, position)
        ) STRICT;
        CREATE UNIQUE INDEX changes_by_resource ON changes (kind, name, version);

        CREATE TABLE audit (
            id INTEGER NOT NULL PRIMARY KEY,
            at TEXT NOT NULL,
            author TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            version INTEGER,
            outcome TEXT NOT NULL,
            detail TEXT NOT NULL
        ) STRICT;

        CREATE TABLE answers (
            author TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            version INTEGER NOT NULL,
            body TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (author, key)
        ) STRICT;
        CREATE INDEX answers_by_age ON answers (at);

        CREATE TABLE tokens (
            name TEXT NOT NULL PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,
            created_at TEXT NOT NULL
        ) STRICT;
        """

    /// No references to servers: what a server held must be known for as long as somebody might show it, also when the server is gone.
    private static let certificates = """
        CREATE TABLE certificates (
            serial TEXT NOT NULL PRIMARY KEY,
            server TEXT NOT NULL,
            issued_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            revoked_at TEXT
        ) STRICT;
        CREATE INDEX certificates_by_server ON certificates (server);
        CREATE INDEX certificates_by_expiry ON certificates (expires_at);

        CREATE TABLE revocations (
            server TEXT NOT NULL PRIMARY KEY,
            at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE enrollment_tokens (
            digest TEXT NOT NULL PRIMARY KEY,
            server TEXT NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            used_at TEXT
        ) STRICT;
        CREATE INDEX enrollment_tokens_by_server ON enrollment_tokens (server);
        """

    /// The settings have one row, and none before anybody has set any.
    private static let zones = """
        CREATE TABLE zones (
            name TEXT NOT NULL PRIMARY KEY,
            document TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE settings (
            name TEXT NOT NULL PRIMARY KEY,
            document TEXT NOT NULL,
            revision INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        ) STRICT;
        """
}
