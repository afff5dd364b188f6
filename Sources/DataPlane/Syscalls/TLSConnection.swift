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
    /// The connection under it was reset, or closed without TLS's goodbye.
    case lost(String)
    /// Of no further use; the reason is for a log.
    case failed(String)
}

/// One end of a TLS connection over a non-blocking socket, whose closing stays its owner's.
@safe
public struct TLSConnection: ~Copyable {
    private let connection: OpaquePointer

    /// Over `socket`, by the rules of `context`, which is kept as long as it is needed.
    init(_ context: OpaquePointer, over socket: Socket, isClient: Bool) throws(TLSError) {
        ERR_clear_error()
        guard let connection = unsafe SSL_new(context) else { throw TLSError("making a TLS connection") }
        guard unsafe SSL_set_fd(connection, socket.number) == 1 else {
            unsafe SSL_free(connection)
            throw TLSError("giving a TLS connection its socket")
        }
        if isClient {
            unsafe SSL_set_connect_state(connection)
        } else {
            unsafe SSL_set_accept_state(connection)
        }
        unsafe self.connection = connection
    }

    deinit { unsafe SSL_free(connection) }

    public func handshake() -> TLSOutcome {
        ERR_clear_error()
        let answer = unsafe SSL_do_handshake(connection)
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

    /// Tells the peer that nothing more is sent, so that it can tell the end from a cut. If the socket has no room the
    /// word is lost.
    public func sendEnd() {
        ERR_clear_error()
        unsafe _ = SSL_shutdown(connection)
    }

    /// Says whom we call (SNI, RFC 6066 section 3); before the handshake. False when libssl has no memory for it.
    public func setServerName(_ name: DomainName) -> Bool { unsafe openssl_set_server_name(connection, name.text) == 1 }

    /// Whether the certificate that the other end has shown has this DNS name (RFC 6125). Who vouches for it is another
    /// question.
    public func peerHasName(_ name: DomainName) -> Bool { unsafe openssl_peer_has_name(connection, name.text) == 1 }

    /// The DNS names of the certificate that the other end has shown, in visible ASCII: the first few, for a log.
    public var peerNames: [String] {
        let octets = unsafe [UInt8](unsafeUninitializedCapacity: 512) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = unsafe min(max(0, openssl_peer_names(connection, start, buffer.count)), buffer.count)
        }
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The certificate with this SHA-256 among those that the other end has shown.
    func shownCertificate(fingerprint: [UInt8]) -> OpaquePointer? {
        guard fingerprint.count == 32 else { return nil }
        return unsafe openssl_shown_certificate(connection, fingerprint)
    }

    private func outcome(of answer: CInt) -> TLSOutcome {
        switch unsafe SSL_get_error(connection, answer) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL: return .lost("the connection was lost")
        default:
            let verdict = unsafe SSL_get_verify_result(connection)
            guard verdict != X509_V_OK else { return .failed(TLSError.takeReason()) }
            ERR_clear_error()
            return .failed(
                "its certificate is not to be trusted: \(unsafe String(cString: X509_verify_cert_error_string(Int(verdict))))"
            )
        }
    }
}
