import Domain
import Foundation
import Glibc
import Testing

@testable import DataPlane

@Suite struct `Relaying TLS` {
    @Test func `a hello reaches the endpoint of its name, untouched, and the answer comes back`() throws {
        let relay = try RelayHarness()
        let (first, second) = (try TestListener(), try TestListener())
        try relay.route([
            ("one", try carriage(["one.acme.test"], to: [("127.0.0.1", first.port)])),
            ("two", try carriage(["*.two.acme.test"], to: [("127.0.0.1", second.port)])),
        ])
        for (name, listener, service) in [
            ("one.acme.test", first, "one"), ("a.two.acme.test", second, "two"), ("ONE.acme.test", first, "one"),
        ] {
            let client = try TestConnection(port: relay.httpsPort)
            let before = relay.count(.bytesUp, service)
            try client.send(clientHello(name))
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: clientHello(name).count) == clientHello(name))
            try endpoint.send("hello yourself")
            #expect(try client.receive(exactly: 14) == Array("hello yourself".utf8))
            client.shutdownWriting()
            #expect(endpoint.receive() == .end)
            endpoint.shutdownWriting()
            #expect(client.receive() == .end)
            #expect(relay.count(.bytesUp, service) - before == UInt64(clientHello(name).count))
        }
        #expect(relay.count(.bytesDown, "one") == 28)
    }

    @Test func `a hello that trickles in byte by byte is waited for`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        let client = try TestConnection(port: relay.httpsPort)
        for byte in clientHello("one.acme.test") { try client.send([byte]) }
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: clientHello("one.acme.test").count) == clientHello("one.acme.test"))
    }

    @Test func `a name that nobody has gets an alert and an end`() throws {
        let relay = try RelayHarness()
        try relay.route([])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(clientHello("nobody.test"))
        let answer = client.receiveAll()
        #expect(answer.bytes == [21, 3, 3, 0, 2, 2, 112])
        #expect(answer.end == .end)
        #expect(relay.count(.nameUnknown) == 1)
    }

    @Test func `megabytes pass in both directions, byte for byte`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        let client = try TestConnection(port: relay.httpsPort)
        let hello = clientHello("one.acme.test")
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        let payload = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
        for (from, to) in [(client, endpoint), (endpoint, client)] {
            let sender = Foundation.Thread { try? from.send(payload) }
            sender.start()
            #expect(try to.receive(exactly: payload.count) == payload)
        }
        #expect(relay.pool.counters.sum(.bytesSpliced) > 1_000_000)
    }

    @Test func `urgent data in the middle of a large transfer holds nothing up`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(clientHello("one.acme.test"))
        let endpoint = try listener.accept()
        let payload = pattern(2_000_000)
        let sender = Foundation.Thread {
            try? endpoint.send(payload)
            endpoint.sendUrgently()
            try? endpoint.send(payload)
            endpoint.shutdownWriting()
        }
        sender.start()
        let answer = client.receiveAll()
        #expect(answer.bytes.count == 2 * payload.count)
        let isWhole = answer.bytes == payload + payload
        #expect(isWhole)
        #expect(answer.end == .end)
    }

    @Test func `a reset is passed on as a reset, in both directions`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        for fromClient in [true, false] {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(clientHello("one.acme.test"))
            let endpoint = try listener.accept()
            _ = try endpoint.receive(exactly: clientHello("one.acme.test").count)
            try endpoint.send("x")
            _ = try client.receive(exactly: 1)
            (fromClient ? client : endpoint).reset()
            #expect((fromClient ? endpoint : client).receive() == .reset)
        }
    }
}

@Suite struct `Relaying plain HTTP` {
    @Test func `every request of a connection tells the device's address`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        let client = try TestConnection(port: relay.httpPort)
        try client.send(
            "GET /1 HTTP/1.1\r\nHost: one.acme.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: one.acme.test\r\nX-Forwarded-For: 10.1.1.1\r\n\r\n"
        )
        let endpoint = try listener.accept()
        let first = try endpoint.receive(untilSuffix: "\r\n\r\n")
        #expect(first == "GET /1 HTTP/1.1\r\nHost: one.acme.test\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n")
        try endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(try client.receive(untilSuffix: "ok") == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        let second = try endpoint.receive(untilSuffix: "\r\n\r\n")
        #expect(second == "GET /2 HTTP/1.1\r\nHost: one.acme.test\r\nX-Forwarded-For: 10.1.1.1, 127.0.0.1\r\n\r\n")
        try endpoint.send("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(untilSuffix: "\r\n\r\n") == "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(relay.count(.requests, "one") == 2)
    }

    @Test func `bodies pass, with a length and in chunks, and the next head is found behind them`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([
            ("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: .off))
        ])
        let client = try TestConnection(port: relay.httpPort)
        let body = String(repeating: "0123456789abcdef", count: 20_000)
        let requests = [
            "POST /1 HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
            "POST /2 HTTP/1.1\r\nHost: one.acme.test\r\nTransfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n",
            "GET /3 HTTP/1.1\r\nHost: one.acme.test\r\n\r\n",
        ]
        let sender = Foundation.Thread { for request in requests { try? client.send(request) } }
        sender.start()
        let endpoint = try listener.accept()
        for (index, request) in requests.enumerated() {
            #expect(String(decoding: try endpoint.receive(exactly: request.utf8.count), as: UTF8.self) == request)
            let answer =
                index == 1
                ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
            try endpoint.send(answer)
            #expect(String(decoding: try client.receive(exactly: answer.utf8.count), as: UTF8.self) == answer)
        }
    }

    @Test func `another service's host on the same connection is answered 421`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([
            ("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)])),
            ("two", try carriage(["two.acme.test"], to: [("127.0.0.1", listener.port)])),
        ])
        let client = try TestConnection(port: relay.httpPort)
        try client.send("GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n")
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        try endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        _ = try client.receive(untilSuffix: "\r\n\r\n")
        try client.send("GET / HTTP/1.1\r\nHost: two.acme.test\r\n\r\n")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 421 "))
        #expect(endpoint.receive() == .end)
    }

    @Test func `an upgrade that the endpoint takes becomes a tunnel`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        let client = try TestConnection(port: relay.httpPort)
        try client.send("GET /ws HTTP/1.1\r\nHost: one.acme.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        try endpoint.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst")
        _ = try client.receive(untilSuffix: "first")
        try client.send("anything at all")
        #expect(try endpoint.receive(exactly: 15) == Array("anything at all".utf8))
        try endpoint.send("and back")
        #expect(try client.receive(exactly: 8) == Array("and back".utf8))
    }

    @Test func `an endpoint that cannot be connected to is a 502, and a host that nobody has a 421`() throws {
        let relay = try RelayHarness()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", 1)]))])
        let client = try TestConnection(port: relay.httpPort)
        try client.send("GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 502 "))
        let other = try TestConnection(port: relay.httpPort)
        try other.send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
        #expect(other.receiveText().hasPrefix("HTTP/1.1 421 "))
        #expect(relay.count(.connectFailures, "one") == 1)
    }
}
