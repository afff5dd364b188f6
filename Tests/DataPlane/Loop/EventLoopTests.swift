import Domain
import Syscalls
import Testing

@testable import DataPlane

/// One end of a connection, which is closed when the loop lets go of it.
private final class End {
    let socket: Socket
    init(_ socket: Socket) { self.socket = socket }
    deinit { socket.close() }
}

/// A listener, and a client that has connected to it.
private final class Pair {
    let listener: Socket
    let client: Client

    init() throws {
        listener = try Socket.bound(
            to: TransportAddress(Address(ipv4: 0x7F00_0001), port: 0), deferAccept: false)
        try listener.listen()
        client = try Client(to: try #require(listener.localAddress))
    }

    deinit { listener.close() }

    /// The end of the client's connection here.
    func accept() throws -> End { End(Socket(number: Int32(try listener.accept().get("accept")))) }
}

@Suite struct `An event loop` {
    private let mailbox: Mailbox<Int>
    private let pulse = Pulse()

    init() throws { mailbox = try Mailbox() }

    /// A limit that only a fault reaches: a minute.
    private func soon(_ events: borrowing EventLoop<End>) -> UInt64 { events.now + 60_000 }

    @Test func `tells of mail, of callers at a listener, and of a connection, each by its name`() throws {
        let pair = try Pair()
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        mailbox.post(1)
        #expect(events.wait(until: soon(events)) == 1)
        guard case .mail = events.event(0) else { throw Unexpected() }
        #expect(mailbox.drain() == [1])
        try events.add(listener: pair.listener, number: 2)
        #expect(events.wait(until: soon(events)) == 1)
        guard case .listener(2) = events.event(0) else { throw Unexpected() }
        let end = try pair.accept()
        let tag = try events.add(end, over: end.socket, awaiting: .readable)
        #expect(events.wait(until: 0) == 0)
        pair.client.send("x")
        #expect(events.wait(until: soon(events)) == 1)
        guard case .connection(let told) = events.event(0), told == tag else { throw Unexpected() }
        #expect(events[tag] === end)
    }

    @Test func `waits no longer than a second, so that it can be seen to be alive`() throws {
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        let before = events.now
        #expect(events.wait(until: .max) == 0)
        #expect(events.now > before)
        #expect(pulse.count == 1)
    }

    @Test func `tells of what it is asked to wait for now, and not of what it was asked for before`() throws {
        let pair = try Pair()
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        let end = try pair.accept()
        let tag = try events.add(end, over: end.socket, awaiting: .readable)
        #expect(events.wait(until: 0) == 0)
        try events.await(.writable, of: tag)
        #expect(events.wait(until: soon(events)) == 1)
        try events.await(.readable, of: tag)
        #expect(events.wait(until: 0) == 0)
    }

    @Test func `lets go of a connection that goes, and nothing brings it back`() throws {
        let pair = try Pair()
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        var end: End? = try pair.accept()
        let tag = try events.add(try #require(end), over: try #require(end?.socket), awaiting: .readable)
        weak let left = end
        end = nil
        #expect(left != nil)
        events.remove(tag)
        #expect(left == nil)
        #expect(pair.client.isClosed(withinMilliseconds: 60_000))
        #expect(events.count == 0)
        // Its number may be another's by now.
        try events.await(.writable, of: tag)
        events[tag] = End(Socket.none)
        #expect(events[tag] == nil)
    }

    @Test func `gives no two connections the same tag, and the younger the higher`() throws {
        let (one, other) = (try Pair(), try Pair())
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        let first = try one.accept()
        let tag = try events.add(first, over: first.socket, awaiting: .readable)
        events.remove(tag)
        let second = try other.accept()
        #expect(try events.add(second, over: second.socket, awaiting: .readable) > tag)
    }

    @Test func `says so when the kernel does not take what it is asked to wait for`() throws {
        let pair = try Pair()
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        #expect(throws: SystemCallError.self) {
            try events.add(End(.none), over: Socket.none, awaiting: .readable)
        }
        #expect(throws: SystemCallError.self) { try events.add(listener: Socket.none, number: 0) }
        #expect(events.count == 0)
        // A socket that the kernel does not know any more, as after a mistake.
        let socket = Socket(number: Int32(try pair.listener.accept().get("accept")))
        let tag = try events.add(End(.none), over: socket, awaiting: .readable)
        socket.close()
        #expect(throws: SystemCallError.self) { try events.await(.writable, of: tag) }
        #expect(throws: SystemCallError.self) { _ = try EventLoop<End>(mailbox: -1, pulse: pulse) }
    }

    @Test func `ends a round after so many waits, however much goes on happening`() throws {
        var events = try EventLoop<End>(mailbox: mailbox.descriptor, pulse: pulse)
        mailbox.post(1)
        // Mail that nobody reads is told of for ever.
        #expect(events.wait(until: soon(events)) == 1)
        var waits = 1
        while events.more() > 0 { waits += 1 }
        #expect(waits == 16)
    }

    private struct Unexpected: Error {}
}
