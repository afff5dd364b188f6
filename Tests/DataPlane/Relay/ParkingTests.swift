import Domain
import Foundation
import Glibc
import Syscalls
import Testing

@testable import DataPlane

/// Flows that go on in another process; here, with other workers of the same.
@Suite struct `Parked flows` {
    private let hello = clientHello("one.acme.test")

    /// A relay whose one service has its endpoint at `listener`.
    private func relay(to listener: TestListener, workers: Int = 1) throws -> RelayHarness {
        try RelayHarness.single(workers: workers, to: listener).0
    }

    /// Moves every flow of a relay to a new one, by way of the image and of descriptors in flight, as between
    /// processes.
    private func move(_ old: RelayHarness, to listener: TestListener, workers: Int = 1) throws -> RelayHarness {
        let (departing, isComplete) = old.pool.park()
        #expect(isComplete)
        let image = ParkedFlows.octets(
            of: departing.map { departing in
                var flow = departing.flow
                flow.service = departing.slot == old.slot(of: "one") ? "one" : ""
                return (flow, departing.sockets.count)
            })
        let groups = departing.map(\.sockets)
        let numbers = groups.flatMap { $0 }
        let flight = try Flight(groups.map { $0.map(\.number) }[...])
        #expect(flight.sent == groups.count)
        // What the old process had is closed with it; what is in flight keeps the connections open.
        for socket in numbers { socket.close() }
        var arrived = try Flight.receive(at: flight.receiver.number)[...]
        #expect(arrived.count == numbers.count)
        let new = try relay(to: listener, workers: workers)
        let arrivals = try ParkedFlows.records(in: image).map { record in
            let own = arrived.prefix(record.descriptors).map { Socket(number: $0) }
            arrived = arrived.dropFirst(record.descriptors)
            return MovingFlow(
                flow: try #require(record.flow), client: own[0], endpoint: own.count == 2 ? own[1] : .none)
        }
        new.pool.adopt(arrivals, slots: ["one": new.slot(of: "one")])
        return new
    }

    @Test func `a slow client gets all that was sent before a reset, and then the reset, across a restart`() throws {
        let listener = try TestListener()
        var relay = try relay(to: listener)
        let client = try TestConnection(port: relay.httpsPort, receiveBuffer: 8192)
        try client.send(hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        let payload = pattern(400_000)
        try endpoint.send(payload)
        try eventually("all is taken from the endpoint") { endpoint.unacknowledged == 0 }
        endpoint.reset()
        try eventually("the reset is known") { relay.count(.endpointReset) == 1 }
        relay = try move(relay, to: listener)
        let (bytes, end) = client.receiveAll(pausing: 1000, upTo: 8192)
        let isWhole = bytes == payload
        #expect(isWhole && end == .reset, "\(bytes.count) of \(payload.count) bytes, then \(end)")
        try relay.expectIdle()
    }

    @Test func `a client that is still sending gets the whole of an early answer across a restart`() throws {
        let listener = try TestListener()
        var relay = try relay(to: listener)
        let client = try TestConnection(port: relay.httpPort, receiveBuffer: 8192)
        try client.send("POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 100000000\r\n\r\nmuch")
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "much")
        let answer = Array("HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n".utf8) + pattern(400_000)
        try endpoint.send(answer)
        endpoint.shutdownWriting()
        try eventually("all is taken from the endpoint") { endpoint.unacknowledged == 0 }
        try client.send("more")
        relay = try move(relay, to: listener)
        try client.send("and more")
        let (bytes, _) = client.receiveAll(pausing: 1000, upTo: 8192)
        let isWhole = bytes == answer
        #expect(isWhole, "\(bytes.count) of \(answer.count) bytes")
    }

    @Test func `a flow by TLS goes on byte by byte, whatever was under way`() throws {
        let listener = try TestListener()
        var relay = try relay(to: listener)
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        // More than the sockets hold, so that some is in the relay's own buffers and pipes each time.
        let payload = pattern(30_000_000)
        let sender = Foundation.Thread {
            try? endpoint.send(payload)
            endpoint.shutdownWriting()
        }
        sender.start()
        var received: [UInt8] = []
        for round in 1...4 {
            received += try client.receive(exactly: 2_000_000)
            relay = try move(relay, to: listener, workers: round)
            try client.send([UInt8(round)])
            #expect(try endpoint.receive(exactly: 1) == [UInt8(round)])
        }
        received += client.receiveAll().bytes
        let isWhole = received == payload
        #expect(isWhole, "\(received.count) of \(payload.count) bytes")
        client.shutdownWriting()
        #expect(endpoint.receiveAll().end == .end)
        try relay.expectIdle()
        #expect(relay.count(.connectionsAdopted, "one") == 1)
        #expect(relay.count(.connectionsClosed, "one") == 1)
        #expect(relay.count(.connectionsOpened, "one") == 0)
    }

    @Test func `an exchange of plain HTTP goes on wherever it was, and the next one follows`() throws {
        let listener = try TestListener()
        let request =
            "POST / HTTP/1.1\r\nHost: one.acme.test\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n"
        let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: x\r\n\r\n"
        // Cut at every byte of both: before, in and after each head, size, chunk and trailer.
        for cut in stride(from: 1, to: request.utf8.count, by: 3) {
            var relay = try relay(to: listener)
            let client = try TestConnection(port: relay.httpPort)
            let bytes = Array(request.utf8)
            try client.send(Array(bytes.prefix(cut)))
            try eventually("what was said is read") { relay.pool.flowsOpen == 1 }
            relay = try move(relay, to: listener)
            try client.send(Array(bytes.dropFirst(cut)))
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: bytes.count) == bytes)
            let answer = Array(response.utf8)
            let half = cut % answer.count
            try endpoint.send(Array(answer.prefix(half)))
            relay = try move(relay, to: listener)
            try endpoint.send(Array(answer.dropFirst(half)))
            #expect(try client.receive(exactly: answer.count) == answer)
            // The connection is as good as new.
            try client.send("GET /next HTTP/1.1\r\nHost: one.acme.test\r\n\r\n")
            #expect(try endpoint.receive(untilSuffix: "\r\n\r\n").hasPrefix("GET /next"))
            relay = try move(relay, to: listener)
            try endpoint.send("HTTP/1.1 204 No Content\r\n\r\n")
            _ = try client.receive(untilSuffix: "\r\n\r\n")
            try client.send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
            #expect(client.receiveText().hasPrefix("HTTP/1.1 421 "))
        }
    }

    @Test func `trailers that do not pass do not pass in the next process either, wherever they are cut`() throws {
        let listener = try TestListener()
        let head = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        let request = Array("\(head)2\r\nhi\r\n0\r\nA: b\r\nX-Real-IP: 10.0.0.1\r\nC: d\r\n\r\n".utf8)
        let heard = Array("\(head)2\r\nhi\r\n0\r\nA: b\r\nC: d\r\n\r\n".utf8)
        for cut in stride(from: head.utf8.count, to: request.count, by: 2) {
            var relay = try relay(to: listener)
            let client = try TestConnection(port: relay.httpPort)
            try client.send(Array(request.prefix(cut)))
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: head.utf8.count)
            relay = try move(relay, to: listener)
            try client.send(Array(request.dropFirst(cut)))
            #expect(
                try endpoint.receive(exactly: heard.count - head.utf8.count) == Array(heard.dropFirst(head.utf8.count)))
            try endpoint.send("HTTP/1.1 204 No Content\r\n\r\n")
            _ = try client.receive(untilSuffix: "\r\n\r\n")
            withExtendedLifetime(relay) {}
        }
    }

    @Test func `a hello that is not whole yet is read on, and a dial begun anew`() throws {
        let listener = try TestListener()
        for cut in stride(from: 1, to: hello.count, by: 7) {
            let old = try relay(to: listener)
            let client = try TestConnection(port: old.httpsPort)
            try client.send(Array(hello.prefix(cut)))
            try eventually("what was said is read") { old.pool.flowsOpen == 1 }
            let new = try move(old, to: listener)
            try client.send(Array(hello.dropFirst(cut)))
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: hello.count) == hello)
            try endpoint.send("ok")
            #expect(try client.receive(exactly: 2) == Array("ok".utf8))
            withExtendedLifetime(new) {}
        }
        // Parked while its endpoint's address is not known; the next process knows it.
        for isHTTP in [false, true] {
            let old = try RelayHarness()
            try old.route([
                ("one", try carriage(["one.acme.test"], to: [("slow.acme.test", listener.port)], forwardedFor: .off))
            ])
            let client = try TestConnection(port: isHTTP ? old.httpPort : old.httpsPort)
            let words = isHTTP ? Array("GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n".utf8) : hello
            try client.send(words)
            try eventually("the dial") { old.count(.connectionsOpened, "one") == 1 }
            let new = try move(old, to: listener)
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: words.count) == words)
            let answer = "HTTP/1.1 204 No Content\r\n\r\n"
            try endpoint.send(answer)
            #expect(try client.receive(exactly: answer.utf8.count) == Array(answer.utf8))
            withExtendedLifetime(new) {}
        }
    }

    @Test func `a queue that is full leaves whole groups for the next`() throws {
        // One descriptor, over and over: what counts is how many are in flight.
        let bell = try Mailbox<Int>()
        let groups = [[Int32]](repeating: [bell.descriptor, bell.descriptor], count: 100_000)
        var sent = 0
        var flights = 0
        while sent < groups.count {
            let flight = try Flight(groups[sent...])
            try #require(flight.sent > 0)
            sent += flight.sent
            flights += 1
        }
        #expect(sent == groups.count)
        // With the default of net.core.wmem_default; a machine with more takes them at once.
        #expect((1...12).contains(flights))
    }

    @Test func `ends that were on their way arrive`() throws {
        let listener = try TestListener()
        let old = try relay(to: listener)
        let client = try TestConnection(port: old.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        client.shutdownWriting()
        #expect(endpoint.receive() == .end)
        let new = try move(old, to: listener)
        try endpoint.send("last words")
        endpoint.shutdownWriting()
        let (bytes, end) = client.receiveAll()
        #expect(bytes == Array("last words".utf8))
        #expect(end == .end)
        try new.expectIdle()
    }
}
