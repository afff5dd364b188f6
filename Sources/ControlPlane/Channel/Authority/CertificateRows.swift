import Domain
package import Fleet
import FoundationEssentials
package import Store
import Synchronization

/// How long what has expired is kept: an operator who finds out late can still tell a replay from a stranger.
private let retention: Double = 30 * 24 * 60 * 60

/// Which certificates of the channel are dead, in memory, as the store's rows say it.
///
/// It changes inside the store's writer only, after the commit, so that it is as new as the rows are.
package final class Revocations: ChangeParticipant {
    fileprivate let book = Mutex(CertificateBook())

    package init() {}

    func isRevoked(_ peer: PeerCertificate) -> Bool { book.withLock { $0.isRevoked(peer) } }

    /// A server that leaves the configuration loses its certificates with it.
    package func follow(_ change: Change, _ request: ChangeRequest, at: String, _ connection: SQLConnection) throws {
        for server in change.removedServers {
            let count = try CertificateRows.revokeAll(of: server, at: at, connection)
            // A server that never enrolled has nothing that anybody would look for.
            guard count > 0 else { continue }
            try AuditRecord.insert(
                ChangeRequest(author: request.author, action: "server.revoke", target: server.text), at: at,
                version: change.version, done: true,
                detail: "revoke the certificates of server \(server), which is gone, of which \(count) were in force",
                connection)
        }
    }

    package func committed(_ change: Change, at: String) {
        book.withLock { book in
            for server in change.removedServers { book.revoke(server, at: at) }
        }
    }
}

/// The certificates that were issued, and which were revoked, as rows of the store.
package struct CertificateRows: Sendable {
    package let store: Store
    package let revocations: Revocations

    package init(store: Store, revocations: Revocations) {
        self.store = store
        self.revocations = revocations
    }

    /// Reads the certificate book, inside the writer, so that nothing is issued or revoked meanwhile.
    func read() async throws {
        let at = Timestamp.text(store.now())
        _ = try await store.write { connection in
            try CertificateBook(connection, at: at)
        } committed: { book in
            revocations.book.withLock { $0 = book }
        }
    }

    /// Signs and records a certificate in exchange for the token with this digest, which is used up by it; both or
    /// neither.
    ///
    /// `issue` signs for the server that the token is for. What it throws leaves the token as it was.
    func enroll(
        digest: String, _ issue: @escaping @Sendable (ServerName) throws -> IssuedCertificate
    ) async throws -> IssuedCertificate {
        let at = Timestamp.text(store.now())
        return try await issuing(at: at) { connection in
            let server = try CertificateRows.redeem(digest, at: at, connection)
            try CertificateRows.checkThere(server, connection)
            let certificate = try issue(server)
            let request = ChangeRequest(author: "server \(server)", action: "server.enroll", target: server.text)
            let expiry = Timestamp.text(certificate.notAfter)
            try AuditRecord.insert(
                request, at: at, version: nil, done: true,
                detail: "enroll server \(server) with certificate \(certificate.serial), valid until \(expiry)",
                connection)
            return certificate
        }
    }

    /// Signs and records the certificate that follows `peer`, unless that one is dead. Not audited: every server does
    /// it all the time.
    func renew(
        _ peer: PeerCertificate, _ issue: @escaping @Sendable () throws -> IssuedCertificate
    ) async throws -> IssuedCertificate {
        let at = Timestamp.text(store.now())
        return try await issuing(at: at) { connection in
            try CertificateRows.checkThere(peer.server, connection)
            guard Timestamp.text(peer.notAfter) > at else { throw EnrollmentRefusal.expiredCertificate(peer.server) }
            // Inside the writer the book is as new as the tables are.
            guard !revocations.isRevoked(peer) else { throw EnrollmentRefusal.revoked(peer.server) }
            return try issue()
        }
    }

    /// Revokes all certificates of a server, and its unused tokens; answers how many certificates that were in force.
    func revokeAll(of server: ServerName, _ request: ChangeRequest) async throws -> Int {
        let at = Timestamp.text(store.now())
        let count = try await store.write { connection -> Int? in
            guard try connection.has(.server, server.text) else {
                throw ChangeRefusal.notFound("There is no server '\(server)'.")
            }
            let count = try CertificateRows.revokeAll(of: server, at: at, connection)
            try AuditRecord.insert(
                request, at: at, version: nil, done: true,
                detail: "revoke the certificates of server \(server), of which \(count) were in force", connection)
            return count
        } committed: { _ in
            revocations.book.withLock { $0.revoke(server, at: at) }
        }
        return count ?? 0
    }

    /// The moment before which what has expired is forgotten.
    func retentionEnd() -> String { Timestamp.text(store.now().addingTimeInterval(-retention)) }

    private static func checkThere(_ server: ServerName, _ connection: SQLConnection) throws {
        guard try connection.has(.server, server.text) else { throw EnrollmentRefusal.serverGone(server) }
    }

    /// Runs `body` in a transaction that also records the certificate that it answers.
    private func issuing(
        at: String, _ body: @escaping @Sendable (SQLConnection) throws -> IssuedCertificate
    ) async throws -> IssuedCertificate {
        let end = retentionEnd()
        let certificate = try await store.write { connection -> IssuedCertificate? in
            let certificate = try body(connection)
            try connection.execute("DELETE FROM certificates WHERE expires_at < ?", [.text(end)])
            try connection.execute(
                "INSERT INTO certificates (serial, server, issued_at, expires_at) VALUES (?, ?, ?, ?)",
                [
                    .text(certificate.serial), .text(certificate.server.text), .text(at),
                    .text(Timestamp.text(certificate.notAfter)),
                ])
            return certificate
        } committed: { certificate in
            revocations.book.withLock { $0.add(certificate, at: at) }
        }
        guard let certificate else { throw StoreFailure.other("the writer gave no answer") }
        return certificate
    }

    fileprivate static func revokeAll(
        of server: ServerName, at: String, _ connection: SQLConnection
    ) throws -> Int {
        let inForce = try connection.rows(
            "SELECT serial FROM certificates WHERE server = ? AND revoked_at IS NULL AND expires_at > ?",
            [.text(server.text), .text(at)])
        try connection.execute(
            "UPDATE certificates SET revoked_at = ? WHERE server = ? AND revoked_at IS NULL",
            [.text(at), .text(server.text)])
        try connection.execute(
            "INSERT INTO revocations (server, at) VALUES (?, ?) ON CONFLICT (server) DO UPDATE SET at = excluded.at",
            [.text(server.text), .text(at)])
        try withdrawTokens(of: server, connection)
        return inForce.count
    }
}
