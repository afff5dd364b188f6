import Domain
import Syscalls

/// One connection that asks whether somebody answers, for a probe or a check, which judges what it is told. Never
/// blocks; how long it may take is the round's to say.
///
///     connecting ──connected──▶ handshaking (by TLS) ──ready──▶ asking ──▶ reading ──▶ answered
///
/// `advance` stops at each arrow that has a name, so that its owner may look, say something, or let go; the next call
/// goes on behind it.
final class Inquiry {
    enum Opening {
        case underWay(Inquiry)
        /// The kernel refuses at once.
        case refused(KernelAnswer)
        case notMade(TLSError)
    }

    enum Step: Equatable {
        case waits(EpollEvents)
        case connected
        case notConnected(KernelAnswer)
        /// TLS stands, where it is wanted; what follows is the request.
        case ready
        /// `server` is what a monitor endpoint calls itself, if that was asked for.
        case answered(status: Int, server: String?)
        /// Who is there has taken the connection, and then closed or reset it without an answer.
        case cut(String)
        /// Who is there has taken the connection, and then said something that is no answer.
        case failed(String)
    }

    private enum Stage {
        case connecting, handshaking, asking, reading
    }

    let socket: Socket
    private let stream: ByteStream
    private let request: [UInt8]
    private let wantsServer: Bool
    private var stage = Stage.connecting
    private var sent = 0
    private var input: [UInt8] = []
    private var place = InquiryAnswer.Place()
    private var isCut = false

    /// Begins to connect; by TLS when there is a `host` to call. `wantsServer` when the body of the answer matters, and
    /// not its status alone.
    static func open(
        to peer: TransportAddress, calling host: DomainName?, request: [UInt8], wantsServer: Bool,
        by client: borrowing TLSClient
    ) -> Opening {
        let opened = Socket.open(peer.address.family)
        guard !opened.isError else { return .refused(opened) }
        let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
        let answer = socket.connect(to: KernelAddress(peer))
        guard !answer.isError || answer.inProgress else {
            socket.close()
            return .refused(answer)
        }
        socket.sendWithoutDelay()
        do {
            return .underWay(
                try Inquiry(socket, calling: host, request: request, wantsServer: wantsServer, by: client))
        } catch {
            socket.close()
            return .notMade(error)
        }
    }

    /// Takes the socket over, unless it throws.
    private init(
        _ socket: Socket, calling host: DomainName?, request: [UInt8], wantsServer: Bool, by client: borrowing TLSClient
    ) throws(TLSError) {
        if let host {
            let connection = try client.connection(over: socket)
            _ = connection.setServerName(host)
            stream = .secured(connection)
        } else {
            stream = .plain(socket)
        }
        self.socket = socket
        self.request = request
        self.wantsServer = wantsServer
    }

    /// Whether the other end has taken the connection.
    var isConnected: Bool { stage != .connecting }

    deinit { if isCut { socket.reset() } else { socket.close() } }

    /// Goes on as far as the socket lets it, when what it waits for has come.
    func advance(through scratch: Buffer) -> Step {
        switch stage {
        case .connecting: connect()
        case .handshaking: handshake()
        case .asking: ask(through: scratch) ?? read(through: scratch)
        case .reading: read(through: scratch)
        }
    }

    /// Says that nothing more is sent, so that the other end can tell the end from a cut.
    func sendEnd() { stream.sendEnd(over: socket) }

    /// Leaves with a reset, when it is let go of. Who ends a connection first keeps its port for a minute (RFC 9293
    /// section 3.6.1), and devices' connections to the same endpoint need those.
    func cut() { isCut = true }

    /// Whose the certificate is, when it has other names than `name`; nil when it has that one, or there is none since
    /// there is no TLS.
    func otherNames(than name: DomainName) -> String? { stream.otherNames(than: name) }

    private func connect() -> Step {
        let outcome = socket.connectOutcome
        guard !outcome.isError else { return .notConnected(outcome) }
        stage = .handshaking
        return .connected
    }

    private func handshake() -> Step {
        switch stream.handshake() {
        case .done:
            stage = .asking
            return .ready
        case .wantsRead: return .waits(.readable)
        case .wantsWrite: return .waits(.writable)
        case .ended: return .cut("TLS: the connection was closed in the handshake")
        case .lost(let problem): return .cut("TLS: \(problem)")
        case .failed(let problem): return .failed("TLS: \(problem)")
        }
    }

    /// Nil once all of it has been sent.
    private func ask(through scratch: Buffer) -> Step? {
        let request = request
        while sent < request.count {
            let count = min(request.count - sent, Int(scratch.capacity))
            scratch.copy(from: request.span.extracting(sent..<sent + count), to: 0)
            switch stream.send(scratch, count: count) {
            case .done(let count): sent += count
            case .wantsRead: return .waits(.readable)
            case .wantsWrite: return .waits(.writable)
            case .ended: return .cut("closed before the request")
            case .lost(let problem): return .cut(problem)
            case .failed(let problem): return .failed(problem)
            }
        }
        stage = .reading
        return nil
    }

    private func read(through scratch: Buffer) -> Step {
        while true {
            switch stream.receive(into: scratch) {
            case .done(let count):
                scratch.withSpan(0, min(count, InquiryAnswer.longest + 1 - input.count)) { bytes in
                    for index in 0..<bytes.count { input.append(bytes[index]) }
                }
                if let step = reading(isAll: false) { return step }
                guard input.count <= InquiryAnswer.longest else {
                    return .failed("an answer of more than \(InquiryAnswer.longest) octets")
                }
            case .wantsRead: return .waits(.readable)
            case .wantsWrite: return .waits(.writable)
            case .ended:
                guard !input.isEmpty else { return .cut("closed without an answer") }
                return reading(isAll: true) ?? .failed("an answer that was cut")
            case .lost(let problem): return input.isEmpty ? .cut(problem) : .failed(problem)
            case .failed(let problem): return .failed(problem)
            }
        }
    }

    private func reading(isAll: Bool) -> Step? {
        let input = input
        return switch InquiryAnswer.reading(input.span, from: &place, isAll: isAll, wantsServer: wantsServer) {
        case .incomplete: nil
        case .malformed: .failed(isAll ? "an answer that was cut, or is no HTTP" : "an answer that is no HTTP")
        case .complete(let status, let server): .answered(status: status, server: server)
        }
    }
}
