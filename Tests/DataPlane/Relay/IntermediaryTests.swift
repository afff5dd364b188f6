import Domain
import Foundation
import Glibc
import Testing

@testable import DataPlane

/// What RFC 9110 and RFC 9112 ask of an intermediary, seen from both of its ends.
@Suite struct `An intermediary` {
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private let chunked = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func request(_ lines: String...) -> String {
        (["GET / HTTP/1.1", "Host: one.acme.test"] + lines + ["", ""]).joined(separator: "\r\n")
    }

    private func response(_ lines: String..., body: String = "ok") -> String {
        (["HTTP/1.1 200 OK", "Content-Length: \(body.utf8.count)"] + lines + ["", body]).joined(separator: "\r\n")
    }

    /// Reads as many bytes as are expected, or fewer when no more come.
    private func read(_ connection: TestConnection, like expected: String) -> String {
        var all: [UInt8] = []
        while all.count < expected.utf8.count,
            case .bytes(let bytes) = connection.receive(upTo: expected.utf8.count - all.count)
        {
            all += bytes
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// One exchange on a connection of its own: what each end hears of what the other says.
    private func expect(
        _ said: String, isHeardAs heard: String, answered answer: String? = nil, as told: String? = nil
    ) throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(said)
        let endpoint = try listener.accept()
        #expect(read(endpoint, like: heard) == heard)
        try endpoint.send(answer ?? ok)
        #expect(read(client, like: told ?? answer ?? ok) == told ?? answer ?? ok)
    }

    /// What the client hears, up to the end of the connection, when its request is answered so.
    private func outcome(of request: String, answered answer: String) throws -> (text: String, end: TestConnection.Read)
    {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(request)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        try endpoint.send(answer)
        let (bytes, end) = client.receiveAll()
        // The endpoint's connection stays open until then: what ends the client's is the relay.
        withExtendedLifetime(endpoint) {}
        return (String(decoding: bytes, as: UTF8.self), end)
    }

    /// The same, when it is known.
    private func expect(_ told: String, of request: String, answered answer: String) throws {
        let (text, end) = try outcome(of: request, answered: answer)
        #expect(text == told)
        #expect(end == .end)
    }

    // MARK: Empty lines

    @Test func `passes over an empty line before a request, also behind a body, in however many pieces it comes`()
        throws
    {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        let post = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 4\r\n\r\nbody"
        try client.send("\r\n" + post + "\r\n" + get)
        let endpoint = try listener.accept()
        #expect(read(endpoint, like: post) == post)
        try endpoint.send(ok)
        #expect(read(endpoint, like: get) == get)
        try endpoint.send(ok)
        #expect(read(client, like: ok + ok) == ok + ok)
        for piece in ["\r", "\n", "\r\n", "G", String(get.dropFirst())] { try client.send(piece) }
        #expect(read(endpoint, like: get) == get)
        try endpoint.send(ok)
        #expect(read(client, like: ok) == ok)
        client.shutdownWriting()
        #expect(endpoint.receive() == .end)
        endpoint.shutdownWriting()
        try relay.expectIdle()
    }

    @Test func `takes a client that has sent nothing but an empty line for a silent one`() throws {
        var settings = RelaySettings()
        settings.helloTimeout = .seconds(2)
        let (relay, listener) = try RelayHarness.single(settings)
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = read(endpoint, like: get)
        try endpoint.send(ok + "")
        _ = read(client, like: ok)
        try client.send("\r\n")
        // Longer than a request may take that has begun: another client's did, and was answered so.
        let other = try TestConnection(port: relay.httpPort)
        try other.send(get)
        let another = try listener.accept()
        _ = read(another, like: get)
        try another.send(ok)
        _ = read(other, like: ok)
        try other.send("GET")
        #expect(other.receiveText().hasPrefix("HTTP/1.1 408 "))
        try client.send(get)
        #expect(read(endpoint, like: get) == get)
        try eventually("nothing is held for a client without a request") {
            relay.pool.counters.sum(.bytesBuffered) == 0
        }
    }

    @Test func `refuses a request behind many empty lines`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(String(repeating: "\r\n", count: 9) + get)
        #expect(client.receiveText().hasPrefix("HTTP/1.1 400 "))
        #expect(relay.count(.requestRefused) == 1)
        withExtendedLifetime(listener) {}
    }

    // MARK: Trailers and chunks

    @Test func `passes trailers on, but for those that have to stand in a head`() throws {
        let kept = "0\r\ngrpc-status: 0\r\nX-Checksum: abc\r\n\r\n"
        let sent =
            "0\r\ngrpc-status: 0\r\nX-Forwarded-For: 10.0.0.1\r\nHost: two.acme.test\r\nX_Real_IP: 10.0.0.1\r\n"
            + "Content-Length: 5\r\nauthorization: Basic eDp5\r\nX-Checksum: abc\r\nTransfer-Encoding: x\r\n\r\n"
        let body = "5\r\nhello\r\n"
        try expect(
            chunked + body + sent + get, isHeardAs: chunked + body + kept,
            answered: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + sent,
            as: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + kept)
    }

    @Test func `passes trailers on in however many pieces they come, and takes the next request behind them`() throws {
        let (relay, listener) = try RelayHarness.single()
        let sent = Array("\(chunked)2\r\nhi\r\n0\r\nForwarded: for=x\r\nA: b\r\nX-Forwarded-Host: c\r\n\r\n".utf8)
        let heard = chunked + "2\r\nhi\r\n0\r\nA: b\r\n\r\n"
        let client = try TestConnection(port: relay.httpPort)
        var accepted: TestConnection?
        for size in [1, 2, 7, 40] {
            for start in stride(from: 0, to: sent.count, by: size) {
                try client.send(Array(sent[start..<min(sent.count, start + size)]))
                usleep(300)
            }
            let endpoint = try accepted ?? listener.accept()
            accepted = endpoint
            #expect(read(endpoint, like: heard) == heard)
            try endpoint.send(ok)
            #expect(read(client, like: ok) == ok)
        }
        client.shutdownWriting()
        accepted?.shutdownWriting()
        try relay.expectIdle()
    }

    @Test func `drops a trailer that the Connection field names`() throws {
        let head = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nTransfer-Encoding: chunked\r\n"
        try expect(
            head + "Connection: X-Drop\r\n\r\n0\r\nX-Drop: 1\r\nX-Keep: 2\r\n\r\n",
            isHeardAs: head + "\r\n0\r\nX-Keep: 2\r\n\r\n")
    }

    @Test(arguments: [
        "zz\r\n", "5\r\nhelloXX", "-1\r\n", "fffffffffffffffff\r\n", "5\nhello", "0\r\nA b: c\r\n\r\n", "0\r\n a\r\n",
    ])
    func `answers a malformed chunk with 400, and lets the endpoint know that the request is not whole`(chunk: String)
        throws
    {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(chunked + "2\r\nhi\r\n")
        let endpoint = try listener.accept()
        #expect(read(endpoint, like: chunked + "2\r\nhi\r\n") == chunked + "2\r\nhi\r\n")
        try client.send(chunk)
        let (bytes, end) = client.receiveAll()
        let answer = String(decoding: bytes, as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("\r\nConnection: close\r\n"), "\(answer)")
        #expect(end == .end)
        #expect(endpoint.receiveAll().end == .reset)
        client.shutdownWriting()
        try relay.expectIdle()
        #expect(relay.count(.requestBodyMalformed) == 1)
    }

    @Test func `answers a malformed chunk behind an interim response with 400, and cuts when the response has begun`()
        throws
    {
        for said in ["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"] {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send(chunked)
            let endpoint = try listener.accept()
            _ = read(endpoint, like: chunked)
            try endpoint.send(said)
            #expect(read(client, like: said) == said)
            try client.send("zz\r\n")
            let (bytes, end) = client.receiveAll()
            if said.contains(" 103 ") {
                #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
                #expect(end == .end)
            } else {
                #expect(bytes.isEmpty && end == .reset)
            }
        }
    }

    @Test func `cuts a response whose chunks are malformed, and counts it apart`() throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = read(endpoint, like: get)
        try endpoint.send(head)
        #expect(read(client, like: head) == head)
        try endpoint.send("zz\r\n")
        #expect(client.receiveAll().end == .reset)
        #expect(relay.count(.responseMalformed) == 1)
        #expect(relay.count(.requestBodyMalformed) == 0)
    }

    // MARK: Fields of one connection

    @Test func `drops what Connection names, in requests and in responses`() throws {
        try expect(
            request("Connection: X-Drop", "X-Drop: 1", "X-Keep: 2"), isHeardAs: request("X-Keep: 2"),
            answered: response("Connection: keep-alive, X-Drop", "x-drop: 1", "X-Keep: 2"),
            as: response("Connection: keep-alive", "X-Keep: 2"))
        try expect(
            request("A: b", "connection: close, x-one", "X-One: 1", "Connection: x-two , ,", "x-two: 2", "X-Twos: 3"),
            isHeardAs: request("A: b", "Connection: close", "X-Twos: 3"),
            answered: response("Connection: x-one,x-two, close", "X-Two: 1", "X-One: 2"),
            as: response("Connection: close"))
    }

    @Test func `drops Keep-Alive and Proxy-Connection of a request, and keeps the TE that trailers need`() throws {
        try expect(
            request("Keep-Alive: 300", "Proxy-Connection: keep-alive", "Connection: keep-alive", "TE: trailers"),
            isHeardAs: request("Connection: keep-alive", "TE: trailers"))
        let te = request("TE: trailers", "Connection: TE")
        try expect(te, isHeardAs: te)
        try expect(
            request("TE: trailers", "Connection: TE, X-Drop"), isHeardAs: request("TE: trailers", "Connection: TE"))
    }

    @Test func `refuses a Connection field that names what has to reach the endpoint`() throws {
        for name in ["Host", "Content-Length", "Transfer-Encoding", "X-Forwarded-For", "Expect"] {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send(request("Connection: close, \(name)"))
            #expect(client.receiveText().hasPrefix("HTTP/1.1 400 "), "\(name)")
            withExtendedLifetime(listener) {}
        }
    }

    @Test func `lowers Max-Forwards, and answers itself when there is none left`() throws {
        func asked(_ method: String, _ count: String) -> String {
            "\(method) / HTTP/1.1\r\nHost: one.acme.test\r\nMax-Forwards: \(count)\r\n\r\n"
        }
        try expect(asked("OPTIONS", "10"), isHeardAs: asked("OPTIONS", "9"))
        try expect(asked("TRACE", "1"), isHeardAs: asked("TRACE", "0"))
        try expect(asked("GET", "0"), isHeardAs: asked("GET", "0"))
        for (method, status) in [("OPTIONS", 200), ("TRACE", 405)] {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send(asked(method, "0"))
            #expect(client.receiveText().hasPrefix("HTTP/1.1 \(status) "))
            withExtendedLifetime(listener) {}
        }
    }

    // MARK: The last response

    @Test func `says close in the last response when the endpoint does not`() throws {
        let (closing, told) = (request("Connection: close"), response("Connection: close"))
        try expect(told, of: closing, answered: ok)
        try expect(told, of: closing, answered: response("Connection: keep-alive", "Keep-Alive: timeout=5"))
        try expect(told, of: closing, answered: told)
        let old = "GET / HTTP/1.0\r\nHost: one.acme.test\r\n\r\n"
        try expect(told, of: old, answered: ok)
    }

    @Test func `says close in the response that a draining process sends last`() throws {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = read(endpoint, like: get)
        try relay.shutDown()
        try endpoint.send(ok)
        let (bytes, end) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self) == response("Connection: close"))
        #expect(end == .end)
    }

    @Test func `says close when a client that waited for leave to send its body has got the answer instead`() throws {
        let post = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        try expect(response("Connection: close"), of: post, answered: ok)
    }

    @Test func `throws away what an endpoint says behind its last response`() throws {
        let closing = request("Connection: close")
        let last = response("Connection: close")
        for junk in ["junk", last, String(repeating: "x", count: 100_000)] {
            try expect(last, of: closing, answered: last + junk)
        }
    }

    @Test func `lets a client read its last response to the end though the endpoint resets behind it`() throws {
        let body = String(repeating: "x", count: 50_000)
        for _ in 0..<5 {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send(request("Connection: close"))
            let endpoint = try listener.accept()
            _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
            let last = response("Connection: close", body: body)
            try endpoint.send(last)
            // All of it has arrived when the end has: nothing of it is lost in the endpoint's own socket.
            let head = try client.receive(exactly: 1000)
            try eventually("the whole response") { relay.count(.bytesDown, "one") == UInt64(last.utf8.count) }
            endpoint.reset()
            let (bytes, end) = client.receiveAll()
            #expect(head.count + bytes.count == last.utf8.count)
            #expect(end == .end)
        }
    }

    @Test func `closes at once when an endpoint says what nobody asked for, and passes nothing of it on`() throws {
        for words in ["HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", "junk", ok] {
            let (relay, listener) = try RelayHarness.single()
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get)
            let endpoint = try listener.accept()
            _ = read(endpoint, like: get)
            try endpoint.send(ok)
            #expect(read(client, like: ok) == ok)
            try endpoint.send(words)
            let (bytes, end) = client.receiveAll()
            #expect(bytes.isEmpty && end == .end, "\(String(decoding: bytes, as: UTF8.self))")
        }
        // What comes right behind a response is no other thing.
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = read(endpoint, like: get)
        try endpoint.send(ok + ok)
        #expect(client.receiveText() == ok)
        withExtendedLifetime(endpoint) {}
    }

    // MARK: Where a request goes

    @Test func `sends the host of an absolute target on, whatever the Host field says, if both are one service's`()
        throws
    {
        let (relay, listener) = try RelayHarness.single()
        let other = try TestListener()
        let one = try carriage(
            ["one.acme.test", "www.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: .off)
        try relay.route([
            ("one", one), ("two", try carriage(["two.acme.test"], to: [("127.0.0.1", other.port)], forwardedFor: .off)),
        ])
        func passed(_ line: String, _ fields: String) throws -> String {
            let client = try TestConnection(port: relay.httpPort)
            try client.send("\(line)\r\n\(fields)\r\n")
            return try listener.accept().receive(untilSuffix: "\r\n\r\n")
        }
        #expect(
            try passed("GET http://www.acme.test:8080/a?b HTTP/1.1", "A: b\r\nHost: one.acme.test\r\nC: d\r\n")
                == "GET /a?b HTTP/1.1\r\nA: b\r\nHost: www.acme.test:8080\r\nC: d\r\n\r\n")
        #expect(
            try passed("GET http://one.acme.test HTTP/1.0", "A: b\r\n")
                == "GET / HTTP/1.0\r\nHost: one.acme.test\r\nA: b\r\n\r\n")
        #expect(
            try passed("OPTIONS http://one.acme.test HTTP/1.1", "Host: one.acme.test\r\n")
                == "OPTIONS * HTTP/1.1\r\nHost: one.acme.test\r\n\r\n")
        for (target, host) in [
            ("two.acme.test", "one.acme.test"), ("one.acme.test", "two.acme.test"), ("one.acme.test", "nobody.test"),
        ] {
            let client = try TestConnection(port: relay.httpPort)
            try client.send("GET http://\(target)/ HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(client.receiveText().hasPrefix("HTTP/1.1 400 "), "\(target) \(host)")
        }
    }

    @Test func `tells the endpoint where a request came from as the service says, in every request of a connection`()
        throws
    {
        let (relay, listener) = try RelayHarness.single()
        let claims =
            "X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n"
        let asked = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\(claims)\r\n"
        let own =
            "Forwarded: for=127.0.0.1;host=\"one.acme.test\";proto=http\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
            + "X-Forwarded-Host: one.acme.test\r\nX-Forwarded-Port: \(relay.httpPort)\r\n"
        let wanted: [(ForwardedFor, ForwardedFields?, String)] = [
            (.off, nil, claims), (.off, .strip, "X-Forwarded-For: 10.0.0.1\r\n"),
            (.replace, nil, "X-Forwarded-For: 127.0.0.1\r\n"), (.replace, .set, "X-Forwarded-For: 127.0.0.1\r\n\(own)"),
            (.append, nil, claims.replacing("X-Forwarded-For: 10.0.0.1", with: "X-Forwarded-For: 10.0.0.1, 127.0.0.1")),
            (.off, .set, "X-Forwarded-For: 10.0.0.1\r\n\(own)"),
        ]
        for (addressing, fields, told) in wanted {
            let one = try carriage(
                ["one.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: addressing, forwardedFields: fields
            )
            try relay.route([("one", one)])
            let client = try TestConnection(port: relay.httpPort)
            try client.send(asked + asked)
            let endpoint = try listener.accept()
            let heard = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\(told)\r\n"
            for _ in 0..<2 {
                #expect(read(endpoint, like: heard) == heard)
                try endpoint.send(ok)
            }
        }
    }

    @Test func `takes the port of a trusted sender's word for the one that was called`() throws {
        let (relay, listener) = try RelayHarness.single()
        let one = try carriage(
            ["one.acme.test"], to: [("127.0.0.1", listener.port)], accept: true, forwardedFor: .replace,
            forwardedFields: .set)
        try relay.route([("one", one)], trusted: ["127.0.0.0/8"])
        let client = try TestConnection(port: relay.httpPort)
        try client.send("PROXY TCP6 2001:db8::7 2001:db8::80 50000 8080\r\n\(get)")
        let heard = try listener.accept().receive(untilSuffix: "\r\n\r\n")
        #expect(heard.contains("\r\nX-Forwarded-For: 2001:db8::7\r\n"))
        #expect(heard.contains("\r\nForwarded: for=\"[2001:db8::7]\";host=\"one.acme.test\";proto=http\r\n"))
        #expect(heard.contains("\r\nX-Forwarded-Port: 8080\r\n"))
    }

    // MARK: Responses in doubt

    static let ambiguous = [
        "Content-Length: 2\r\nContent-Length: 3", "Content-Length: 2, 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2", "Content-Length: +2", "Content-Length: ",
        "Content-Length: 2\r\n 3", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, chunked",
    ]

    @Test(arguments: ambiguous)
    func `answers 502 in place of a response whose end is in doubt, and nothing behind it is swallowed`(fields: String)
        throws
    {
        let (relay, listener) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get + get)
        let endpoint = try listener.accept()
        #expect(read(endpoint, like: get) == get)
        try endpoint.send("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        let (bytes, end) = client.receiveAll()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 502 ") && text.contains("\r\nConnection: close\r\n"), "\(text)")
        #expect(text.ranges(of: "HTTP/1.1 ").count == 1)
        #expect(end == .end)
        // Nothing of the second request came.
        #expect(endpoint.receiveAll().bytes.isEmpty)
        #expect(relay.count(.responseMalformed) == 1)
        client.shutdownWriting()
        try relay.expectIdle()
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
    ])
    func `answers 502 in place of what is no response to the request`(words: String) throws {
        let (text, end) = try outcome(of: get, answered: words)
        #expect(text.hasPrefix("HTTP/1.1 502 ") && end == .end, "\(text)")
    }

    @Test func `cleans a response as it has to be before it is passed on`() throws {
        func told(_ said: String, as heard: String) throws {
            try expect(get, isHeardAs: get, answered: said, as: heard)
        }
        let head = "HTTP/1.1 200 OK\r\n"
        try told("\(head)Content-Length : 2\r\nX-A\t: b\r\n\r\nok", as: "\(head)Content-Length: 2\r\nX-A: b\r\n\r\nok")
        try told(
            "\(head)X: a\r\n  b\r\n\tc\r\nContent-Length: 2\r\n\r\nok",
            as: "\(head)X: a b c\r\nContent-Length: 2\r\n\r\nok")
        try told("\(head)Content-Length: 2, 02\r\nX: y\r\n\r\nok", as: "\(head)X: y\r\nContent-Length: 2\r\n\r\nok")
    }
}
