import Domain
import Syscalls

/// A client that does what it is told and no more: it can be slow, silent, or gone.
final class Client {
    let socket: Socket
    private let epoll: Epoll

    init(to address: TransportAddress) throws {
        epoll = try Epoll()
        socket = Socket(number: Int32(try Socket.open(address.address.family).get("socket")))
        let answer = socket.connect(to: KernelAddress(address))
        guard answer.inProgress || !answer.isError else { throw SystemCallError("connect", code: answer.code) }
        epoll.add(socket.number, .writable, tag: 0)
        _ = epoll.wait(milliseconds: 240_000)
        _ = try socket.connectOutcome.get("connect")
        epoll.modify(socket.number, [.readable, .peerClosed], tag: 0)
    }

    deinit { socket.close() }

    func send(_ text: String) { send(octets: Array(text.utf8)) }

    func send(octets: [UInt8]) { _ = socket.sendLastWords(octets.span) }

    /// Everything until the other end closes; what has come by then when that takes too long, or it resets.
    func receiveAll(milliseconds: UInt64 = 240_000) -> String {
        var received: [UInt8] = []
        let buffer = BufferPool.scratch()
        let deadline = Clock.monotonicNanoseconds + milliseconds * 1_000_000
        while Clock.monotonicNanoseconds < deadline {
            let answer = socket.receive(into: buffer, at: 0, upTo: Int(buffer.capacity))
            if answer.wouldBlock {
                _ = epoll.wait(milliseconds: 20)
                continue
            }
            guard answer.value > 0 else { break }
            buffer.withSpan(0, answer.value) { bytes in
                for index in 0..<bytes.count { received.append(bytes[index]) }
            }
        }
        return String(decoding: received, as: UTF8.self)
    }

    /// Whether the other end has closed or reset the connection, within so long.
    func isClosed(withinMilliseconds patience: UInt64) -> Bool {
        let buffer = BufferPool.scratch()
        let deadline = Clock.monotonicNanoseconds + patience * 1_000_000
        repeat {
            let answer = socket.receive(into: buffer, at: 0, upTo: 1)
            if !answer.wouldBlock { return answer.value <= 0 }
            _ = epoll.wait(milliseconds: 10)
        } while Clock.monotonicNanoseconds < deadline
        return false
    }

    /// Sends one request, and receives the whole answer.
    static func ask(_ address: TransportAddress, _ line: String) throws -> String {
        let client = try Client(to: address)
        client.send("\(line)\r\nHost: x\r\n\r\n")
        return client.receiveAll()
    }
}
