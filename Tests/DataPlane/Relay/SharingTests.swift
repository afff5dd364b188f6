import Foundation
import Glibc
import Syscalls
import Testing

@testable import DataPlane

/// How flows share a worker: who moves much takes turns, after who has little to say.
@Suite struct `Sharing a worker` {
    @Test func `whoever waits for a turn gets it in the order of coming, once`() throws {
        var queue = try ReadyQueue(flowLimit: 2)
        for place in Int32(0)..<4 { queue.append(HalfIndex(place)) }
        var turns: [Int32] = []
        for _ in 0..<10 {
            let half = queue.popFirst()
            turns.append(half.place)
            queue.append(half)
        }
        #expect(turns == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1])
        #expect(queue.count == 4)
        turns = []
        while queue.count > 0 { turns.append(queue.popFirst().place) }
        #expect(turns == [2, 3, 0, 1])
        queue.append(HalfIndex(1))
        queue.prepend(HalfIndex(3))
        queue.prepend(HalfIndex(2))
        #expect([queue.popFirst().place, queue.popFirst().place, queue.popFirst().place] == [2, 3, 1])
        #expect(queue.count == 0)
    }

    @Test func `twenty flows that move much and one that does not all arrive whole`() throws {
        let (relay, listener) = try RelayHarness.single()
        let hello = clientHello("one.acme.test")
        let payload = pattern(3_000_000)
        var clients: [TestConnection] = []
        var senders: [Foundation.Thread] = []
        for _ in 0..<20 {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: hello.count) == hello)
            clients.append(client)
            senders.append(
                Foundation.Thread {
                    try? endpoint.send(payload)
                    endpoint.shutdownWriting()
                })
        }
        let small = try TestConnection(port: relay.httpsPort)
        try small.send(hello)
        let far = try listener.accept()
        #expect(try far.receive(exactly: hello.count) == hello)
        for sender in senders { sender.start() }
        for client in clients {
            try small.send("?")
            #expect(try far.receive(exactly: 1) == Array("?".utf8))
            try far.send("!")
            #expect(try small.receive(exactly: 1) == Array("!".utf8))
            let (bytes, end) = client.receiveAll()
            let isWhole = bytes == payload
            #expect(isWhole && end == .end, "\(bytes.count) of \(payload.count) bytes, then \(end)")
        }
        #expect(relay.pool.counters.sum(.bytesSpliced) > 0)
        for client in clients + [small] { client.reset() }
        try relay.expectIdle()
    }

    // MARK: Pipes

    @Test func `a worker has no more pipes than its share, and each is of the full size`() throws {
        var pool = try PipePool(share: 2)
        var (first, second, third) = (pool.lend(at: 0, for: 0), pool.lend(at: 0, for: 0), pool.lend(at: 0, for: 0))
        #expect(first.exists && second.exists && !third.exists)
        #expect(first.capacity == Int(PipePool.capacity))
        #expect(pool.lent == 2 && pool.idleCount == 0 && pool.refused == 0)
        pool.give(&first, of: 0)
        #expect(!first.exists && pool.lent == 1 && pool.idleCount == 1)
        // The idle one, and no new one beside it.
        third = pool.lend(at: 0, for: 0)
        #expect(third.exists && pool.lent == 2 && pool.idleCount == 0)
        pool.discard(&second, of: 0)
        pool.discard(&third, of: 0)
        #expect(pool.lent == 0 && pool.idleCount == 0)
    }

    @Test func `a service whose pipes all stand full leaves some for the others`() throws {
        var pool = try PipePool(share: 50, holders: 4)
        var pipes: [(pipe: Syscalls.Pipe, holder: Int32)] = []
        func takeAll(_ holder: Int32) -> Int {
            let before = pipes.count
            while true {
                let pipe = pool.lend(at: 0, for: holder)
                guard pipe.exists else { return pipes.count - before }
                pipes.append((pipe, holder))
            }
        }
        #expect(takeAll(0) == 40, "four fifths")
        #expect(takeAll(1) == 8, "four fifths of the rest")
        #expect(takeAll(2) == 2)
        #expect(takeAll(0) == 0)
        for index in pipes.indices { pool.discard(&pipes[index].pipe, of: pipes[index].holder) }
        #expect(pool.lent == 0)
        #expect(takeAll(3) == 40)
        for index in pipes.indices { pool.discard(&pipes[index].pipe, of: pipes[index].holder) }
    }
}
