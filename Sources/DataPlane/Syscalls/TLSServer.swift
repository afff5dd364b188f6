import COpenSSL
public import Domain
import Glibc

/// What TLS connections are accepted with: a key and a certificate made in memory, gone when this is let go.
///
/// The certificate signs itself. It is for checks of uptime, which want to know that TLS passes through from end to
/// end; who wants to know whom they talk to asks an endpoint. Connections keep what they need, so a server may be
/// replaced while some are open.
@safe
public struct TLSServer: ~Copyable {
    private let context: OpaquePointer

    /// Makes a P-256 key and a certificate for `names` that holds from an hour ago, since clocks differ, and for ten
    /// years.
    public init(names: [DomainName]) throws(TLSError) {
        // libssl writes to sockets with write(2), and a peer that has left must not end the process.
        _ = signal(SIGPIPE, SIG_IGN)
        ERR_clear_error()
        let certificate = try SelfSigned(names: names)
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw TLSError("making a TLS context") }
        guard unsafe openssl_prepare_server(context) == 1,
            unsafe SSL_CTX_use_certificate(context, certificate.certificate) == 1,
            unsafe SSL_CTX_use_PrivateKey(context, certificate.key) == 1
        else {
            unsafe SSL_CTX_free(context)
            throw TLSError("preparing a TLS context")
        }
        unsafe self.context = context
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// The server's end of a connection that has just been accepted. The socket stays the caller's to close.
    public func connection(over socket: Socket) throws(TLSError) -> TLSConnection {
        try unsafe TLSConnection(context, over: socket, isClient: false)
    }
}

/// A key and the certificate that it signed, on their way into a context.
@safe
private struct SelfSigned: ~Copyable {
    let key: OpaquePointer
    let certificate: OpaquePointer

    private static let hour = 3600
    private static let tenYears = 10 * 365 * 24 * hour

    init(names: [DomainName]) throws(TLSError) {
        guard let key = unsafe openssl_make_p256_key() else { throw TLSError("making a key") }
        guard let certificate = unsafe X509_new() else {
            unsafe EVP_PKEY_free(key)
            throw TLSError("making a certificate")
        }
        guard unsafe SelfSigned.fill(certificate, key: key, names: names) else {
            unsafe X509_free(certificate)
            unsafe EVP_PKEY_free(key)
            throw TLSError("making a certificate")
        }
        unsafe self.key = key
        unsafe self.certificate = certificate
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    private static func fill(_ certificate: OpaquePointer, key: OpaquePointer, names: [DomainName]) -> Bool {
        let version3 = 2  // counted from 0
        guard unsafe X509_set_version(certificate, version3) == 1, unsafe X509_set_pubkey(certificate, key) == 1,
            unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64(Int64.max))) == 1,
            unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -hour) != nil,
            unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), tenYears) != nil
        else { return false }
        // The names are in the extension, where every client looks; a common name has room for 64 octets only.
        let subject = unsafe X509_get_subject_name(certificate)
        guard
            unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG | 1, "D-Direct monitor endpoint", -1, -1, 0)
                == 1,
            unsafe X509_set_issuer_name(certificate, subject) == 1
        else { return false }
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "serverAuth"), (NID_subject_key_identifier, "hash"),
        ]
        if !names.isEmpty {
            // Domain names have letters, digits, hyphens, underscores and dots only, so nothing here is taken for
            // syntax.
            extensions.append((NID_subject_alt_name, names.map { "DNS:\($0)" }.joined(separator: ",")))
        }
        for (kind, value) in extensions {
            guard unsafe openssl_add_extension(certificate, kind, value) == 1 else { return false }
        }
        return unsafe X509_sign(certificate, key, EVP_sha256()) > 0
    }
}
