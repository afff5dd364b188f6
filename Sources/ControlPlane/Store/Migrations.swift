/// A step of the schema. A step that was released is never edited: the next one corrects it.
///
/// Each subject declares the steps of its own tables beside their statements. The SQL is that which SQLite and
/// PostgreSQL share, but for `STRICT`, which a driver for PostgreSQL would leave out.
package struct Migration: Sendable {
    package let name: String
    package let sql: String

    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }
}

extension SQLiteDriver {
    /// Brings the database to the newest schema, each step in a transaction together with its mark.
    ///
    /// `steps` are all that this release knows, in the order in which they were released: a step's number is its place.
    func migrate(_ steps: [Migration], at now: String) async throws {
        let done = try await write { connection in
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
        guard number <= steps.count else { throw StoreFailure.tooNew(schema: number, known: steps.count) }
        for (index, step) in steps.enumerated().dropFirst(number) {
            _ = try await write { connection in
                try connection.executeScript(step.sql)
                try connection.execute(
                    "INSERT INTO migrations (number, name, at) VALUES (?, ?, ?)",
                    [.integer(Int64(index + 1)), .text(step.name), .text(now)])
                return true
            }
        }
    }
}
