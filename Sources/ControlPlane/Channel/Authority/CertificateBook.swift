import Domain
import Store

/// Which certificates of the channel are dead, in memory: asked at every handshake.
///
/// A certificate that the store knows is dead when it was revoked. One that it does not know is dead when its server's
/// certificates were revoked after it began to be valid: the database may be a backup that is older than the
/// certificate, and a revocation reaches what the backup never heard of. Moments are texts, as in the store, where they
/// sort as moments do.
struct CertificateBook: Sendable {
    private struct Entry {
        let server: ServerName
        let expiresAt: String
        var isRevoked: Bool
    }

    /// By serial number, those that have not expired.
    private var entries: [String: Entry] = [:]
    /// When a server's certificates were revoked last.
    private var revocations: [ServerName: String] = [:]

    init() {}

    /// Reads it from the store's tables.
    init(_ connection: SQLConnection, at: String) throws {
        let rows = try connection.rows(
            "SELECT serial, server, expires_at, revoked_at FROM certificates WHERE expires_at > ?", [.text(at)])
        for row in rows {
            entries[try row.text(0)] = Entry(
                server: ServerName(checked: try row.text(1)), expiresAt: try row.text(2), isRevoked: !row.isNull(3))
        }
        for row in try connection.rows("SELECT server, at FROM revocations") {
            revocations[ServerName(checked: try row.text(0))] = try row.text(1)
        }
    }

    mutating func add(_ certificate: IssuedCertificate, at: String) {
        entries = entries.filter { $0.value.expiresAt > at }
        entries[certificate.serial] = Entry(
            server: certificate.server, expiresAt: Timestamp.text(certificate.notAfter), isRevoked: false)
    }

    /// Revokes everything that `server` has at this moment.
    mutating func revoke(_ server: ServerName, at: String) {
        for (serial, entry) in entries where entry.server == server { entries[serial]?.isRevoked = true }
        revocations[server] = at
    }

    func isRevoked(_ peer: PeerCertificate) -> Bool {
        if let entry = entries[peer.serial] { return entry.isRevoked }
        guard let revocation = revocations[peer.server] else { return false }
        return Timestamp.text(peer.notBefore) < revocation
    }
}
