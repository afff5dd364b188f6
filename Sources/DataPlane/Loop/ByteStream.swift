import Domain
import Syscalls

/// Bytes in and out, in the clear or by TLS.
enum ByteStream: ~Copyable {
    case plain(Socket)
    case secured(TLSConnection)

    func handshake() -> TLSOutcome {
        switch self {
        case .plain: .done(0)
        case .secured(let connection): connection.handshake()
        }
    }

    func receive(into buffer: Buffer) -> TLSOutcome {
        switch self {
        case .plain(let socket):
            let answer = socket.receive(into: buffer, at: 0, upTo: Int(buffer.capacity))
            if answer.wouldBlock { return .wantsRead }
            if answer.isError { return .lost(SystemCallError.text(of: answer.code)) }
            return answer.value == 0 ? .ended : .done(answer.value)
        case .secured(let connection): return connection.receive(into: buffer, at: 0, upTo: Int(buffer.capacity))
        }
    }

    func send(_ buffer: Buffer, count: Int) -> TLSOutcome {
        switch self {
        case .plain(let socket):
            let answer = socket.send(buffer, at: 0, count: count)
            if answer.wouldBlock { return .wantsWrite }
            return answer.isError ? .lost(SystemCallError.text(of: answer.code)) : .done(answer.value)
        case .secured(let connection): return connection.send(buffer, at: 0, count: count)
        }
    }

    /// Says that nothing more is sent.
    func sendEnd(over socket: Socket) {
        switch self {
        case .plain: break
        case .secured(let connection): connection.sendEnd()
        }
        socket.shutdownWriting()
    }

    /// Whose the other end's certificate is, when it has other names than `name`; nil when it has that one, or there is
    /// no TLS.
    func otherNames(than name: DomainName) -> String? {
        switch self {
        case .plain: nil
        case .secured(let connection):
            connection.peerHasName(name) ? nil : connection.peerNames.prefix(3).joined(separator: ", ")
        }
    }
}
