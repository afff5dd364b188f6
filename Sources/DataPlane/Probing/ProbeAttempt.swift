import Domain
import Syscalls

/// One attempt at a leg of a round: a connection, a request, and what comes back. Never blocks; how long it may take is the round's to say.
///
///     connecting ──▶ handshaking (by TLS) ──▶ asking ──▶ reading ──▶ ended
final class ProbeAttempt {
    enum Beginning {
        case underWay(ProbeAttempt)
        case ended(ProbeRound.End)
    }

    enum Progress: Equatable {
        case waits(EpollEvents)
        case ended(ProbeRound.End)
    }

    private enum Stage {
        case connecting, handshaking, asking, reading
    }

    let socket: Socket
    private let stream: ByteStream
    private let plan: ProbePlan
    private var stage = Stage.connecting
    private let request: [UInt8]
    private var sent = 0
    private var input: [UInt8] = []

    /// Begins to connect. What the kernel refuses at once is refused by this machine, not by the other.
    static func begin(_ plan: ProbePlan, _ leg: ProbePlan.Leg, by client: borrowing TLSClient) -> Beginning {
        let opened = Socket.open(leg.address.address.family)
        guard !opened.isError else { return .ended(hindrance(opened)) }
        let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
        let answer = socket.connect(to: KernelAddress(leg.address))
        guard !answer.isError || answer.inProgress else {
            socket.close()
            return .ended(answer.isRefused ? .refused("refused") : hindrance(answer))
        }
        socket.sendWithoutDelay()
        do {
            return .underWay(try ProbeAttempt(plan, leg, over: socket, by: client))
        } catch {
            socket.close()
            return .ended(.notMade("\(error)"))
        }
    }

    private static func hindrance(_ answer: KernelAnswer) -> ProbeRound.End {
        let problem = SystemCallError.text(of: answer.code)
        return answer.isExhaustion ? .notMade(problem) : .unreachable(problem)
    }

    /// Takes the socket over, unless it throws.
    private init(
        _ plan: ProbePlan, _ leg: ProbePlan.Leg, over socket: Socket, by client: borrowing TLSClient
    ) throws(TLSError) {
        if leg.usesTLS {
            let connection = try client.connection(over: socket)
            _ = connection.setServerName(plan.host)
            stream = .secured(connection)
        } else {
            stream = .plain(socket)
        }
        self.socket = socket
        self.plan = plan
        request = plan.request
    }

    deinit { socket.close() }

    /// Goes on as far as the socket lets it, when what it waits for has come.
    func advance(through scratch: Buffer) -> Progress {
        if stage == .connecting, let progress = connect() { return progress }
        if stage == .handshaking, let progress = handshake() { return progress }
        if stage == .asking, let progress = ask(through: scratch) { return progress }
        return read(through: scratch)
    }

    private func connect() -> Progress? {
        let outcome = socket.connectOutcome
        if outcome.isRefused { return .ended(.refused("refused")) }
        if outcome.isReset { return .ended(.refused("reset")) }
        if outcome.isError { return .ended(.failed(SystemCallError.text(of: outcome.code))) }
        stage = .handshaking
        return nil
    }

    private func handshake() -> Progress? {
        switch stream.handshake() {
        case .done:
            if plan.service == nil, let other = stream.otherNames(than: plan.host) {
                return .ended(.refused(other.isEmpty ? "certificate is for nobody" : "certificate is for \(other)"))
            }
            stage = .asking
            return nil
        case .wantsRead: return .waits(.readable)
        case .wantsWrite: return .waits(.writable)
        case .ended: return .ended(.refused("TLS: the connection was closed in the handshake"))
        case .failed(let problem): return .ended(.refused("TLS: \(problem)"))
        }
    }

    private func ask(through scratch: Buffer) -> Progress? {
        let request = request
        while sent < request.count {
            let count = min(request.count - sent, Int(scratch.capacity))
            scratch.copy(from: request.span.extracting(sent..<sent + count), to: 0)
            switch stream.send(scratch, count: count) {
            case .done(let count): sent += count
            case .wantsRead: return .waits(.readable)
            case .wantsWrite: return .waits(.writable)
            case .ended: return .ended(.refused("closed before the request"))
            case .failed(let problem): return .ended(.refused(problem))
            }
        }
        stage = .reading
        return nil
    }

    private func read(through scratch: Buffer) -> Progress {
        while true {
            switch stream.receive(into: scratch) {
            case .done(let count):
                scratch.withSpan(0, min(count, ProbeAnswer.longest + 1 - input.count)) { bytes in
                    for index in 0..<bytes.count { input.append(bytes[index]) }
                }
                if let end = verdict(isAll: false) { return .ended(end) }
                guard input.count <= ProbeAnswer.longest else {
                    return .ended(.refused("an answer of more than \(ProbeAnswer.longest) octets"))
                }
            case .wantsRead: return .waits(.readable)
            case .wantsWrite: return .waits(.writable)
            case .ended:
                guard !input.isEmpty else { return .ended(.refused("closed without an answer")) }
                return .ended(verdict(isAll: true) ?? .refused("an answer that was cut"))
            case .failed(let problem): return .ended(.refused(problem))
            }
        }
    }

    private func verdict(isAll: Bool) -> ProbeRound.End? {
        switch ProbeAnswer.reading(input.span, isAll: isAll, wantsServer: plan.service == nil) {
        case .incomplete: return nil
        case .malformed: return .refused(isAll ? "an answer that was cut, or is no HTTP" : "an answer that is no HTTP")
        case .complete(let status, let server):
            guard let problem = plan.problem(status: status, server: server) else {
                stream.sendEnd(over: socket)
                return .answered
            }
            return .refused(problem)
        }
    }
}

extension ByteStream {
    /// Whose the certificate is, when it has other names than `name`; nil when it has that one, or the stream is in the clear.
    fileprivate func otherNames(than name: DomainName) -> String? {
        switch self {
        case .plain: nil
        case .secured(let connection):
            connection.peerHasName(name) ? nil : connection.peerNames.prefix(3).joined(separator: ", ")
        }
    }
}
