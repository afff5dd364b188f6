extension Migration {
    /// A resource's `document` is what the operator wrote, as JSON; what is constrained or looked up stands beside it
    /// in columns and tables of its own. References are checked at the end of a transaction, since a restored version
    /// moves many rows at once.
    ///
    /// The first release made the table of tokens in the same step, and so it stays.
    package static let fleet = Migration(
        name: "fleet, versions and audit",
        sql: """
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
            """)

    /// The settings have one row, and none before anybody has set any.
    package static let zones = Migration(
        name: "zones and settings",
        sql: """
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
            """)
}
