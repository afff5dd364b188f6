import Domain
import Syscalls
import Wire

/// The socket of the channel: frames in, frames out, without blocking. One thread's.
final class ChannelConnection {
    private let socket: Socket
    private var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
    private let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameUp)
    private let scratch = BufferPool.scratch()
    private var outgoing: [UInt8] = []

    /// What is not yet taken by the socket when this much waits is not going to be: the control plane does not read.
    private static let mostOutgoing = 4 << 20

    init(socket: Socket) { self.socket = socket }

    deinit { socket.close() }

    var descriptor: Int32 { socket.number }
    var wantsToWrite: Bool { !outgoing.isEmpty }

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
            scratch.copy(from: outgoing.span.extracting(first: count), to: 0)
            let answer = socket.send(scratch, at: 0, count: count)
            if answer.wouldBlock { return nil }
            guard answer.value > 0 else { return SystemCallError.text(of: answer.code) }
            outgoing.removeFirst(answer.value)
        }
        return nil
    }

    /// Reads what there is and hands the frames to `body`, in order. Why the connection has ended, or nil.
    func receive(_ body: (WireFrame) -> Void) -> String? {
        // A whole snapshot comes in many reads; after so many the other events get their turn.
        for _ in 0..<64 {
            let answer = socket.receive(into: scratch, at: 0, upTo: Int(scratch.capacity))
            if answer.wouldBlock { return nil }
            guard !answer.isError else { return SystemCallError.text(of: answer.code) }
            guard answer.value > 0 else { return "the control plane closed the connection" }
            scratch.withSpan(0, answer.value) { decoder.append($0) }
            do {
                while let frame = try decoder.next() { body(frame) }
            } catch {
                return "the control plane sent \(error)"
            }
        }
        return nil
    }
}
