package import Store

extension Migration {
    /// Alerts, and what became of each at each webhook. A delivery is over when `done_at` is there: it has arrived, or
    /// was given up, and then `last_error` says why.
    package static let alerts = Migration(
        name: "alerts",
        sql: """
            CREATE TABLE alerts (
                id INTEGER NOT NULL PRIMARY KEY,
                at TEXT NOT NULL,
                kind TEXT NOT NULL,
                body TEXT NOT NULL
            ) STRICT;
            CREATE INDEX alerts_by_age ON alerts (at);

            CREATE TABLE alert_deliveries (
                alert INTEGER NOT NULL REFERENCES alerts (id) DEFERRABLE INITIALLY DEFERRED,
                url TEXT NOT NULL,
                attempts INTEGER NOT NULL,
                next_at TEXT NOT NULL,
                done_at TEXT,
                last_error TEXT,
                PRIMARY KEY (alert, url)
            ) STRICT;
            CREATE INDEX alert_deliveries_by_due ON alert_deliveries (done_at, url, next_at);
            """)
}
