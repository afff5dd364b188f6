import Syscalls

/// A socket with TLS over it; closes the socket when it is let go.
final class TLSStream {
    let socket: Socket
    private let connection: TLSConnection
    /// The last step could not go on before the socket is writable.
    private(set) var wantsWrite = false

    /// Takes the socket over, unless it throws.
    init(_ socket: Socket, client: borrowing TLSClient) throws(TLSError) {
        connection = try client.connection(over: socket)
        self.socket = socket
    }

    deinit {
        connection.sendEnd()
        socket.close()
    }

    func handshake() -> TLSOutcome { noting(connection.handshake()) }

    func receive(into buffer: Buffer, upTo count: Int) -> TLSOutcome {
        noting(connection.receive(into: buffer, at: 0, upTo: count))
    }

    func send(_ buffer: Buffer, count: Int) -> TLSOutcome { noting(connection.send(buffer, at: 0, count: count)) }

    /// The certificate with this SHA-256 among those that the other end has shown, as PEM.
    func certificate(fingerprint: [UInt8]) -> [UInt8]? { connection.certificate(fingerprint: fingerprint)?.pem }

    private func noting(_ outcome: TLSOutcome) -> TLSOutcome {
        wantsWrite = outcome == .wantsWrite
        return outcome
    }
}
