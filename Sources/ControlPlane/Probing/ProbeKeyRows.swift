package import Store

extension Migration {
    /// The fleet's probe key: one row, and none before the first start that knows of it. A secret: it is read at a
    /// start, and by nobody else.
    package static let probeKey = Migration(
        name: "the key of probes",
        sql: """
            CREATE TABLE probe_keys (
                id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
                secret TEXT NOT NULL,
                created_at TEXT NOT NULL
            ) STRICT;
            """)
}

extension ProbeKeys {
    /// The fleet's probe key, which the first call draws.
    package static func stored(in store: Store) async throws -> ProbeKeys {
        let at = Timestamp.text(store.now())
        let drawn = ProbeKeys.draw()
        let text = try await store.write { connection in
            try connection.execute(
                "INSERT INTO probe_keys (id, secret, created_at) VALUES (1, ?, ?) ON CONFLICT (id) DO NOTHING",
                [.text(drawn), .text(at)])
            return try connection.rows("SELECT secret FROM probe_keys WHERE id = 1").first?.text(0)
        }
        // The text stays out of the message.
        guard let text, let keys = ProbeKeys(hexadecimal: text) else {
            throw StoreFailure.damaged("the fleet's probe key is no \(2 * ProbeKeys.length) hexadecimal digits")
        }
        return keys
    }
}
