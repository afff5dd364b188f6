import Fleet
package import Store

/// What the API shows of a token.
package struct TokenRecord: Sendable {
    package let name: String
    package let createdAt: String
}

/// The tokens of the API, as rows of the store.
package struct TokenRows: Sendable {
    package let store: Store

    package init(store: Store) {
        self.store = store
    }

    /// Every token's name, by the digest of its secret.
    func names() async throws -> [String: TokenName] {
        try await store.read { connection in
            var tokens: [String: TokenName] = [:]
            for row in try connection.rows("SELECT digest, name FROM tokens") {
                tokens[try row.text(0)] = TokenName(checked: try row.text(1))
            }
            return tokens
        }
    }

    func records(after key: String?, limit: Int) async throws -> Page<TokenRecord, String> {
        let records = try await store.read { connection in
            try connection.rows(
                "SELECT name, created_at FROM tokens WHERE name > ? ORDER BY name LIMIT ?",
                [.text(key ?? ""), .integer(Int64(limit + 1))]
            ).map { TokenRecord(name: try $0.text(0), createdAt: try $0.text(1)) }
        }
        return Page(elements: Array(records.prefix(limit)), next: records.count > limit ? records[limit - 1].name : nil)
    }

    func add(_ name: TokenName, digest: String, _ request: ChangeRequest) async throws {
        let at = Timestamp.text(store.now())
        _ = try await store.write { connection in
            guard try connection.rows("SELECT name FROM tokens WHERE name = ?", [.text(name.text)]).isEmpty else {
                throw Rejection(violations: [.conflict("/name", "Token \(name) exists already; expected a new name.")])
            }
            try connection.execute(
                "INSERT INTO tokens (name, digest, created_at) VALUES (?, ?, ?)",
                [.text(name.text), .text(digest), .text(at)])
            try AuditRecord.insert(
                request, at: at, version: nil, done: true, detail: "create token \(name)", connection)
            return true
        }
    }

    /// Removes a token, and answers the digest of its secret.
    func remove(_ name: TokenName, _ request: ChangeRequest) async throws -> String {
        let at = Timestamp.text(store.now())
        let digest = try await store.write { connection -> String? in
            let rows = try connection.rows("SELECT digest FROM tokens WHERE name = ?", [.text(name.text)])
            guard let digest = try rows.first?.text(0) else {
                throw ChangeRefusal.notFound("There is no token \(name).")
            }
            guard try connection.rows("SELECT name FROM tokens LIMIT 2").count > 1 else {
                throw Rejection(violations: [
                    .conflict(
                        "",
                        "Token \(name) is the last one, and without it nobody could use the API; expected another one first."
                    )
                ])
            }
            try connection.execute("DELETE FROM tokens WHERE name = ?", [.text(name.text)])
            try AuditRecord.insert(
                request, at: at, version: nil, done: true, detail: "delete token \(name)", connection)
            return digest
        }
        return digest ?? ""
    }
}
