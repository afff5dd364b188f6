import Routing
import Testing

/// What becomes of a body that comes in one piece.
private func follow(_ text: String, from sender: ChunkedBody.Sender = .client) -> ChunkedBody.Outcome {
    var body = ChunkedBody(from: sender)
    let bytes = Array(text.utf8)
    return body.follow(bytes.span)
}

/// What becomes of a body that comes in pieces of `size` bytes, with the count from its beginning.
private func follow(_ text: String, from sender: ChunkedBody.Sender, inPiecesOf size: Int) -> ChunkedBody.Outcome {
    var body = ChunkedBody(from: sender)
    let bytes = Array(text.utf8)
    var position = 0
    while position < bytes.count {
        let piece = Array(bytes[position..<min(position + size, bytes.count)])
        switch body.follow(piece.span) {
        case .more: position += piece.count
        case .ended(let count): return .ended(position + count)
        case .malformed: return .malformed
        }
    }
    return .more
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
        for size in 1...5 { #expect(follow(text + "G", from: .client, inPiecesOf: size) == .ended(count)) }
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
        // The line after the size ends where another parser might not see it end (TERM.EXT), or does not where it might (EXT.TERM).
        "5;a\nhello\r\n", "5;a\rb\r\n", "5;\n\r\n", "5;a\u{B}\r\n", "5;a\0\r\n", "5;\u{7F}\r\n", "5\r;a\r\n",
        // The data is longer or shorter than its size.
        "5\r\nhello!\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\rx", "5\r\nhell\r\n0\r\n", "5\r\nhello0\r\n\r\n",
        "0\r\n\n", "0\r\n\rx", "0\n\r\n",
    ])
    func `a body that two parsers could see end in different places is malformed`(text: String) {
        #expect(follow(text) == .malformed)
        #expect(follow(text, from: .client, inPiecesOf: 1) == .malformed)
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

    @Test func `a client's trailers are refused, for they could carry an X-Forwarded-For`() {
        #expect(follow("0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n") == .malformed)
        #expect(follow("0\r\nG") == .malformed)
    }

    @Test func `an endpoint's trailers pass, up to 16 KiB`() {
        let text = "5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n"
        #expect(follow(text, from: .endpoint) == .ended(text.utf8.count))
        for size in 1...7 { #expect(follow(text, from: .endpoint, inPiecesOf: size) == .ended(text.utf8.count)) }
        let longest = String(repeating: "x", count: ChunkedBody.longestTrailers)
        #expect(follow("0\r\n\(longest)\r\n", from: .endpoint) == .more)
        #expect(follow("0\r\n\(longest)\r\nx", from: .endpoint) == .malformed)
        #expect(follow("0\r\nA: b\n", from: .endpoint) == .malformed)
        #expect(follow("0\r\nA: b\r\r\n", from: .endpoint) == .malformed)
        #expect(follow("0\r\nA: \0", from: .endpoint) == .malformed)
    }

    @Test func `an endpoint may pad its sizes`() {
        #expect(follow("5  \r\nhello\r\n0 ;a\r\n\r\n", from: .endpoint) == .ended(20))
        #expect(follow("5" + String(repeating: " ", count: 257), from: .endpoint) == .malformed)
        #expect(follow("5 5\r\n", from: .endpoint) == .malformed)
    }

    @Test func `data may pass unseen`() {
        var body = ChunkedBody(from: .client)
        #expect(body.passable == 0)
        #expect(follow(&body, "400\r\nabc") == .more)
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
        #expect(follow(&body, "7FFFFFFFFFFFFFFF\r\nab") == .more)
        #expect(body.passable == 0x7FFF_FFFF_FFFF_FFFD)
        body.passed(0x7FFF_FFFF_FFFF_FFFD)
        #expect(follow(&body, "\r\n0\r\n\r\n") == .ended(7))
    }
}
