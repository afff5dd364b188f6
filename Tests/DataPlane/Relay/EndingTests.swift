import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import DataPlane

/// How flows end when one side has said its last and the other has not.
@Suite struct `Endings` {
    private let hello = clientHello("one.acme.test")
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    /// Sends until the other side takes no more.
    private func keepSending(_ connection: TestConnection, upTo count: Int) {
        let thread = Foundation.Thread {
            let piece = pattern(10_000)
            for _ in 0..<(count / piece.count) where (try? connection.send(piece)) != nil {}
        }
        thread.start()
    }

    @Test func `an upload that the endpoint refuses early is told why`() throws {
        let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n"
        for _ in 0..<10 {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send("POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 50000000\r\n\r\n")
            var endpoint: TestConnection? = try listener.accept()
            _ = try endpoint?.receive(untilSuffix: "\r\n\r\n")
            keepSending(client, upTo: 50_000_000)
            _ = try endpoint?.receive(exactly: 10_000)
            try endpoint?.send(refusal)
            endpoint = nil  // with most of the upload unread: a reset follows the answer
            let (bytes, _) = client.receiveAll()
            #expect(String(decoding: bytes, as: UTF8.self) == refusal)
            try relay.expectIdle()
        }
    }

    @Test func `what an endpoint says before it leaves reaches a client that is still sending`() throws {
        // As much as a socket takes before anyone reads: what an endpoint's kernel has not sent when it resets is lost
        // on any path.
        let words = pattern(20_000)
        for _ in 0..<10 {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            var endpoint: TestConnection? = try listener.accept()
            #expect(try endpoint?.receive(exactly: hello.count) == hello)
            keepSending(client, upTo: 10_000_000)
            _ = try endpoint?.receive(exactly: 100_000)
            relay.keepBusy()
            try endpoint?.send(words)
            endpoint = nil
            // The end is a reset, as the endpoint's was; but not before the client could read what it was told.
            let (bytes, end) = client.receiveAll()
            let isWhole = bytes == words
            #expect(isWhole, "\(bytes.count) of \(words.count) bytes")
            #expect(end == .reset || end == .end)
            try relay.expectIdle()
        }
    }

    @Test func `a stream of interim responses does not keep others waiting`() throws {
        let (relay, listener) = try RelayHarness.single()
        let other = try TestListener()
        try relay.route([
            ("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: .off)),
            ("two", try carriage(["two.acme.test"], to: [("127.0.0.1", other.port)])),
        ])
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: get.utf8.count)
        let isOver = Mutex(false)
        let flood = [UInt8]([String](repeating: "HTTP/1.1 100 \r\n\r\n", count: 4000).joined().utf8)
        let threads = [
            Foundation.Thread { while !isOver.withLock({ $0 }), (try? endpoint.send(flood)) != nil {} },
            Foundation.Thread { while case .bytes = client.receive() {} },
        ]
        for thread in threads { thread.start() }
        let before = relay.count(.bytesDown, "one")
        try eventually("the flood") { relay.count(.bytesDown, "one") > before + 500_000 }
        for _ in 0..<20 {
            let hello = clientHello("two.acme.test")
            let quick = try TestConnection(port: relay.httpsPort)
            try quick.send(hello)
            #expect(try other.accept().receive(exactly: hello.count) == hello)
        }
        isOver.withLock { $0 = true }
        client.reset()
        try relay.expectIdle()
    }

    @Test func `what follows an answer that did not wait for the body is not passed on`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        let head = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nExpect: 100-continue\r\nContent-Length: 70\r\n\r\n"
        try client.send(head)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: head.utf8.count)
        try endpoint.send(ok)
        #expect(try client.receive(exactly: last.utf8.count) == Array(last.utf8))
        // Sent as the body, and a request to an endpoint that does not wait for one.
        try client.send("GET /admin HTTP/1.1\r\nHost: one.acme.test\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n")
        #expect(client.receiveAll().bytes == [])
        client.shutdownWriting()
        #expect(endpoint.receiveAll().bytes == [])
        withExtendedLifetime(endpoint) {}
    }

    @Test func `a body that was waited for passes`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        let head = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        var accepted: TestConnection?
        // By a client that waits, and by one that does not.
        for waits in [true, false] {
            try client.send(head + (waits ? "" : "body"))
            let endpoint = try accepted ?? listener.accept()
            accepted = endpoint
            _ = try endpoint.receive(exactly: head.utf8.count)
            if waits {
                try endpoint.send(interim)
                #expect(try client.receive(exactly: interim.utf8.count) == Array(interim.utf8))
                try client.send("body")
            }
            #expect(try endpoint.receive(exactly: 4) == Array("body".utf8))
            try endpoint.send(ok)
            #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
        }
    }

    @Test func `the last response is followed by the end, whether or not the endpoint closes`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        let head = "GET / HTTP/1.1\r\nHost: one.acme.test\r\nConnection: close\r\n\r\n"
        try client.send(head)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: head.utf8.count)
        try endpoint.send(ok)
        let (bytes, end) = client.receiveAll()
        #expect(bytes == Array(last.utf8))
        #expect(end == .end)
        client.shutdownWriting()
        #expect(endpoint.receiveAll().end == .end)
    }

    @Test func `a request that waits for its response holds no buffer`() throws {
        let (relay, listener) = try RelayHarness.single()
        let cookie = String(repeating: "c", count: 8000)
        let head = "GET / HTTP/1.1\r\nHost: one.acme.test\r\nCookie: \(cookie)\r\n\r\n"
        let client = try TestConnection(port: relay.httpPort)
        try client.send(head)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: head.utf8.count)
        try eventually("the return of every buffer") { relay.pool.counters.sum(.bytesBuffered) == 0 }
        #expect(relay.pool.flowsOpen == 1)
        try endpoint.send(ok)
        #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
    }
}
