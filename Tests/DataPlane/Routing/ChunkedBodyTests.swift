import Routing
import Testing

/// What became of a body, and what of it passed.
private struct Passage: Equatable {
    enum End: Equatable { case more, ended(Int), malformed }
    var end: End
    var passed: String
}

/// What becomes of a body that comes in pieces of `size` bytes, or in one; with the count of all that belongs to it.
private func passage(
    _ text: String, from sender: ChunkedBody.Sender = .client, naming names: String = "", inPiecesOf size: Int = .max,
    restartingEach: Bool = false
) -> Passage {
    let bytes = Array(text.utf8)
    var body = ChunkedBody(from: sender, named: named(names))
    var passed: [UInt8] = []
    var position = 0
    var available = min(size, bytes.count)
    while true {
        if restartingEach, let again = ChunkedBody(from: sender, at: body.position) { body = again }
        let (count, isPassed): (Int, Bool)
        switch body.follow(bytes.span.extracting(position..<available)) {
        case .pass(let next): (count, isPassed) = (next, true)
        case .drop(let next): (count, isPassed) = (next, false)
        case .ended(let next):
            passed += bytes[position..<position + next]
            return Passage(end: .ended(position + next), passed: String(decoding: passed, as: UTF8.self))
        case .malformed: return Passage(end: .malformed, passed: String(decoding: passed, as: UTF8.self))
        case .wait:
            guard available < bytes.count else {
                return Passage(end: .more, passed: String(decoding: passed, as: UTF8.self))
            }
            available = min(bytes.count, available + min(size, bytes.count))
            continue
        }
        if isPassed { passed += bytes[position..<position + count] }
        position += count
    }
}

private func follow(_ text: String, from sender: ChunkedBody.Sender = .client, inPiecesOf size: Int = .max)
    -> Passage.End
{
    passage(text, from: sender, inPiecesOf: size).end
}

/// The names that a Connection field of such a value lists.
private func named(_ value: String) -> NamedFields {
    RequestInspection(of: "GET / HTTP/1.1\r\nHost: x\r\nConnection: \(value)\r\n\r\n").head?.namedFields
        ?? NamedFields()
}

private func follow(_ body: inout ChunkedBody, _ text: String) -> ChunkedBody.Outcome {
    let bytes = Array(text.utf8)
    return body.follow(bytes.span)
}

@Suite struct `Chunked body` {
    @Test(arguments: [
        "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0;c\r\n\r\n",
        "a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n",
        "0000000000000001\r\n\n\r\n0\r\n\r\n",
    ])
    func `a body ends where it ends, in however many pieces it comes`(text: String) {
        let count = text.utf8.count
        #expect(follow(text) == .ended(count))
        #expect(follow(text + "GET / HTTP/1.1\r\n") == .ended(count))
        for size in 1...5 { #expect(follow(text + "G", inPiecesOf: size) == .ended(count)) }
        for length in 0..<count { #expect(follow(String(decoding: text.utf8.prefix(length), as: UTF8.self)) == .more) }
    }

    @Test func `after its end a body takes nothing more`() {
        var body = ChunkedBody(from: .client)
        #expect(follow(&body, "0\r\n\r\nmore") == .ended(5))
        #expect(follow(&body, "0\r\n\r\nmore") == .ended(0))
    }

    @Test(arguments: [
        "\r\n", "g\r\n", "-1\r\n", "+5\r\n", "0x5\r\n", " 5\r\n", "5 \r\n", "5\t\r\n", "5\n", "5\r5", ";a\r\n",
        "5,\r\n",
        // Longer than a number of 64 bits, or of 63, can tell.
        "10000000000000000\r\n", "00000000000000005\r\n", "FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n",
        // The line after the size ends where another parser might not see it end (TERM.EXT), or does not where it might
        // (EXT.TERM).
        "5;a\nhello\r\n", "5;a\rb\r\n", "5;\n\r\n", "5;a\u{B}\r\n", "5;a\0\r\n", "5;\u{7F}\r\n", "5\r;a\r\n",
        // The data is longer or shorter than its size.
        "5\r\nhello!\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\rx", "5\r\nhell\r\n0\r\n", "5\r\nhello0\r\n\r\n",
        "0\r\n\n", "0\r\n\rx", "0\n\r\n",
    ])
    func `a body that two parsers could see end in different places is malformed`(text: String) {
        #expect(follow(text) == .malformed)
        #expect(follow(text, inPiecesOf: 1) == .malformed)
    }

    @Test func `once malformed, always malformed`() {
        var body = ChunkedBody(from: .endpoint)
        #expect(follow(&body, "x") == .malformed)
        #expect(follow(&body, "0\r\n\r\n") == .malformed)
        #expect(body.passable == 0)
    }

    @Test func `an extension may have 256 bytes with its semicolon`() {
        let longest = String(repeating: "x", count: ChunkedBody.longestExtension - 1)
        #expect(follow("5;\(longest)\r\n") == .more)
        #expect(follow("5;\(longest)x\r\n") == .malformed)
    }

    @Test(arguments: [ChunkedBody.Sender.client, .endpoint])
    func `trailers pass, up to 16 KiB`(sender: ChunkedBody.Sender) {
        let text = "5\r\nhello\r\n0\r\nA: b\r\nETag: \"d\"\r\nGrpc-Status:0\r\n\r\n"
        for size in [1, 2, 3, 5, 7, 11, 100] {
            #expect(
                passage(text, from: sender, inPiecesOf: size) == Passage(end: .ended(text.utf8.count), passed: text))
        }
        let longest = "A:" + String(repeating: "x", count: ChunkedBody.longestTrailers - 2)
        #expect(follow("0\r\n\(longest)\r\n", from: sender) == .more)
        #expect(follow("0\r\n\(longest)x", from: sender) == .malformed)
        #expect(follow("0\r\n\(longest)\r\nA:", from: sender) == .malformed)
        let dropped = "Host:" + String(repeating: "x", count: ChunkedBody.longestTrailers - 5)
        #expect(follow("0\r\n\(dropped)\r\n", from: sender) == .more)
        #expect(follow("0\r\n\(dropped)x", from: sender, inPiecesOf: 1000) == .malformed)
    }

    @Test(arguments: [
        "A: b\n", "A: b\r\r\n", "A: \0", " A: b", "A : b", "\tb", "A", "A b: c", ": x", "A\r\n", "\u{E9}: x",
        "A: b\r\n c",
        "Host: b\n", "Host: b\rx", "Host: \u{7F}", String(repeating: "x", count: ChunkedBody.longestTrailerName),
    ])
    func `a trailer that two parsers could read differently is malformed`(trailer: String) {
        // Whatever follows it; before that, a name may still go on.
        for sender in [ChunkedBody.Sender.client, .endpoint] {
            #expect(follow("0\r\n\(trailer)\r\n\r\n", from: sender) == .malformed)
            #expect(follow("0\r\n\(trailer)\r\n\r\n", from: sender, inPiecesOf: 1) == .malformed)
        }
    }

    @Test(arguments: [
        "Content-Length", "transfer-ENCODING", "Trailer", "TE", "Connection", "Keep-Alive", "Proxy-Connection",
        "Upgrade", "Host",
        "Expect", "Max-Forwards", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Cache-Control",
        "Range", "If-Match",
        "Content-Type", "Content-Encoding", "Content-Range", "Location", "Forwarded", "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Proto", "X-Forwarded-Anything", "X-Real-IP", "x_real_ip", "Content_Length", "www-authenticate",
    ])
    func `a trailer that belongs into a head does not pass`(name: String) {
        let body = "5\r\nhello\r\n0\r\n"
        let text = "\(body)A: b\r\n\(name): x\r\nC: d\r\n\(name):\r\n\r\n"
        for sender in [ChunkedBody.Sender.client, .endpoint] {
            for size in [1, 2, 3, 5, 8, 13, 100] {
                #expect(
                    passage(text, from: sender, inPiecesOf: size)
                        == Passage(end: .ended(text.utf8.count), passed: "\(body)A: b\r\nC: d\r\n\r\n"))
            }
        }
    }

    @Test func `a trailer that Connection names does not pass, and of more than two names none does`() {
        let text = "0\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\n\r\n"
        #expect(passage(text, naming: "x-one").passed == "0\r\nX-Two: 2\r\nX-Three: 3\r\n\r\n")
        #expect(passage(text, naming: "close, x-three, x-one").passed == "0\r\nX-Two: 2\r\n\r\n")
        #expect(passage(text, naming: "a, b, c").passed == "0\r\n\r\n")
        #expect(passage(text, naming: "close").passed == text)
    }

    @Test func `a body goes on from where it stood, wherever that was`() {
        let text = "5;x=y\r\nhello\r\n0\r\nHost: x\r\nA: b\r\nTE: x\r\n\r\n"
        for size in 1...9 {
            #expect(
                passage(text, inPiecesOf: size, restartingEach: true)
                    == Passage(end: .ended(text.utf8.count), passed: "5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n"))
            // The names are lost on the way, and with them all trailers.
            #expect(
                passage(text, naming: "x", inPiecesOf: size, restartingEach: true).passed.hasSuffix(
                    "hello\r\n0\r\n\r\n"))
        }
        for kind in UInt8.min...UInt8.max {
            let body = ChunkedBody(from: .client, at: .init(kind: kind, count: 3, left: 5))
            #expect((body != nil) == (1...15).contains(kind & 0x7F))
        }
    }

    @Test func `what waits is shorter than the longest name`() {
        var body = ChunkedBody(from: .client)
        #expect(follow(&body, "0\r\n") == .pass(3))
        let name = String(repeating: "x", count: ChunkedBody.longestTrailerName - 1)
        #expect(follow(&body, name) == .wait)
        #expect(follow(&body, name + ":") == .pass(ChunkedBody.longestTrailerName))
    }

    @Test func `an endpoint may pad its sizes`() {
        #expect(follow("5  \r\nhello\r\n0 ;a\r\n\r\n", from: .endpoint) == .ended(20))
        #expect(follow("5" + String(repeating: " ", count: 257), from: .endpoint) == .malformed)
        #expect(follow("5 5\r\n", from: .endpoint) == .malformed)
    }

    @Test func `data may pass unseen`() {
        var body = ChunkedBody(from: .client)
        #expect(body.passable == 0)
        #expect(follow(&body, "400\r\nabc") == .pass(8))
        #expect(body.passable == 1021)
        body.passed(1000)
        body.passed(0)
        #expect(body.passable == 21)
        body.passed(21)
        #expect(body.passable == 0)
        #expect(follow(&body, "\r\n0\r\n\r\n") == .ended(7))
        #expect(body.passable == 0)
    }

    @Test func `the largest chunk is passed as any other`() {
        var body = ChunkedBody(from: .client)
        #expect(follow(&body, "7FFFFFFFFFFFFFFF\r\nab") == .pass(20))
        #expect(body.passable == 0x7FFF_FFFF_FFFF_FFFD)
        body.passed(0x7FFF_FFFF_FFFF_FFFD)
        #expect(follow(&body, "\r\n0\r\n\r\n") == .ended(7))
    }
}
