import Domain
import Syscalls
import Wire

/// The connection of the channel: frames in, frames out, without blocking. One thread's.
final class ChannelConnection {
    private enum Transport {
        /// A Unix socket, whose other end the kernel vouches for.
        case plain(Socket)
        case secure(TLSStream)
    }

    /// How a read or a write went, whatever it went over.
    private enum Outcome {
        case moved(Int)
        case wouldBlock
        case ended
        case failed(String)
    }

    private let transport: Transport
    private var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
    private let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameUp)
    private let scratch: Buffer
    private var outgoing: [UInt8] = []

    /// What is not yet taken by the socket when this much waits is not going to be: the control plane does not read.
    private static let mostOutgoing = 4 << 20

    /// `scratch` is on loan from the thread that this connection belongs to.
    init(socket: Socket, scratch: Buffer) {
        transport = .plain(socket)
        self.scratch = scratch
    }

    /// `stream` has made its handshake.
    init(stream: TLSStream, scratch: Buffer) {
        transport = .secure(stream)
        self.scratch = scratch
    }

    deinit {
        // A stream closes its socket itself.
        if case .plain(let socket) = transport { socket.close() }
    }

    var descriptor: Int32 {
        switch transport {
        case .plain(let socket): socket.number
        case .secure(let stream): stream.socket.number
        }
    }

    /// Where the control plane is; nil over a Unix socket.
    var peerAddress: Address? { Socket(number: descriptor).peerAddress?.address }

    var wantsToWrite: Bool {
        if case .secure(let stream) = transport, stream.wantsWrite { return true }
        return !outgoing.isEmpty
    }

    /// The certificate with this SHA-256 among those that the control plane has shown, as PEM.
    func certificate(fingerprint: [UInt8]) -> [UInt8]? {
        if case .secure(let stream) = transport { stream.certificate(fingerprint: fingerprint) } else { nil }
    }

    /// Queues a frame and sends what the socket takes. Why the connection has failed, or nil.
    func send(_ frame: WireFrame) -> String? {
        do {
            outgoing += try encoder.encoded(frame)
        } catch {
            return "cannot send: \(error)"
        }
        guard outgoing.count <= ChannelConnection.mostOutgoing else { return "the control plane does not read" }
        return flush()
    }

    func flush() -> String? {
        while !outgoing.isEmpty {
            let count = min(outgoing.count, Int(scratch.capacity))
            // What waits only grows at its end, so TLS is offered the same octets again, and no fewer.
            scratch.copy(from: outgoing.span.extracting(first: count), to: 0)
            switch write(count) {
            case .moved(let sent): outgoing.removeFirst(sent)
            case .wouldBlock: return nil
            case .ended: return "the control plane closed the connection"
            case .failed(let problem): return lastWord() ?? problem
            }
        }
        return nil
    }

    /// Why the control plane has hung up, if it said so before it did, and we were too busy speaking to hear it: an
    /// alert of TLS, such as that our certificate has expired. What was received before a reset can be read after it.
    private func lastWord() -> String? {
        guard case .secure = transport else { return nil }
        for _ in 0..<64 {
            switch read() {
            case .moved: continue
            case .failed(let problem): return problem
            case .ended, .wouldBlock: return nil
            }
        }
        return nil
    }

    /// Reads what there is and hands the frames to `body`, in order. Why the connection has ended, or nil.
    func receive(_ body: (WireFrame) -> Void) -> String? {
        // A whole snapshot comes in many reads; after so many the other events get their turn. (A read takes at least
        // all of a TLS record, so what is left is in the socket, where poll sees it.)
        for _ in 0..<64 {
            switch read() {
            case .moved(let count):
                scratch.withSpan(0, count) { decoder.append($0) }
                do {
                    while let frame = try decoder.next() { body(frame) }
                } catch {
                    return "the control plane sent \(error)"
                }
            case .wouldBlock: return nil
            case .ended: return "the control plane closed the connection"
            case .failed(let problem): return problem
            }
        }
        return nil
    }

    private func read() -> Outcome {
        switch transport {
        case .plain(let socket):
            let answer = socket.receive(into: scratch, at: 0, upTo: Int(scratch.capacity))
            return answer.value == 0 ? .ended : ChannelConnection.outcome(of: answer)
        case .secure(let stream): return outcome(of: stream.receive(into: scratch, upTo: Int(scratch.capacity)))
        }
    }

    private func write(_ count: Int) -> Outcome {
        switch transport {
        case .plain(let socket): return ChannelConnection.outcome(of: socket.send(scratch, at: 0, count: count))
        case .secure(let stream): return outcome(of: stream.send(scratch, count: count))
        }
    }

    private static func outcome(of answer: KernelAnswer) -> Outcome {
        if answer.wouldBlock { return .wouldBlock }
        return answer.isError ? .failed(SystemCallError.text(of: answer.code)) : .moved(answer.value)
    }

    private func outcome(of answer: TLSOutcome) -> Outcome {
        switch answer {
        case .done(let count): .moved(count)
        case .wantsRead, .wantsWrite: .wouldBlock
        case .ended: .ended
        case .failed(let problem), .lost(let problem): .failed("the control plane ended the connection: \(problem)")
        }
    }
}
