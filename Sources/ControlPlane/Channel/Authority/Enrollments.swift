import Access
package import Domain
package import FoundationEssentials
import Store

/// Who may connect as which server: grants tokens, exchanges them for certificates, renews those, and takes them back.
///
/// A serial number that the store does not know is accepted as long as the authority signed it: after the restore of an
/// old backup, a server that renewed since must not be locked out. A revocation reaches those too (see
/// ``CertificateBook``).
package final class Enrollments: Sendable {
    private let keeper: AuthorityKeeper
    private let rows: CertificateRows
    /// How long a data plane's certificate is valid.
    private let lifetime: Duration
    private let now: @Sendable () -> Date

    /// Longer than any token that we draw; more is not even digested.
    private static let longestToken = 200

    /// Reads which certificates are revoked.
    package init(
        _ rows: CertificateRows, authority keeper: AuthorityKeeper, lifetime: Duration,
        now: @escaping @Sendable () -> Date = { Date() }
    ) async throws {
        self.rows = rows
        self.keeper = keeper
        self.lifetime = lifetime
        self.now = now
        try await rows.read()
    }

    package var authority: ChannelAuthority { keeper.authority }

    /// A token with which `server` can enroll once. It is shown this once, and replaces one that was not used yet.
    package func grant(_ server: ServerName, validFor: Duration, by author: String) async throws -> EnrollmentToken {
        let token = EnrollmentToken(for: server, until: now().addingTimeInterval(Double(validFor.components.seconds)))
        try await rows.addToken(
            digest: AccessToken.digest(of: token.secret), for: server, until: Timestamp.text(token.expiresAt),
            ChangeRequest(author: author, action: "server.enroll.token", target: server.text))
        return token
    }

    /// The first certificate of the server that `token` is for. The token is used up when this succeeds, and only then.
    ///
    /// `request` is a PKCS#10 request in DER.
    func enroll(token: String, request: [UInt8]) async throws(EnrollmentRefusal) -> IssuedCertificate {
        guard token.utf8.count <= Enrollments.longestToken else { throw .unknownToken }
        do {
            return try await rows.enroll(digest: AccessToken.digest(of: token)) { server in
                try self.issue(to: server, request)
            }
        } catch {
            throw EnrollmentRefusal(error)
        }
    }

    /// The certificate that follows the one that `peer` has shown by TLS.
    func renew(_ peer: PeerCertificate, request: [UInt8]) async throws(EnrollmentRefusal) -> IssuedCertificate {
        do {
            return try await rows.renew(peer) { try self.issue(to: peer.server, request) }
        } catch {
            throw EnrollmentRefusal(error)
        }
    }

    /// Whether this certificate was revoked, be it one that a backup of the store does not know. From memory.
    func isRevoked(_ certificate: PeerCertificate) -> Bool { rows.revocations.isRevoked(certificate) }

    /// Revokes all certificates of `server`, and its unused token. Answers how many certificates were in force.
    package func revoke(_ server: ServerName, by author: String) async throws -> Int {
        try await rows.revokeAll(
            of: server, ChangeRequest(author: author, action: "server.revoke", target: server.text))
    }

    private func issue(to server: ServerName, _ request: [UInt8]) throws -> IssuedCertificate {
        do {
            return try authority.issue(to: server, request: request, now: now(), lifetime: lifetime)
        } catch {
            throw EnrollmentRefusal.badRequest(error)
        }
    }
}

extension EnrollmentRefusal {
    /// What the store threw: a refusal of ours, or a failure of its own.
    fileprivate init(_ error: any Error) {
        self = (error as? EnrollmentRefusal) ?? .storeFailed("\(error)")
    }
}
