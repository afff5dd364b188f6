package import Store

extension Migration {
    /// Failovers as documents. Rows that must be unique or outlive them have tables of their own: which decision moves
    /// a service now (the primary key is invariant 7), and where a failover has brought a service.
    package static let failovers = Migration(
        name: "failovers",
        sql: """
            CREATE TABLE failovers (
                id INTEGER NOT NULL PRIMARY KEY,
                is_over INTEGER NOT NULL,
                document TEXT NOT NULL
            ) STRICT;
            CREATE INDEX failovers_under_way ON failovers (is_over, id);

            CREATE TABLE failover_timeline (
                failover INTEGER NOT NULL REFERENCES failovers (id),
                number INTEGER NOT NULL,
                document TEXT NOT NULL,
                PRIMARY KEY (failover, number)
            ) STRICT;

            CREATE TABLE decisions (
                service TEXT NOT NULL PRIMARY KEY,
                failover INTEGER NOT NULL REFERENCES failovers (id)
            ) STRICT;

            CREATE TABLE placements (
                service TEXT NOT NULL PRIMARY KEY,
                server TEXT NOT NULL,
                failover INTEGER NOT NULL REFERENCES failovers (id)
            ) STRICT;

            CREATE TABLE overrides (
                server TEXT NOT NULL PRIMARY KEY,
                state TEXT NOT NULL,
                until TEXT NOT NULL,
                reason TEXT NOT NULL,
                author TEXT NOT NULL
            ) STRICT;

            CREATE TABLE freezes (
                id INTEGER NOT NULL PRIMARY KEY,
                since TEXT NOT NULL,
                until TEXT NOT NULL,
                reason TEXT NOT NULL,
                author TEXT NOT NULL
            ) STRICT;
            """)

    /// A row for each element of a failover's lists. One document would be written anew at each step of each of a
    /// thousand zones, which takes too long. (The statements that take old documents apart are SQLite's own; another
    /// database has no old documents.)
    package static let failoverParts = Migration(
        name: "failovers in parts",
        sql: """
            CREATE TABLE failover_parts (
                failover INTEGER NOT NULL REFERENCES failovers (id),
                part TEXT NOT NULL,
                place INTEGER NOT NULL,
                document TEXT NOT NULL,
                PRIMARY KEY (failover, part, place)
            ) STRICT;

            INSERT INTO failover_parts (failover, part, place, document)
                SELECT f.id, p.key, e.key, e.value FROM failovers f, json_each(f.document) p, json_each(p.value) e
                WHERE p.key IN ('moves', 'zones', 'traffic');

            UPDATE failovers SET document = json_remove(document, '$.moves', '$.zones', '$.traffic');
            """)
}
