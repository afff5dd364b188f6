import Routing
import Testing

private func inspect(_ text: String, toHEAD: Bool = false) -> ResponseHead.Outcome {
    let bytes = Array(text.utf8)
    var scanned = 0
    return ResponseHead.inspect(bytes.span, scanned: &scanned, toHEAD: toHEAD)
}

private func parsed(_ outcome: ResponseHead.Outcome) -> ResponseHead? {
    if case .head(let head) = outcome { head } else { nil }
}

/// A 200 response with these fields.
private func response(_ fields: String...) -> ResponseHead? {
    parsed(inspect((["HTTP/1.1 200 OK"] + fields + ["", ""]).joined(separator: "\r\n")))
}

@Suite struct `Response head` {
    static let typical = """
        HTTP/1.1 200 OK\r
        Date: Tue, 01 Sep 2026 08:00:00 GMT\r
        Content-Type: application/json\r
        Content-Length: 1234\r
        \r

        """

    @Test func `a response is read`() throws {
        let head = try #require(parsed(inspect(Self.typical + "{")))
        #expect(head.length == Self.typical.utf8.count)
        #expect(head.status == 200)
        #expect(head.framing == .length(1234))
        #expect(!head.closes && !head.isInterim && !head.switchesProtocols)
    }

    @Test func `every prefix asks for more, and a byte at a time finds what the whole does`() {
        for text in [Self.typical, Self.typical.replacing(#/\r\n/#, with: { _ in "\n" })] {
            let bytes = Array((text + "{\n\n").utf8)
            var scanned = 0
            for count in 0...bytes.count {
                let outcome = ResponseHead.inspect(
                    bytes.span.extracting(first: count), scanned: &scanned, toHEAD: false)
                #expect(outcome == (count < text.utf8.count ? .incomplete : inspect(text)))
            }
        }
    }

    @Test func `statuses without a body have none, whatever their fields say`() {
        for status in [
            "100 Continue", "101 Switching Protocols", "103 Early Hints", "204 No Content", "304 Not Modified",
        ] {
            let head = parsed(inspect("HTTP/1.1 \(status)\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"))
            #expect(head?.framing == BodyFraming.none)
            #expect(head?.closes == false)
        }
        #expect(parsed(inspect(Self.typical, toHEAD: true))?.framing == BodyFraming.none)
    }

    @Test func `interim responses and tunnels are told apart`() {
        #expect(parsed(inspect("HTTP/1.1 100\r\n\r\n"))?.isInterim == true)
        #expect(parsed(inspect("HTTP/1.1 103 Early Hints\r\n\r\n"))?.isInterim == true)
        let tunnel = parsed(inspect("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
        #expect(tunnel?.isInterim == false)
        #expect(tunnel?.switchesProtocols == true)
    }

    @Test func `the framing is told`() {
        #expect(response("Content-Length: 0")?.framing == BodyFraming.none)
        #expect(response("Transfer-Encoding: chunked")?.framing == .chunked)
        #expect(response("Transfer-Encoding: gzip, chunked")?.framing == .chunked)
        #expect(response("Transfer-Encoding: gzip", "transfer-encoding: Chunked")?.framing == .chunked)
        #expect(response("Transfer-Encoding: gzip")?.framing == .untilClose)
        #expect(response()?.framing == .untilClose)
    }

    @Test func `equal lengths are one`() {
        #expect(response("Content-Length: 5", "Content-Length: 5")?.framing == .length(5))
        #expect(response("Content-Length: 5, 5")?.framing == .length(5))
    }

    @Test(arguments: [
        ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5, 6"], ["Content-Length: +5"],
        ["Content-Length: "],
        ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: chunked, gzip"], ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: x"], ["Content-Length: 5", " 6"],
        ["Transfer-Encoding: gzip", "\t, chunked"], ["Content-Length: 18446744073709551617"],
        ["Transfer-Encoding: gzip", "Content-Length: 5"], ["Content-Length: 5\r"],
    ])
    func `a response that could end in two places is none`(fields: [String]) {
        let text = (["HTTP/1.1 200 OK"] + fields + ["", ""]).joined(separator: "\r\n")
        #expect(inspect(text) == .malformed)
        // To HEAD the end is clear, whatever the fields say, unless they could hide others.
        #expect(
            fields.contains { $0.hasSuffix("\r") } || parsed(inspect(text, toHEAD: true))?.framing == BodyFraming.none)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n Content-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\n\tX: y\n\n", "HTTP/1.1 200 O\rK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length\r\n : 5\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: content-length\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: a,b,c,d,e,f,g,h,i\r\n\r\n",
    ])
    func `a head that hides fields from some programs is none`(text: String) {
        #expect(inspect(text) == .malformed)
    }

    @Test func `a name with a blank behind it is the name, and one with an underscore another`() {
        #expect(response("Content-Length : 5")?.framing == .length(5))
        #expect(response("Transfer-Encoding\t: chunked")?.framing == .chunked)
        #expect(response("Content_Length: 5")?.framing == .untilClose)
    }

    @Test func `who closes is told`() {
        #expect(response("Content-Length: 5")?.closes == false)
        #expect(response("Content-Length: 5", "Connection: x, close")?.closes == true)
        #expect(response()?.closes == true)
        let old = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n"
        #expect(parsed(inspect(old + "\r\n"))?.closes == true)
        #expect(parsed(inspect(old + "Connection: keep-alive\r\n\r\n"))?.closes == false)
        #expect(parsed(inspect("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))?.framing == .untilClose)
    }

    @Test func `what is odd but harmless passes`() {
        #expect(response("no colon here", "X: a", " folded", "Y : \u{1}", "Content-Length: 5")?.framing == .length(5))
        #expect(parsed(inspect("HTTP/1.1 200\nContent-Length: 5\n\n"))?.framing == .length(5))
        #expect(parsed(inspect("HTTP/1.1 200 \r\n\n"))?.status == 200)
        #expect(parsed(inspect("HTTP/1.1 999 Beyond\r\n\r\n"))?.status == 999)
    }

    /// A response as it is handed on; as it is when nothing in it has to be changed.
    private func handed(_ text: String, closing: Bool = false) throws -> String {
        let head = try #require(parsed(inspect(text)))
        guard head.changes(closing: closing) else { return text }
        let bytes = Array(text.utf8)
        var octets = [UInt8](repeating: 0, count: head.length + ResponseHead.longestGrowth)
        var output = octets.mutableSpan
        let written = head.copy(bytes.span, closing: closing, into: &output)
        let count = try #require(written)
        return String(decoding: octets[..<count], as: UTF8.self)
    }

    private func text(_ fields: String...) -> String {
        (["HTTP/1.1 200 OK", "Content-Length: 5"] + fields + ["", ""]).joined(separator: "\r\n")
    }

    @Test func `what needs no change is passed on as it is`() throws {
        for fields in ["A: b", "Connection: keep-alive\r\nKeep-Alive: timeout=5", "Connection: close"] {
            #expect(try handed(text(fields)) == text(fields))
        }
        #expect(try handed(text("connection:close"), closing: true) == text("connection:close"))
        let old = "HTTP/1.0 200 OK\nContent-Length: 5\n\n"
        #expect(try handed(old, closing: true) == old)
        let untilClose = "HTTP/1.1 200 OK\r\n\r\n"
        #expect(try handed(untilClose, closing: true) == untilClose)
    }

    @Test func `fields that Connection names are dropped, and what else it says stays`() throws {
        #expect(
            try handed(
                text("Connection: x-drop, Upgrade", "Upgrade: h3", "X-Drop: 1", "A: b", "connection: keep-alive, X"))
                == text("Connection: keep-alive, Upgrade", "Upgrade: h3", "A: b"))
        #expect(try handed(text("X-Drop: 1", " 2", "\t3", "A: b", "Connection: x-drop")) == text("A: b"))
        #expect(try handed(text("Proxy-Connection: keep-alive", "A: b")) == text("A: b"))
        #expect(try handed(text("Connection: keep-alive,", "  x-drop", "X-Drop: 1")) == text("Connection: keep-alive"))
    }

    @Test func `an end that the endpoint does not tell is told, once`() throws {
        #expect(try handed(text("A: b"), closing: true) == text("A: b", "Connection: close"))
        #expect(
            try handed(
                text("Connection: keep-alive", "Keep-Alive: timeout=5, max=9", "A: b", "Connection: upgrade"),
                closing: true)
                == text("Connection: close, Upgrade", "A: b"))
        #expect(
            try handed("HTTP/1.0 200 OK\nContent-Length:5\nConnection:keep-alive\n\n", closing: true)
                == "HTTP/1.0 200 OK\nContent-Length:5\nConnection: close\r\n\n")
    }

    @Test func `what must not be passed on as it is is made good`() throws {
        #expect(try handed(text("X : y", "X\t : z")) == text("X: y", "X: z"))
        #expect(try handed(text("X: a", "  b", "\tc\t", "  ", "A: b")) == text("X: a b c ", "A: b"))
        let several = "HTTP/1.1 200 OK\r\nContent-Length: 5, 005\r\nA: b\r\ncontent-length:5\r\n\r\n"
        #expect(try handed(several) == "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n")
        #expect(
            try handed("HTTP/1.1 200 OK\nContent-Length:5,\nConnection:upgrade\nX:\n y\n\n", closing: true)
                == "HTTP/1.1 200 OK\nConnection: close, Upgrade\r\nX: y\nContent-Length: 5\r\n\n")
    }

    @Test(arguments: [
        ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"], ["Content-Length : 5", "\t, 05"], ["Content-Length: +5"],
    ])
    func `lengths that say nothing in a response without a body are dropped`(fields: [String]) throws {
        let status = "HTTP/1.1 304 Not Modified"
        let kept = fields.filter { $0.hasPrefix("Transfer") } + ["A: b", "", ""]
        #expect(
            try handed(([status] + fields + ["A: b", "", ""]).joined(separator: "\r\n"))
                == ([status] + kept).joined(separator: "\r\n"))
    }

    @Test func `no head grows by more than is said`() throws {
        for text in [
            "HTTP/1.1 200\nContent-Length:5,\n\n",
            "HTTP/1.1 200\nContent-Length:5,\nConnection:upgrade,te,http2-settings\n\n",
        ] {
            #expect(Array(try handed(text, closing: true).utf8.suffix(2)) == [10, 10])
        }
    }

    @Test(arguments: ["X", "HTTP/2", "http/1.1 200 OK", "\r\nHTTP/1.1 200 OK", "SSH-2.0", "HTTP/1.1 200 \0"])
    func `what is no response is told as soon as it can be`(text: String) {
        #expect(inspect(text) == .malformed)
    }

    @Test(arguments: [
        "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 099", "HTTP/1.1  200", "HTTP/1.x 200",
        "HTTP/1.1 2x0",
    ])
    func `a malformed status line is told`(line: String) {
        #expect(inspect(line + "\r\n\r\n") == .malformed)
    }

    @Test func `a head of 64 KiB is read, and a longer one is malformed`() {
        let start = "HTTP/1.1 200 OK\r\nX: "
        let padding = String(repeating: "x", count: ResponseHead.longest - start.utf8.count - 4)
        #expect(parsed(inspect(start + padding + "\r\n\r\n"))?.length == ResponseHead.longest)
        #expect(inspect(start + padding + "x\r\n\r\n") == .malformed)
    }
}
