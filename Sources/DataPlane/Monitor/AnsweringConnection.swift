import Domain
import Routing
import Syscalls

/// One connection to this process itself: one request, one answer.
///
///     introducing (behind the relay) ──▶ handshaking (by TLS) ──▶ reading ──head, refusal, deadline──▶ answering ──▶ lingering ──▶ closed
///
/// After the answer it lingers until the client has closed, or for a moment: closing with unread bytes would send a
/// reset, which can take the answer from the client before it has read it.
final class AnsweringConnection {
    enum Stage {
        case introducing, handshaking, reading, answering, lingering
    }

    /// Whose connection it is, as the relay says.
    enum Introduction: Equatable {
        case waits
        case closed
        /// Nil when the relay does not say.
        case made(Address?)
    }

    /// What the connection waits for.
    enum Progress: Equatable {
        case waits(EpollEvents)
        case closed
    }

    /// Monitors and scrapers send a few hundred bytes.
    static let longestHead = 8192
    /// What one connection may send in one round, so that a fast reader of a long answer does not keep the others
    /// waiting.
    private static let bytesPerRound = 512 << 10
    /// In one call: less than the scratch buffer, and a whole number of TLS records.
    private static let bytesPerSend = 64 << 10

    let socket: Socket
    private(set) var stage: Stage
    private var stream: ByteStream
    private var input: [UInt8] = []
    private var scanned = 0
    private var head: [UInt8] = []
    private var body: [UInt8] = []
    private var sent = 0
    private var isCut = false

    /// Takes over `socket`, which is closed when the connection is let go. `isIntroduced` when it begins with a PROXY
    /// header of the relay's.
    init(over socket: Socket, isIntroduced: Bool) {
        self.socket = socket
        stream = .plain(socket)
        stage = isIntroduced ? .introducing : .reading
    }

    /// Goes on by TLS. Nothing has been said yet but the relay's header.
    func secure(by connection: consuming TLSConnection) {
        stream = .secured(connection)
        stage = .handshaking
    }

    deinit { if isCut { socket.reset() } else { socket.close() } }

    /// Ends with a reset, when it is let go of.
    func cut() { isCut = true }

    /// Whether an answer so long that it is counted is being written.
    var holdsLongAnswer: Bool { stage == .answering && body.count > AnsweringConnection.bytesPerRound }

    /// Reads the relay's PROXY header, and no octet beyond it: what follows may be TLS, which reads for itself.
    func introduce(through scratch: Buffer) -> Introduction {
        while true {
            let missing = AnsweringConnection.headerLength(of: input) - input.count
            if missing <= 0 {
                guard case .header(let header) = ProxyHeader.inspect(input.span), header.length == input.count else {
                    return .closed
                }
                input = []
                stage = .reading
                return .made(header.source?.address)
            }
            let answer = socket.receive(into: scratch, at: 0, upTo: min(missing, Int(scratch.capacity)))
            if answer.wouldBlock { return .waits }
            guard answer.value > 0 else { return .closed }
            scratch.withSpan(0, answer.value) { bytes in
                for index in 0..<bytes.count { input.append(bytes[index]) }
            }
            // Version 2 and nothing else is what the relay writes.
            guard input[0] == 0x0D, input.count <= ProxyHeader.longest else { return .closed }
        }
    }

    /// How long a header of version 2 is of which so much is there; its fixed part, as long as not even that is whole.
    private static func headerLength(of octets: [UInt8]) -> Int {
        octets.count < 16 ? 16 : 16 + min(Int(octets[14]) << 8 | Int(octets[15]), ProxyHeader.longestBlock + 1)
    }

    /// Goes on as far as the socket lets it. `answer` is asked once, with what the client wants.
    func advance(through scratch: Buffer, time: UTCTime, _ answer: (Question) -> Answer) -> Progress {
        if stage == .handshaking, let waiting = handshake() { return waiting }
        if stage == .reading, let waiting = read(through: scratch, time: time, answer) { return waiting }
        if stage == .answering, let waiting = write(through: scratch) { return waiting }
        return linger(through: scratch)
    }

    /// Ends the wait for the request. A client that said something is told why; nil when there is nothing to be told.
    func giveUp(through scratch: Buffer, time: UTCTime) -> Progress {
        guard stage == .reading, !input.isEmpty else { return .closed }
        begin(.requestTimeout, toHEAD: false, time: time)
        return write(through: scratch) ?? linger(through: scratch)
    }

    private func handshake() -> Progress? {
        let outcome = stream.handshake()
        guard case .done = outcome else { return AnsweringConnection.waiting(outcome) }
        stage = .reading
        return nil
    }

    private func read(through scratch: Buffer, time: UTCTime, _ answer: (Question) -> Answer) -> Progress? {
        while true {
            switch stream.receive(into: scratch) {
            case .done(let count):
                scratch.withSpan(0, min(count, AnsweringConnection.longestHead + 1 - input.count)) { bytes in
                    for index in 0..<bytes.count { input.append(bytes[index]) }
                }
            case let other: return AnsweringConnection.waiting(other)
            }
            if scanned == 0 {
                // As everywhere (RFC 9112 section 2.2).
                let empty = min(RequestHead.emptyLines(input.span), 2 * RequestHead.mostEmptyLines)
                input.removeFirst(empty)
                if input.isEmpty { continue }
            }
            var host = RoutingName()
            switch RequestHead.inspect(input.span, scanned: &scanned, host: &host) {
            case .incomplete where input.count <= AnsweringConnection.longestHead: continue
            case .incomplete: begin(.headTooLong, toHEAD: false, time: time)
            case .refused(.tlsOnHTTP): return .closed
            case .refused(let refusal): begin(.refusal(refusal), toHEAD: false, time: time)
            case .head(let request) where request.length > AnsweringConnection.longestHead:
                begin(.headTooLong, toHEAD: false, time: time)
            case .head(let request):
                let question = Question(head: input.span.extracting(first: request.length))
                begin(answer(question), toHEAD: question.method == .head, time: time)
            }
            return nil
        }
    }

    private func begin(_ answer: Answer, toHEAD: Bool, time: UTCTime) {
        head = answer.head(at: time)
        body = toHEAD ? [] : answer.body
        input = []
        sent = 0
        stage = .answering
    }

    private func write(through scratch: Buffer) -> Progress? {
        let limit = sent + AnsweringConnection.bytesPerRound
        let end = head.count + body.count
        while sent < end {
            guard sent < limit else { return .waits(.writable) }
            // The same bytes again after a send that could not finish, as TLS demands.
            let count = fill(scratch)
            switch stream.send(scratch, count: count) {
            case .done(let count): sent += count
            case let other: return AnsweringConnection.waiting(other)
            }
        }
        stream.sendEnd(over: socket)
        head = []
        body = []
        stage = .lingering
        return nil
    }

    /// Copies what is to be sent next, and answers how much that is.
    private func fill(_ scratch: Buffer) -> Int {
        let (head, body) = (head, body)
        var filled = 0
        if sent < head.count {
            filled = min(head.count - sent, AnsweringConnection.bytesPerSend)
            scratch.copy(from: head.span.extracting(sent..<sent + filled), to: 0)
        }
        let start = sent + filled - head.count
        let more = min(body.count - start, AnsweringConnection.bytesPerSend - filled)
        if more > 0 { scratch.copy(from: body.span.extracting(start..<start + more), to: filled) }
        return filled + max(0, more)
    }

    /// Throws away what still comes, encrypted or not.
    private func linger(through scratch: Buffer) -> Progress {
        let answer = socket.receive(into: scratch, at: 0, upTo: Int(scratch.capacity))
        return answer.value > 0 || answer.wouldBlock ? .waits(.readable) : .closed
    }

    private static func waiting(_ outcome: TLSOutcome) -> Progress {
        switch outcome {
        case .wantsRead: .waits(.readable)
        case .wantsWrite: .waits(.writable)
        case .done, .ended, .lost, .failed: .closed
        }
    }
}
