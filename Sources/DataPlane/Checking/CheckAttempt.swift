import Domain
import Routing
import Syscalls

/// One attempt at one address of a target: as much of a device's connection as the check asks for. Never blocks; how long it may take is the
/// round's to say.
///
///     connecting ──▶ greeting (PROXY header) ──▶ handshaking (tls) ──▶ asking (http) ──▶ reading ──▶ ended
final class CheckAttempt {
    enum Beginning {
        case underWay(CheckAttempt)
        case ended(CheckRound.End)
    }

    enum Progress: Equatable {
        case waits(EpollEvents)
        case ended(CheckRound.End)
    }

    private enum Stage {
        case connecting, handshaking, asking, reading
    }

    let socket: Socket
    private let stream: ByteStream
    private let check: TargetCheck
    private let request: [UInt8]
    private var stage = Stage.connecting
    private var sent = 0
    private var input: [UInt8] = []

    /// Begins to connect. `peer` has passed the endpoint policy.
    static func begin(_ check: TargetCheck, to peer: TransportAddress, by client: borrowing TLSClient) -> Beginning {
        let opened = Socket.open(peer.address.family)
        guard !opened.isError else { return .ended(end(of: opened, peer)) }
        let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
        let answer = socket.connect(to: KernelAddress(peer))
        guard !answer.isError || answer.inProgress else {
            socket.close()
            return .ended(end(of: answer, peer))
        }
        do {
            return .underWay(try CheckAttempt(check, over: socket, by: client))
        } catch {
            socket.close()
            return .ended(.notMade("\(error)"))
        }
    }

    /// What the kernel refuses at once: for want of something of ours, or because there is no way there, which is how a device's connection would
    /// fare too.
    private static func end(of answer: KernelAnswer, _ peer: TransportAddress) -> CheckRound.End {
        let problem = SystemCallError.text(of: answer.code)
        let isOurs = answer.isExhaustion || answer.isAddressUnavailable && peer.address.family == .ipv4
        return isOurs ? .notMade(problem) : .failed(problem)
    }

    /// Takes the socket over, unless it throws.
    private init(_ check: TargetCheck, over socket: Socket, by client: borrowing TLSClient) throws(TLSError) {
        if check.kind == .tls, let host = check.host {
            let connection = try client.connection(over: socket)
            _ = connection.setServerName(host)
            stream = .secured(connection)
        } else {
            stream = .plain(socket)
        }
        self.socket = socket
        self.check = check
        request = check.request
    }

    deinit { socket.close() }

    /// Goes on as far as the socket lets it, when what it waits for has come.
    func advance(through scratch: Buffer) -> Progress {
        if stage == .connecting, let progress = connect(through: scratch) { return progress }
        if stage == .handshaking, let progress = handshake() { return progress }
        if stage == .asking, let progress = ask(through: scratch) { return progress }
        return read(through: scratch)
    }

    private func connect(through scratch: Buffer) -> Progress? {
        let outcome = socket.connectOutcome
        if outcome.isRefused { return .ended(.failed("refused")) }
        if outcome.isError { return .ended(.failed(SystemCallError.text(of: outcome.code))) }
        if check.sendProxyProtocol != .off, let problem = greet(through: scratch) { return .ended(.failed(problem)) }
        switch check.kind {
        case .tcp: return .ended(.answered)
        case .tls: stage = .handshaking
        case .http: stage = .asking
        }
        return nil
    }

    /// Says whose connection this is, which is our own, to an endpoint that would not listen otherwise.
    private func greet(through scratch: Buffer) -> String? {
        guard let source = socket.localAddress, let destination = socket.peerAddress else {
            return "the connection was lost"
        }
        let version = check.sendProxyProtocol
        let count = scratch.withMutableSpan(0, ProxyHeader.longestWritten) {
            ProxyHeader.write(version, source: source, destination: destination, into: &$0) ?? 0
        }
        // Nothing has been sent yet, so the kernel has room for a hundred octets.
        let answer = socket.send(scratch, at: 0, count: count)
        if answer.isError { return SystemCallError.text(of: answer.code) }
        return answer.value == count ? nil : "the connection takes nothing"
    }

    private func handshake() -> Progress? {
        switch stream.handshake() {
        case .done:
            stream.sendEnd(over: socket)
            return .ended(.answered)
        case .wantsRead: return .waits(.readable)
        case .wantsWrite: return .waits(.writable)
        case .ended: return .ended(.failed("TLS: the connection was closed in the handshake"))
        case .failed(let problem): return .ended(.failed("TLS: \(problem)"))
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
            case .ended: return .ended(.failed("closed before the request"))
            case .failed(let problem): return .ended(.failed(problem))
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
                    return .ended(.failed("an answer whose head has more than \(ProbeAnswer.longest) octets"))
                }
            case .wantsRead: return .waits(.readable)
            case .wantsWrite: return .waits(.writable)
            case .ended:
                guard !input.isEmpty else { return .ended(.failed("closed without an answer")) }
                return .ended(verdict(isAll: true) ?? .failed("an answer that was cut"))
            case .failed(let problem): return .ended(.failed(problem))
            }
        }
    }

    private func verdict(isAll: Bool) -> CheckRound.End? {
        let input = input
        switch ProbeAnswer.reading(input.span, isAll: isAll, wantsServer: false) {
        case .incomplete: return nil
        case .malformed:
            return .failed(isAll ? "an answer that was cut, or is no HTTP" : "an answer that is no HTTP")
        case .complete(let status, _): return status < 500 ? .answered : .failed("status \(status)")
        }
    }
}
