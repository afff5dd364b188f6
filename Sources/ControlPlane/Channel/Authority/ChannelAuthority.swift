import Crypto
import Domain
import FoundationEssentials
import Wire
import X509

/// The certificate authority of the channel: it says which data plane is which server, and that the control plane is
/// the control plane.
///
/// It is the only root that either end trusts, and signs nothing but the two kinds of certificates below. Its key never
/// leaves its file and this process; who holds the key can be any server.
package struct ChannelAuthority: Sendable {
    private let key: P256.Signing.PrivateKey
    private let certificate: Certificate
    /// Its own certificate, which a data plane keeps as its trust root.
    let derCertificate: [UInt8]

    /// Longer than any machine of the fleet is likely to run: its end means to enroll every server anew.
    private static let lifetime = Duration.seconds(20 * 8766 * 3600)
    /// The authority's own certificate begins a day early, so that none that it signs begins before it.
    private static let ownBackdating = Duration.seconds(24 * 3600)
    /// Clocks of two machines that are further apart than this are a fault to be mended.
    private static let longestBackdating = Duration.seconds(3600)
    /// Octets of a request; one for a P-256 key has some 300.
    static let largestRequest = 8 << 10

    /// Trusts that the key is the certificate's.
    init(key: P256.Signing.PrivateKey, certificate: Certificate) throws {
        self.key = key
        self.certificate = certificate
        derCertificate = try certificate.der
    }

    /// A new one, with a new key.
    static func make(now: Date) throws -> ChannelAuthority {
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let name = try DistinguishedName { CommonName("D-Direct channel authority") }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: .random(),
            publicKey: publicKey,
            notValidBefore: now.addingTimeInterval(-ownBackdating.inSeconds),
            notValidAfter: now.addingTimeInterval(lifetime.inSeconds),
            issuer: name,
            subject: name,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(key))
        return try ChannelAuthority(key: key, certificate: certificate)
    }

    /// What an operator compares, and gives to a server that enrols: the SHA-256 of the certificate, as
    /// `openssl x509 -fingerprint -sha256` shows it but for the colons.
    package var fingerprint: String { "sha256:" + SHA256.hash(data: derCertificate).hexadecimal }

    /// The key and the certificate as they stand in the authority's file.
    var pem: String {
        get throws { "\(key.pemRepresentation)\n\(try certificate.serializeAsPEM().pemString)\n" }
    }

    /// The end of the authority, and of everything that it signed.
    var expiry: Date { certificate.notValidAfter }

    /// A fresh key and certificate for the control plane's end of the channel.
    func ownIdentity(now: Date, lifetime: Duration) throws -> (certificate: [UInt8], privateKeyPEM: String) {
        let key = P256.Signing.PrivateKey()
        let certificate = try sign(
            key.publicKey, named: ChannelNames.control, as: .dnsName(ChannelNames.control), for: .serverAuth, now: now,
            lifetime: lifetime)
        return (try certificate.der, key.pemRepresentation)
    }

    /// Signs a certificate that says: whoever holds this key is `server`.
    ///
    /// `request` is a PKCS#10 request in DER. It proves that its sender holds the key; nothing else in it is looked at,
    /// so that a server can ask for no other name, use or time than it is given.
    func issue(
        to server: ServerName, request: [UInt8], now: Date, lifetime: Duration
    ) throws(RequestRefusal) -> IssuedCertificate {
        let key = try ChannelAuthority.provenKey(in: request)
        guard now < expiry else { throw .authorityExpired }
        do {
            let certificate = try sign(
                key, named: server.text, as: .uniformResourceIdentifier(ChannelNames.uri(of: server)), for: .clientAuth,
                now: now, lifetime: lifetime)
            return IssuedCertificate(
                der: try certificate.der, serial: certificate.serialNumber.hexadecimal, server: server,
                notBefore: certificate.notValidBefore, notAfter: certificate.notValidAfter)
        } catch {
            throw .notSigned("\(error)")
        }
    }

    /// The key of a request that is signed with it.
    private static func provenKey(in request: [UInt8]) throws(RequestRefusal) -> P256.Signing.PublicKey {
        guard request.count <= largestRequest else { throw .tooLong(octets: request.count) }
        let parsed: CertificateSigningRequest
        do {
            parsed = try CertificateSigningRequest(derEncoded: request)
        } catch {
            throw .malformed
        }
        // Before the signature: the sender decides how much a key of another kind costs to verify.
        guard let key = P256.Signing.PublicKey(parsed.publicKey) else { throw .otherKey }
        guard parsed.publicKey.isValidSignature(parsed.signature, for: parsed) else { throw .notProven }
        return key
    }

    private func sign(
        _ subjectKey: P256.Signing.PublicKey, named name: String, as alternativeName: GeneralName,
        for use: ExtendedKeyUsage.Usage, now: Date, lifetime: Duration
    ) throws -> Certificate {
        let backdating = min(ChannelAuthority.longestBackdating, lifetime / 10)
        let ownIdentifier =
            try certificate.extensions.subjectKeyIdentifier
            ?? SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
        return try Certificate(
            version: .v3,
            serialNumber: .random(),
            publicKey: Certificate.PublicKey(subjectKey),
            notValidBefore: now.addingTimeInterval(-backdating.inSeconds),
            notValidAfter: min(now.addingTimeInterval(lifetime.inSeconds), expiry),
            issuer: certificate.subject,
            subject: try DistinguishedName { CommonName(name) },
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([use])
                SubjectAlternativeNames([alternativeName])
                AuthorityKeyIdentifier(keyIdentifier: ownIdentifier.keyIdentifier)
            },
            issuerPrivateKey: Certificate.PrivateKey(key))
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
