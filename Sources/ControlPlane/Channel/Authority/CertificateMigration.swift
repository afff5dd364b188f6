package import Store

extension Migration {
    /// No references to servers: what a server held must be known for as long as somebody might show it, also when the
    /// server is gone.
    package static let certificates = Migration(
        name: "certificates of the channel",
        sql: """
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
            """)
}
