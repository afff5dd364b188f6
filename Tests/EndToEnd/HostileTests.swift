import Glibc
import Testing

/// Invariant 9: no input from outside can crash a daemon, or make it use unbounded memory.
@Suite(.realParts) struct `Hostile clients` {
    /// A server that carries traffic to nginx, as it was before the hostility and as it has to be after it.
    private struct Target {
        let server: Server
        let descriptors: Int

        init(flags: [String] = []) throws {
            let nginx = try Nginx("first")
            server = try Fleet.single(to: nginx.first.endpoint, flags: flags).servers[0]
            // The first flow opens what stays open for all later ones.
            _ = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
            descriptors = try server.atRest(\.descriptorCount)
        }

        /// It lives, carries traffic, and has let go of everything.
        func checkIsUnharmed() throws {
            #expect(try server.program.isRunning)
            #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
            try server.awaitNoFlows()
            try eventually("its descriptors are back to \(descriptors)") {
                try server.program.descriptorCount <= descriptors
            }
            // Four hundred megabytes are far above what a debug build at rest has, and far below what the attacks could
            // fill.
            #expect(try server.program.residentMemory < 400 << 20)
        }

        /// Sends bytes to the HTTPS port, and gives what came back until the end.
        func tell(_ bytes: [UInt8]) throws -> (text: String, end: TCPConnection.Read) {
            let connection = try TCPConnection(to: server.https)
            // It may be refused, and closed, before all of it is sent.
            try? connection.send(bytes)
            return connection.receiveAll()
        }

        func ask(_ text: String) throws -> (text: String, end: TCPConnection.Read) {
            let connection = try TCPConnection(to: server.http)
            try? connection.send(text)
            return connection.receiveAll()
        }
    }

    // MARK: Port 443

    @Test func `what is no TLS is refused on the port of TLS`() throws {
        let target = try Target()
        let openings: [[UInt8]] = [
            Array("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
            Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), [UInt8](repeating: 0, count: 4096),
            [UInt8](repeating: 255, count: 4096),
            [0x80, 0x2E, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10],
        ]
        for bytes in openings {
            // A first byte with the high bit set may be a hello of SSL 2, which gets an alert; the others would not
            // understand one.
            let longest = bytes[0] & 0x80 == 0 ? 0 : 7
            #expect(try target.tell(bytes).text.utf8.count <= longest)
        }
        #expect(try target.server.incidents("hello_refused") == UInt64(openings.count))
        try target.checkIsUnharmed()
    }

    @Test func `an unknown name gets the alert unrecognized_name`() throws {
        let target = try Target()
        let connection = try TCPConnection(to: target.server.https)
        try connection.send(clientHello("nobody.example.test"))
        #expect(try connection.receive(exactly: 7) == [21, 3, 3, 0, 2, 2, 112])
        #expect(connection.receive() == .end)
        #expect(try target.server.incidents("name_unknown") == 1)
        try target.checkIsUnharmed()
    }

    @Test func `a hello that never ends is cut off, at whatever place it stops`() throws {
        let target = try Target(flags: ["--hello-timeout", "1"])
        let hello = clientHello("app.acme.test", padding: 600)
        let places = [0, 1, 4, 5, 6, 9, 42, 60, 300, hello.count - 1]
        let connections = try places.map { place in
            let connection = try TCPConnection(to: target.server.https)
            try connection.send(Array(hello.prefix(place)))
            return connection
        }
        for connection in connections { #expect([.end, .reset].contains(connection.receive())) }
        // The first said nothing at all, the others too little.
        try target.server.awaitIncident("request_timed_out", beyond: UInt64(places.count - 2))
        try target.server.awaitIncident("client_silent")
        try target.checkIsUnharmed()
    }

    @Test func `a hello that comes byte by byte is understood, and one beyond all bounds is refused`() throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        // A busy machine sends byte by byte more slowly than a hello may be sent.
        try fleet.api.apply("PATCH", "/servers/za1", ["limits": ["minimumBytesPerSecond": 0]])
        let slow = try TCPConnection(to: server.https)
        for byte in clientHello("app.acme.test") { try slow.send([byte]) }
        #expect(try slow.receive(until: "\n") == "first\n")
        let target = try Target()
        let body = [UInt8](repeating: 0, count: 140 << 10)
        let message = [1, 2, 0x30, 0] + body
        let records = stride(from: 0, to: message.count, by: 16000).flatMap { start -> [UInt8] in
            let part = message[start..<min(start + 16000, message.count)]
            return [22, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 0xFF)] + part
        }
        #expect([.end, .reset].contains(try target.tell(records).end))
        #expect(try target.server.incidents("hello_refused") == 1)
        try target.checkIsUnharmed()
    }

    @Test func `every truncation and every flipped byte of a hello leaves the server unharmed`() throws {
        let target = try Target(flags: ["--hello-timeout", "2"])
        let hello = clientHello("app.acme.test")
        for place in hello.indices {
            let cut = try TCPConnection(to: target.server.https)
            try cut.send(Array(hello.prefix(place)))
            cut.endWriting()
            #expect(cut.receiveAll().text.utf8.count <= 7, "nothing but an alert")
            var flipped = hello
            flipped[place] ^= 0xFF
            let connection = try TCPConnection(to: target.server.https)
            try connection.send(flipped)
            connection.endWriting()
            _ = connection.receiveAll()
        }
        try target.checkIsUnharmed()
    }

    // MARK: Port 80

    @Test func `TLS and HTTP/2 are refused on the port of plain HTTP`() throws {
        let target = try Target()
        let connection = try TCPConnection(to: target.server.http)
        try connection.send(clientHello("app.acme.test"))
        #expect(connection.receiveAll().text == "")
        #expect(try target.ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}").text.hasPrefix("HTTP/1.1 505 "))
        #expect(try target.server.incidents("request_refused") == 2)
        try target.checkIsUnharmed()
    }

    @Test func `what two parsers could read differently is refused with 400`() throws {
        let target = try Target()
        let host = "Host: app.acme.test\r\n"
        let requests = [
            "POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\(host)\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 5, 6\r\n\r\nhello!",
            "POST / HTTP/1.1\r\n\(host)Content-Length: +5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 0x5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\nhello",
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\nHost: app.acme.test\n\n",
            "GET / HTTP/1.1\r\n\(host)X: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)X : a\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)X\u{0}: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)X: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)\(host)\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET http://other.test/ HTTP/1.1\r\n\(host)\r\n",
            "GET  / HTTP/1.1\r\n\(host)\r\n",
            "GET / HTTP/1.1 \r\n\(host)\r\n",
            " GET / HTTP/1.1\r\n\(host)\r\n",
            "G\u{1}T / HTTP/1.1\r\n\(host)\r\n",
        ]
        for request in requests {
            let answer = try target.ask(request).text
            #expect(
                answer.hasPrefix("HTTP/1.1 400 "),
                "\(request.debugDescription) got \(answer.prefix(60).debugDescription)")
            #expect(answer.ranges(of: "HTTP/1.1 ").count == 1, "one answer and no more: \(request.debugDescription)")
        }
        let others = [
            ("CONNECT app.acme.test:443 HTTP/1.1\r\n\(host)\r\n", 405), ("GET / HTTP/3.0\r\n\(host)\r\n", 505),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ]
        for (request, status) in others {
            #expect(try target.ask(request).text.hasPrefix("HTTP/1.1 \(status) "), "\(request.debugDescription)")
        }
        #expect(try target.server.incidents("request_refused") == UInt64(requests.count + others.count))
        try eventually("it is logged") { target.server.log.contains("A request was refused") }
        try target.checkIsUnharmed()
    }

    @Test func `a smuggled request behind a good one is refused like a first one`() throws {
        let target = try Target()
        let good = "GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n"
        let connection = try TCPConnection(to: target.server.http)
        try connection.send(
            good + "POST / HTTP/1.1\r\nHost: app.acme.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
        #expect(try connection.receiveResponse().status == 200)
        #expect(try connection.receiveResponse().status == 400)
        #expect([.end, .reset].contains(connection.receive()))
        let other = try TCPConnection(to: target.server.http)
        #expect(try other.exchange(good).status == 200)
        #expect(try other.exchange("GET / HTTP/1.1\r\nHost: za1.dfree.test\r\n\r\n").status == 421)
        try target.checkIsUnharmed()
    }

    @Test func `a head beyond all bounds is refused with 431`() throws {
        let target = try Target()
        let long = "GET / HTTP/1.1\r\nHost: app.acme.test\r\nX: \(String(repeating: "a", count: 100 << 10))\r\n\r\n"
        #expect(try target.ask(long).text.hasPrefix("HTTP/1.1 431 "))
        let many = (0..<1000).map { "X\($0): \($0)\r\n" }.joined()
        #expect(try target.ask("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\(many)\r\n").text.hasPrefix("HTTP/1.1 431 "))
        let path = String(repeating: "a", count: 100 << 10)
        #expect(try target.ask("GET /\(path) HTTP/1.1\r\nHost: app.acme.test\r\n\r\n").text.hasPrefix("HTTP/1.1 431 "))
        try target.checkIsUnharmed()
    }

    @Test func `a request that never ends is answered with 408`() throws {
        let target = try Target(flags: ["--hello-timeout", "1"])
        let silent = try TCPConnection(to: target.server.http)
        #expect(try target.ask("GET / HTTP/1.1\r\nHost: app.acme").text.hasPrefix("HTTP/1.1 408 "))
        #expect([.end, .reset].contains(silent.receive()))
        try target.checkIsUnharmed()
    }

    @Test func `an endpoint whose answer could end in two places is not believed, and nothing behind it is swallowed`()
        throws
    {
        let answers = [
            "Content-Length: 2\r\nContent-Length: 40", "Content-Length: 2, 40",
            "Content-Length: 2\r\nTransfer-Encoding: chunked",
            "Content-Length: 2x", "Transfer-Encoding: chunked, chunked",
        ]
        for fields in answers {
            let peer = try Peer { connection in
                _ = try connection.receive(until: "\r\n\r\n")
                try connection.send("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n2\r\nok\r\n0\r\n\r\n")
                _ = connection.receiveAll()  // it goes on waiting for requests
            }
            let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
            let connection = try TCPConnection(to: server.http)
            let request = "GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n"
            try connection.send(request + request)
            let (text, end) = connection.receiveAll()
            #expect(text.hasPrefix("HTTP/1.1 502 ") && text.ranges(of: "HTTP/1.1 ").count == 1, "\(fields): \(text)")
            #expect(end == .end)
            #expect(try server.incidents("response_malformed") == 1)
            #expect(peer.connections == 1)
            try server.awaitNoFlows()
        }
    }

    @Test func `a malformed chunk is answered with 400`() throws {
        let target = try Target()
        let head = "PUT /files/x HTTP/1.1\r\nHost: app.acme.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in [
            "5\r\nhelloXX0\r\n\r\n", "zz\r\n\r\n", "ffffffffffffffffff\r\n", "5\nhello\r\n0\r\n\r\n", "-1\r\n\r\n",
            "0\r\nno name\r\n\r\n",
        ] {
            let (text, end) = try target.ask(head + body)
            #expect(text.hasPrefix("HTTP/1.1 400 ") && text.contains("\r\nConnection: close\r\n"), "\(text)")
            #expect(end == .end)
        }
        try target.server.awaitIncident("request_body_malformed", beyond: 5)
        try target.checkIsUnharmed()
    }
}
