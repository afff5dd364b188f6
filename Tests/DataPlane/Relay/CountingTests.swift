import Domain
import Foundation
import Glibc
import Testing

@testable import DataPlane

@Suite struct `Counting` {
    private func relay(
        _ settings: RelaySettings = RelaySettings(), trusted: [String] = [], accept: Bool = false,
        send: SendProxyProtocol = .off
    ) throws -> (RelayHarness, TestListener) {
        let relay = try RelayHarness(settings: settings)
        let listener = try TestListener()
        let service = try carriage(
            ["one.acme.test"], to: [("127.0.0.1", listener.port)], accept: accept, send: send)
        try relay.route([("one", service)], trusted: trusted)
        return (relay, listener)
    }

    private func unrouted(_ relay: RelayHarness, _ counter: ServiceCounter) -> UInt64 {
        relay.pool.counters.sum(counter, service: ServiceSlot.unrouted)
    }

    @Test func `what a client said counts for nobody when it named nobody`() throws {
        let (relay, _) = try relay()
        var said: UInt64 = 0
        for request in [
            "GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HT",
        ] {
            let client = try TestConnection(port: relay.httpPort)
            try client.send(request)
            client.shutdownWriting()
            _ = client.receiveAll()
            said += UInt64(request.utf8.count)
            try eventually("the count") { unrouted(relay, .bytesUp) == said }
        }
        let part = Array(clientHello("one.acme.test").prefix(50))
        for hello in [clientHello("nobody.test"), part, Array("hi there".utf8)] {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            client.shutdownWriting()
            _ = client.receiveAll()
            said += UInt64(hello.count)
            try eventually("the count") { unrouted(relay, .bytesUp) == said }
        }
        try relay.expectIdle()
    }

    @Test func `both directions of an exchange count to the byte, whatever came ahead`() throws {
        let (relay, listener) = try relay()
        let client = try TestConnection(port: relay.httpPort)
        let post = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 10\r\n\r\n0123456789"
        let other = "GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n"
        try client.send(post + post + other)
        let endpoint = try listener.accept()
        var answered = 0
        for _ in 0..<2 {
            _ = try endpoint.receive(untilSuffix: "0123456789")
            try endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            answered += 40
        }
        let answer = client.receiveAll()
        #expect(answer.end == .end)
        #expect(String(decoding: answer.bytes.dropFirst(answered), as: UTF8.self).hasPrefix("HTTP/1.1 421 "))
        try client.send("and more")
        client.shutdownWriting()
        try relay.expectIdle()
        #expect(relay.count(.bytesUp, "one") == UInt64((post + post + other + "and more").utf8.count))
        #expect(relay.count(.bytesDown, "one") == UInt64(answer.bytes.count))
        #expect(relay.count(.connectionsOpened, "one") == 1)
        #expect(relay.count(.connectionsClosed, "one") == 1)
    }

    @Test func `what is spliced counts to the byte in both directions, like what is copied`() throws {
        let (relay, listener) = try relay()
        let client = try TestConnection(port: relay.httpsPort)
        let hello = clientHello("one.acme.test")
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        let (up, down) = (pattern(4_000_000), pattern(3_000_000))
        for (sender, reader, payload) in [(client, endpoint, up), (endpoint, client, down)] {
            let thread = Foundation.Thread {
                try? sender.send(payload)
                sender.shutdownWriting()
            }
            thread.start()
            let got = reader.receiveAll()
            let isWhole = got.bytes == payload && got.end == .end
            #expect(isWhole)
        }
        try relay.expectIdle()
        #expect(relay.count(.bytesUp, "one") == UInt64(hello.count + up.count))
        #expect(relay.count(.bytesDown, "one") == UInt64(down.count))
        #expect(relay.pool.counters.sum(.bytesSpliced) > 1_000_000)
        // Each byte behind the hello was moved in one way or the other, and in one alone.
        let moved = relay.pool.counters.sum(.bytesSpliced) + relay.pool.counters.sum(.bytesCopied)
        #expect(moved == UInt64(up.count + down.count))
    }

    @Test(arguments: [true, false])
    func `a flow that is cut for want of memory was opened and closed`(isHTTP: Bool) throws {
        var settings = RelaySettings()
        // One buffer for the request, and none for what the endpoint is to read; or none at all.
        settings.bufferLimit = isHTTP ? 4 * 4096 : 100
        let (relay, _) = try relay(settings)
        let client = try TestConnection(port: isHTTP ? relay.httpPort : relay.httpsPort)
        let request = Array("GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n".utf8)
        try client.send(isHTTP ? request : clientHello("one.acme.test"))
        if isHTTP {
            #expect(client.receiveText().hasPrefix("HTTP/1.1 503 "))
        } else {
            #expect(client.receive() == .reset)
        }
        try relay.expectIdle()
        #expect(relay.count(.buffersExhausted) == 1)
        #expect(relay.count(.connectionsOpened, "one") == 1)
        #expect(relay.count(.connectionsClosed, "one") == 1)
    }

    @Test(arguments: [SendProxyProtocol.v1, .v2])
    func `a PROXY header counts for nobody, neither as it comes nor as it goes`(version: SendProxyProtocol) throws {
        let (relay, listener) = try relay(trusted: ["127.0.0.0/8"], accept: true, send: version)
        let header = "PROXY TCP4 192.0.2.1 198.51.100.7 50000 443\r\n"
        let hello = clientHello("one.acme.test")
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(Array(header.utf8) + hello)
        let endpoint = try listener.accept()
        if version == .v1 {
            #expect(try endpoint.receive(exactly: header.utf8.count) == Array(header.utf8))
        } else {
            let binary = try endpoint.receive(exactly: 28)
            #expect(Array(binary.suffix(12)) == [192, 0, 2, 1, 198, 51, 100, 7, 0xC3, 0x50, 1, 187])
        }
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        #expect(relay.count(.bytesUp, "one") == UInt64(hello.count))
    }

    @Test func `the word of a trusted sender is kept, and passed over where the service does not take it`() throws {
        for accepts in [true, false] {
            let (relay, listener) = try relay(trusted: ["127.0.0.0/8"], accept: accepts)
            let client = try TestConnection(port: relay.httpPort)
            try client.send("PROXY TCP4 192.0.2.1 198.51.100.7 50000 80\r\n")
            try client.send("GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n")
            let endpoint = try listener.accept()
            let head = try endpoint.receive(untilSuffix: "\r\n\r\n")
            #expect(head.contains("X-Forwarded-For: \(accepts ? "192.0.2.1" : "127.0.0.1")\r\n"))
        }
    }
}
