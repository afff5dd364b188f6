import COpenSSL
import Glibc

/// A private key that was made here and has not left this process: the beginning of an identity.
@safe
public struct IdentityKey: ~Copyable {
    fileprivate let key: OpaquePointer

    /// Makes a P-256 key.
    public init() throws(TLSError) {
        ERR_clear_error()
        guard let key = unsafe openssl_make_p256_key() else { throw TLSError("making a key") }
        unsafe self.key = key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// A request for a certificate for this key (PKCS #10, RFC 2986, DER). It names nobody: for whom it is, the control
    /// plane knows.
    public func certificateRequest() throws(TLSError) -> [UInt8] {
        ERR_clear_error()
        guard let octets = unsafe filled({ unsafe openssl_write_request(key, $0, $1) }) else {
            throw TLSError("making a certificate request")
        }
        return octets
    }

    /// The identity file of this key and `certificate` (DER): both as PEM, the key first (PKCS #8).
    public func identityFile(certificate der: [UInt8]) throws(TLSError) -> [UInt8] {
        ERR_clear_error()
        let certificate = try TLSCertificate(der: der)
        guard unsafe X509_check_private_key(certificate.certificate, key) == 1 else {
            throw TLSError("matching the certificate with its key")
        }
        guard let octets = unsafe filled({ unsafe openssl_write_identity(key, certificate.certificate, $0, $1) }) else {
            throw TLSError("writing a key and its certificate")
        }
        return octets
    }
}

/// An X.509 certificate (RFC 5280), as far as an end of the channel looks into it.
@safe
public struct TLSCertificate: ~Copyable {
    fileprivate let certificate: OpaquePointer

    public init(der: [UInt8]) throws(TLSError) {
        ERR_clear_error()
        let read = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            return unsafe d2i_X509(nil, &start, buffer.count)
        }
        guard let read = unsafe read else { throw TLSError("reading a certificate") }
        unsafe certificate = read
    }

    /// The first certificate in a PEM text.
    public init(pem: [UInt8]) throws(TLSError) {
        ERR_clear_error()
        guard let certificate = unsafe openssl_pem_certificate(pem, Int32(clamping: pem.count)) else {
            throw TLSError("reading a certificate")
        }
        unsafe self.certificate = certificate
    }

    fileprivate init(owning certificate: OpaquePointer) { unsafe self.certificate = certificate }

    deinit { unsafe X509_free(certificate) }

    /// From when it holds, in seconds since 1970.
    public var notBefore: Int64 { unsafe openssl_seconds(X509_get0_notBefore(certificate)) }

    /// Until when it holds, in seconds since 1970.
    public var notAfter: Int64 { unsafe openssl_seconds(X509_get0_notAfter(certificate)) }

    /// The one URI among its names; nil when there is none, or more than one.
    public var uri: String? {
        guard let octets = unsafe filled({ unsafe openssl_uri(certificate, $0, $1) }) else { return nil }
        return String(validating: octets, as: UTF8.self)
    }

    public var pem: [UInt8] { unsafe filled { unsafe openssl_write_identity(nil, certificate, $0, $1) } ?? [] }
}

extension TLSConnection {
    /// The certificate with this SHA-256 among those that the other end has shown.
    public func certificate(fingerprint: [UInt8]) -> TLSCertificate? {
        guard let shown = unsafe shownCertificate(fingerprint: fingerprint) else { return nil }
        return unsafe TLSCertificate(owning: shown)
    }
}

/// What TLS connections are opened with: TLS 1.3 (RFC 8446) but for probes, whom to trust, and who we are.
@safe
public struct TLSClient: ~Copyable {
    private let context: OpaquePointer

    /// Trusts `authority` (PEM) alone, and only a peer whose certificate has the DNS name `peer`. `identity` (PEM, the
    /// key and then the certificate) is shown to the peer; without it we are nobody yet.
    public init(authority: [UInt8], peer: String, identity: [UInt8]?) throws(TLSError) {
        let certificate = try TLSCertificate(pem: authority)
        let context = unsafe try TLSClient.makeContext(peer: peer)
        do throws(TLSError) {
            guard unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.certificate) == 1 else {
                throw TLSError("trusting the authority")
            }
            if let identity { try unsafe TLSClient.show(identity, context) }
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        unsafe self.context = context
    }

    /// Talks to whoever answers, to look at the certificates that it shows. Nothing is to be sent over such a
    /// connection.
    public init(trustingAnyone: Void) throws(TLSError) { unsafe context = try TLSClient.makeContext(peer: nil) }

    /// Talks to whoever answers, by TLS 1.2 or later, to see whether it does: for uptime checks, over which nothing
    /// secret goes.
    public init(probing: Void) throws(TLSError) { unsafe context = try TLSClient.makeContext(peer: nil, probes: true) }

    deinit { unsafe SSL_CTX_free(context) }

    /// Our end of a connection over a socket that is connected. The socket stays the caller's to close.
    public func connection(over socket: Socket) throws(TLSError) -> TLSConnection {
        try unsafe TLSConnection(context, over: socket, isClient: true)
    }

    private static func makeContext(peer: String?, probes: Bool = false) throws(TLSError) -> OpaquePointer {
        // libssl writes to sockets with write(2), and a peer that has left must not end the process.
        _ = signal(SIGPIPE, SIG_IGN)
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw TLSError("making a TLS context") }
        let prepared = unsafe probes ? openssl_prepare_probe(context) : openssl_prepare_client(context, peer)
        guard prepared == 1 else {
            unsafe SSL_CTX_free(context)
            throw TLSError("preparing a TLS context")
        }
        return unsafe context
    }

    private static func show(_ identity: [UInt8], _ context: OpaquePointer) throws(TLSError) {
        let certificate = try TLSCertificate(pem: identity)
        guard let key = unsafe openssl_pem_key(identity, Int32(clamping: identity.count)) else {
            throw TLSError("reading the private key")
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe SSL_CTX_use_certificate(context, certificate.certificate) == 1,
            unsafe SSL_CTX_use_PrivateKey(context, key) == 1
        else { throw TLSError("matching the certificate with its key") }
    }
}

/// Octets that `write` puts into room for them: it answers how many they are, or 0 when there are none to be had.
private func filled(_ write: (UnsafeMutablePointer<UInt8>, Int) -> Int) -> [UInt8]? {
    let octets = unsafe [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
        guard let start = buffer.baseAddress else { return }
        count = unsafe min(max(0, write(start, buffer.count)), buffer.count)
    }
    return octets.isEmpty ? nil : octets
}
