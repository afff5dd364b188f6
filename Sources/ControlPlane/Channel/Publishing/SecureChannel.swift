package import Domain
import FoundationEssentials
import NIOSSL
import Synchronization

/// The channel over TCP: where it listens, with what certificate, and who gives the data planes theirs.
package struct SecureChannel: Sendable {
    package let authority: AuthorityKeeper
    package let addresses: [TransportAddress]
    package let tls: ChannelTLS
    package let enrollments: Enrollments

    package init(authority: AuthorityKeeper, addresses: [TransportAddress], tls: ChannelTLS, enrollments: Enrollments) {
        self.authority = authority
        self.addresses = addresses
        self.tls = tls
        self.enrollments = enrollments
    }
}

/// What TLS connections of data planes are accepted with: TLS 1.3 (RFC 8446), our own certificate, and our authority as
/// the only one that theirs may be of. A connection without a certificate is accepted, too; what may be said over it is
/// `SessionMachine`'s to judge.
package final class ChannelTLS: Sendable {
    private struct Current {
        let context: NIOSSLContext
        let until: Date
    }

    private let keeper: AuthorityKeeper
    private let current = Mutex<Current?>(nil)

    /// Our own certificate lives in memory, and for this long; a new one is made when half of that is over.
    static let lifetime = Duration.seconds(30 * 86_400)

    package init(_ keeper: AuthorityKeeper) throws {
        self.keeper = keeper
        _ = try context(at: Date())
    }

    /// The context for a connection that begins now.
    func context(at now: Date) throws -> NIOSSLContext {
        try current.withLock { current in
            if let current, now < current.until { return current.context }
            let context = try ChannelTLS.context(keeper.authority, now: now)
            current = Current(
                context: context, until: now.addingTimeInterval(Double(ChannelTLS.lifetime.components.seconds) / 2))
            return context
        }
    }

    /// The authority may be another: connections from now on are judged by it.
    package func reload() { current.withLock { $0 = nil } }

    private static func context(_ authority: ChannelAuthority, now: Date) throws -> NIOSSLContext {
        let (certificate, key) = try authority.ownIdentity(now: now, lifetime: lifetime)
        let own = try NIOSSLCertificate(bytes: certificate, format: .der)
        let issuer = try NIOSSLCertificate(bytes: authority.derCertificate, format: .der)
        var configuration = TLSConfiguration.makeServerConfiguration(
            // The authority is shown too, so that who enrolls can know it by its fingerprint.
            certificateChain: [.certificate(own), .certificate(issuer)],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv13
        configuration.trustRoots = .certificates([issuer])
        configuration.certificateVerification = .optionalVerification
        return try NIOSSLContext(configuration: configuration)
    }
}

/// A failed TLS handshake in an operator's words.
enum HandshakeFailure {
    static func text(_ error: any Error) -> String {
        let cause = "\(error)"
        let known: [(mark: String, text: String)] = [
            ("HTTP_REQUEST", "it speaks HTTP and not TLS"),
            ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
            ("UNSUPPORTED_PROTOCOL", "it speaks a TLS older than 1.3"),
            ("CERTIFICATE_VERIFY_FAILED", "its certificate is not of our authority, or has expired"),
            ("ALERT_UNKNOWN_CA", "it does not trust our authority: it was enrolled at another control plane"),
            ("ALERT_BAD_CERTIFICATE", "it does not accept our certificate"),
            ("ALERT_CERTIFICATE_EXPIRED", "it says that our certificate has expired: its clock may be wrong"),
            ("uncleanShutdown", "it closed the connection before the TLS handshake was complete"),
        ]
        return known.first { cause.contains($0.mark) }?.text ?? "TLS failed: \(cause.prefix(300))"
    }
}
