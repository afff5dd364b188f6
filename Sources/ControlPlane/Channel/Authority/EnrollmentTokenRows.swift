import Domain
import Fleet
import Store

/// The tokens with which servers enroll, as rows of the store.
extension CertificateRows {
    /// Stores a token that enrolls `server` once. One that was not used yet stops working: a server has one at a time.
    func addToken(
        digest: String, for server: ServerName, until expiry: String, _ request: ChangeRequest
    ) async throws {
        let at = Timestamp.text(store.now())
        let end = retentionEnd()
        _ = try await store.write { connection in
            guard try connection.has(.server, server.text) else {
                throw ChangeRefusal.notFound("There is no server '\(server)'.")
            }
            try connection.execute("DELETE FROM enrollment_tokens WHERE expires_at < ?", [.text(end)])
            try CertificateRows.withdrawTokens(of: server, connection)
            try connection.execute(
                "INSERT INTO enrollment_tokens (digest, server, created_at, expires_at) VALUES (?, ?, ?, ?)",
                [.text(digest), .text(server.text), .text(at), .text(expiry)])
            try AuditRecord.insert(
                request, at: at, version: nil, done: true,
                detail: "grant server \(server) a token to enroll with until \(expiry)", connection)
            return true
        }
    }

    /// Marks a token as used, and answers the server that it is for.
    static func redeem(_ digest: String, at: String, _ connection: SQLConnection) throws -> ServerName {
        let rows = try connection.rows(
            "SELECT server, expires_at, used_at FROM enrollment_tokens WHERE digest = ?", [.text(digest)])
        guard let row = rows.first else { throw EnrollmentRefusal.unknownToken }
        let server = ServerName(checked: try row.text(0))
        guard row.isNull(2) else { throw EnrollmentRefusal.usedToken(server, at: try row.text(2)) }
        let expiry = try row.text(1)
        guard expiry > at else { throw EnrollmentRefusal.expiredToken(server, at: expiry) }
        try connection.execute(
            "UPDATE enrollment_tokens SET used_at = ? WHERE digest = ?", [.text(at), .text(digest)])
        return server
    }

    /// Used ones stay, so that a replay can be told from a token that never was.
    static func withdrawTokens(of server: ServerName, _ connection: SQLConnection) throws {
        try connection.execute(
            "DELETE FROM enrollment_tokens WHERE server = ? AND used_at IS NULL", [.text(server.text)])
    }
}
