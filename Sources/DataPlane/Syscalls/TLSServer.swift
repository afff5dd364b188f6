import COpenSSL
public import Domain
import Glibc

/// A failure of libssl: what we were about, and the library's own reason.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    public let action: String
    public let reason: String

    /// Takes the reason from this thread's queue of errors, and empties it.
    init(_ action: String) {
        self.action = action
        reason = TLSError.takeReason()
    }

    public var description: String { "\(action): \(reason)" }

    /// The oldest error is the cause; those after it say only who passed it on.
    static func takeReason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "libssl gives no reason" }
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code) of libssl" }
        return unsafe String(cString: text)
    }
}

/// What TLS connections are accepted with: a key and a certificate made in memory, gone when this is let go.
///
/// The certificate signs itself. It is for checks of uptime, which want to know that TLS passes through from end to end; who wants to know
/// whom they talk to asks an endpoint. Connections keep what they need, so a server may be replaced while some are open.
@safe
public struct TLSServer: ~Copyable {
    private let context: OpaquePointer

    /// Makes a P-256 key and a certificate for `names` that holds from an hour ago, since clocks differ, and for ten years.
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
        ERR_clear_error()
        guard let connection = unsafe SSL_new(context) else { throw TLSError("making a TLS connection") }
        guard unsafe SSL_set_fd(connection, socket.number) == 1 else {
            unsafe SSL_free(connection)
            throw TLSError("giving a TLS connection its socket")
        }
        unsafe SSL_set_accept_state(connection)
        return unsafe TLSConnection(connection)
    }
}

/// How a step of a TLS connection went.
public enum TLSOutcome: Equatable, Sendable {
    /// So many bytes have moved; 0 for a handshake that is complete.
    case done(Int)
    /// To be tried again when the socket is readable, whatever the step was.
    case wantsRead
    /// To be tried again when the socket is writable, whatever the step was.
    case wantsWrite
    /// The peer has said that it sends no more.
    case ended
    /// Of no further use; the reason is for a log.
    case failed(String)
}

/// The server's end of one TLS connection over a non-blocking socket.
@safe
public struct TLSConnection: ~Copyable {
    private let connection: OpaquePointer

    fileprivate init(_ connection: OpaquePointer) { unsafe self.connection = connection }

    deinit { unsafe SSL_free(connection) }

    public func handshake() -> TLSOutcome {
        ERR_clear_error()
        let answer = unsafe SSL_accept(connection)
        return answer == 1 ? .done(0) : outcome(of: answer)
    }

    public func receive(into buffer: Buffer, at offset: Int, upTo count: Int) -> TLSOutcome {
        ERR_clear_error()
        var received = 0
        let answer = unsafe SSL_read_ex(connection, buffer.address(offset, count), count, &received)
        return answer == 1 ? .done(received) : outcome(of: answer)
    }

    /// A send that has to be tried again must be tried with the same bytes, and with no fewer.
    public func send(_ buffer: Buffer, at offset: Int, count: Int) -> TLSOutcome {
        ERR_clear_error()
        var sent = 0
        let answer = unsafe SSL_write_ex(connection, buffer.address(offset, count), count, &sent)
        return answer == 1 ? .done(sent) : outcome(of: answer)
    }

    /// Tells the peer that nothing more is sent, so that it can tell the end from a cut. If the socket has no room the word is lost.
    public func sendEnd() {
        ERR_clear_error()
        unsafe _ = SSL_shutdown(connection)
    }

    private func outcome(of answer: CInt) -> TLSOutcome {
        switch unsafe SSL_get_error(connection, answer) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL: return .failed("the connection was lost")
        default: return .failed(TLSError.takeReason())
        }
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
            // Domain names have letters, digits, hyphens and dots only, so nothing here is taken for syntax.
            extensions.append((NID_subject_alt_name, names.map { "DNS:\($0)" }.joined(separator: ",")))
        }
        for (kind, value) in extensions {
            guard unsafe openssl_add_extension(certificate, kind, value) == 1 else { return false }
        }
        return unsafe X509_sign(certificate, key, EVP_sha256()) > 0
    }
}
