import Access
import Domain
package import FoundationEssentials

/// What lets whoever shows it be a server, once: carried to the server by its operator. The store keeps its digest.
package struct EnrollmentToken: Sendable {
    package let secret: String
    let server: ServerName
    package let expiresAt: Date

    /// Draws a new one.
    init(for server: ServerName, until expiry: Date) {
        secret = AccessToken.drawSecret(prefix: "dde_")
        self.server = server
        expiresAt = expiry
    }
}
