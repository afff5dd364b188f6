import Routing
import Testing

/// What becomes of the beginning of a connection, with the host that was read.
struct RequestInspection: Equatable {
    var outcome: RequestHead.Outcome
    var host: String

    init(of text: String) { self.init(of: Array(text.utf8)) }

    init(of bytes: [UInt8]) {
        var host = RoutingName("left.over") ?? RoutingName()
        var scanned = 0
        outcome = RequestHead.inspect(bytes.span, scanned: &scanned, host: &host)
        self.host = host.description
    }

    var head: RequestHead? {
        if case .head(let head) = outcome { head } else { nil }
    }

    var refusal: RequestHead.Refusal? {
        if case .refused(let refusal) = outcome { refusal } else { nil }
    }
}

/// A GET request with these lines of fields after its Host.
private func get(_ fields: String...) -> RequestInspection {
    RequestInspection(of: (["GET / HTTP/1.1", "Host: app.example"] + fields + ["", ""]).joined(separator: "\r\n"))
}

/// A request of this first line.
private func line(_ line: String) -> RequestInspection {
    RequestInspection(of: line + "\r\nHost: app.example\r\n\r\n")
}

private func host(_ value: String) -> RequestInspection {
    RequestInspection(of: "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n")
}

@Suite struct `Request head` {
    static let browser = """
        GET /products?page=2 HTTP/1.1\r
        Host: App.Acme.Example\r
        Connection: keep-alive\r
        User-Agent: Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0 Mobile\r
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r
        Accept-Encoding: gzip, deflate\r
        Accept-Language: en-ZA,en;q=0.9,zu;q=0.8\r
        Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r
        \r

        """

    @Test func `a browser's request is read`() throws {
        let inspection = RequestInspection(of: Self.browser)
        let head = try #require(inspection.head)
        #expect(inspection.host == "app.acme.example")
        #expect(head.length == Self.browser.utf8.count)
        #expect(head.framing == .none)
        #expect(!head.isHEAD && !head.wantsUpgrade && !head.closes && !head.expectsContinue)
    }

    @Test func `every prefix of a request asks for more, and a byte at a time finds what the whole does`() {
        let bytes = Array((Self.browser + "GET ").utf8)
        let whole = RequestInspection(of: bytes)
        var scanned = 0
        var host = RoutingName()
        for count in 0...bytes.count {
            let outcome = RequestHead.inspect(bytes.span.extracting(first: count), scanned: &scanned, host: &host)
            let expected = count < Self.browser.utf8.count ? .incomplete : whole.outcome
            #expect(outcome == expected)
            #expect(scanned <= count)
        }
        #expect(host.description == whole.host)
    }

    @Test func `no byte is searched twice`() {
        let bytes = Array(Self.browser.utf8)
        var scanned = 0
        var host = RoutingName()
        for count in 0..<bytes.count {
            _ = RequestHead.inspect(bytes.span.extracting(first: count), scanned: &scanned, host: &host)
            // All but a CR, whose LF has not come.
            #expect(count - scanned <= 1)
        }
    }

    @Test func `a place to go on that makes no sense does no harm`() {
        let bytes = Array(Self.browser.utf8)
        for place in [-5, 3, bytes.count, Int.max, Int.min] {
            var scanned = place
            var host = RoutingName()
            _ = RequestHead.inspect(bytes.span, scanned: &scanned, host: &host)
            #expect((0...bytes.count).contains(scanned))
        }
    }

    @Test func `what the relay has to know is told`() throws {
        #expect(line("HEAD / HTTP/1.1").head?.isHEAD == true)
        #expect(get("Connection: close").head?.closes == true)
        #expect(get("Connection: keep-alive, Close").head?.closes == true)
        #expect(line("GET / HTTP/1.0").head?.closes == true)
        #expect(RequestInspection(of: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").head?.closes == false)
        #expect(get("Expect: 100-Continue").head?.expectsContinue == true)
        #expect(get("Upgrade: websocket", "Connection: keep-alive, Upgrade").head?.wantsUpgrade == true)
        #expect(get("Upgrade: websocket").head?.wantsUpgrade == false)
        #expect(get("Connection: upgrade").head?.wantsUpgrade == false)
    }

    @Test func `the body's framing is told`() {
        #expect(get("Content-Length: 5").head?.framing == .length(5))
        #expect(get("content-length:\t 0005 ").head?.framing == .length(5))
        #expect(get("Content-Length: 0").head?.framing == BodyFraming.none)
        #expect(get("Content-Length: 9223372036854775807").head?.framing == .length(9_223_372_036_854_775_807))
        #expect(get("Transfer-Encoding: chunked").head?.framing == .chunked)
        #expect(get("TRANSFER-ENCODING:CHUNKED").head?.framing == .chunked)
    }

    // MARK: Where it ends

    @Test(arguments: [
        "+5", "-5", "0x5", "5 5", "5,5", "5, 5", "5;", "", "five", "1e3", "5.0", "9223372036854775808",
        "18446744073709551616", "99999999999999999999999", "\u{664}",
    ])
    func `a length that is no plain number is refused`(length: String) {
        #expect(get("Content-Length: \(length)").refusal == .badContentLength)
    }

    @Test func `two lengths are refused, even when they are equal`() {
        #expect(get("Content-Length: 5", "Content-Length: 5").refusal == .severalContentLengths)
        #expect(get("Content-Length: 5", "content-length: 6").refusal == .severalContentLengths)
    }

    @Test func `a length and a coding are refused in either order`() {
        let refusal = RequestHead.Refusal.contentLengthAndTransferEncoding
        #expect(get("Content-Length: 5", "Transfer-Encoding: chunked").refusal == refusal)
        #expect(get("Transfer-Encoding: chunked", "Content-Length: 5").refusal == refusal)
    }

    @Test(arguments: [
        "identity", "xchunked", "chunkedx", "chunked, chunked", "gzip, chunked", "chunked, identity", "chunked;q=1",
        "\"chunked\"",
        "chunk", "", ", chunked", "chunked,", "x chunked", "'chunked'",
    ])
    func `a coding other than chunked is not implemented`(coding: String) {
        #expect(get("Transfer-Encoding: \(coding)").refusal == .unknownTransferCoding)
    }

    @Test(
        arguments: [
            ("Transfer-Encoding : chunked", .badFieldName), ("Transfer-Encoding\t: chunked", .badFieldName),
            (" Transfer-Encoding: chunked", .foldedField), ("\tTransfer-Encoding: chunked", .foldedField),
            ("Transfer_Encoding: chunked", .badFieldName), ("Content_Length: 5", .badFieldName),
            ("Transfer-Encoding: \u{B}chunked", .controlCharacter),
            ("Transfer-Encoding: chunked\u{C}", .controlCharacter),
            ("Transfer-Encoding: chunked\0", .controlCharacter), ("Transfer-Encoding\0: chunked", .controlCharacter),
            ("X: y\nTransfer-Encoding: chunked", .bareLineFeed),
            ("X: y\rTransfer-Encoding: chunked", .bareCarriageReturn),
            ("X: y\r\r\nTransfer-Encoding: chunked", .bareCarriageReturn),
            ("Transfer-Encoding:\r\n chunked", .unknownTransferCoding),
            ("X:\r\n Transfer-Encoding: chunked", .foldedField), ("Transfer-Encoding", .badFieldName),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", .badTransferEncoding),
            ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", .unknownTransferCoding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .badTransferEncoding),
            ("Content-Length : 5", .badFieldName), ("Content-Length: 5\n", .bareLineFeed),
            ("\u{A0}Transfer-Encoding: chunked", .badFieldName), ("Transfer\u{AD}-Encoding: chunked", .badFieldName),
            (": chunked", .badFieldName), ("Trans fer: x", .badFieldName), ("X(y): z", .badFieldName),
            ("X\u{7F}: z", .controlCharacter),
        ] as [(String, RequestHead.Refusal)])
    func `a field that two parsers could read differently is refused`(field: String, refusal: RequestHead.Refusal) {
        #expect(get(field).refusal == refusal)
    }

    @Test func `HTTP 1 0 has no codings`() {
        let text = "POST / HTTP/1.0\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(RequestInspection(of: text).refusal == .badTransferEncoding)
    }

    @Test(arguments: [
        "X-Forwarded-For", "close, x-forwarded-for", "Host", "Content-Length", "transfer-encoding", "X_Forwarded_For",
        "x, expect",
    ])
    func `a Connection field that would have the endpoint drop what counts is refused`(options: String) {
        #expect(get("Connection: \(options)").refusal == .protectedField)
    }

    @Test func `a Connection field may name 8 fields, and one more is refused`() {
        #expect(get("Connection: a, b, c, d", "Connection: e, f, g, h, A, close").head != nil)
        #expect(get("Connection: a, b, c, d", "Connection: e, f, g, h, i").refusal == .tooManyOptions)
    }

    @Test func `an X-Forwarded-For with underscores is refused`() {
        #expect(get("X_Forwarded_For: 10.0.0.1").refusal == .badFieldName)
        #expect(get("X-Forwarded_For: 10.0.0.1").refusal == .badFieldName)
        #expect(get("X_Other_Field: 1").head != nil)
    }

    // MARK: The lines

    @Test func `a head whose lines end with LF alone is refused at the first of them`() {
        #expect(RequestInspection(of: "GET / HTTP/1.1\n").refusal == .bareLineFeed)
        #expect(RequestInspection(of: "GET / HTTP/1.1\r\nHost: app.example\r\n\n").refusal == .bareLineFeed)
    }

    @Test func `a control character is found wherever it stands, and nothing else is taken for one`() {
        let start = Array("GET / HTTP/1.1\r\nHost: app.example\r\nX: ".utf8)
        for octet in UInt8.min...UInt8.max {
            for place in 0..<40 {
                var value = [UInt8](repeating: UInt8(ascii: "v"), count: 40)
                value[place] = octet
                let inspection = RequestInspection(of: start + value + Array("\r\n\r\n".utf8))
                let refusal: RequestHead.Refusal? =
                    switch octet {
                    case 9: nil
                    case 10: .bareLineFeed
                    case 13: .bareCarriageReturn
                    case 0..<32, 127: .controlCharacter
                    default: nil
                    }
                #expect(inspection.refusal == refusal)
            }
        }
    }

    @Test(arguments: [
        ("", 0), ("\r", 0), ("\r\n", 2), ("\r\n\r", 2), ("\r\n\r\nGET", 4), ("\n\r\n", 0), ("G\r\n", 0), ("\r\n\n", 2),
    ])
    func `empty lines before a request are told apart from it`(text: String, count: Int) {
        let bytes = Array(text.utf8)
        #expect(RequestHead.emptyLines(bytes.span) == count)
    }

    @Test func `an empty line is no part of a head, and half of one may be the beginning of one`() {
        #expect(RequestInspection(of: "\r\nGET / HTTP/1.1\r\nHost: app.example\r\n\r\n").refusal == .badRequestLine)
        #expect(RequestInspection(of: "\n").refusal == .badRequestLine)
        #expect(RequestInspection(of: "\r").outcome == .incomplete)
        #expect(RequestInspection(of: "\rG").refusal == .badRequestLine)
    }

    @Test(arguments: [
        "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET /  HTTP/1.1", "GET /a b HTTP/1.1", "GET\t/\tHTTP/1.1", "GET /",
        "GET",
        "G(T / HTTP/1.1", "GET / http/1.1", "GET / HTTP/1.1x", "GET / HTTP/11", "GET / HTTP/1,1", "GET / HTTP /1.1",
        "GET / FTP/1.1x",
        "GET /a#b HTTP/1.1", "head / HTTP/1.1", "Head / HTTP/1.1", "GET / HTTP/1.10", "GET / HTTP/01.1",
    ])
    func `a request line that is not three words is refused`(text: String) {
        #expect(line(text).refusal == .badRequestLine)
    }

    @Test(arguments: ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9"])
    func `another version of HTTP is not supported`(version: String) {
        #expect(line("GET / \(version)").refusal == .unsupportedVersion)
        #expect(line("GET / \(version)").refusal?.status == 505)
    }

    @Test func `HTTP 2 in the clear is told apart by its preface`() {
        #expect(RequestInspection(of: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refusal == .http2Preface)
    }

    @Test func `TLS on this port is told apart by its first byte, and gets no answer`() {
        #expect(RequestInspection(of: [22]).refusal == .tlsOnHTTP)
        #expect(RequestInspection(of: CapturedHello.tls13).refusal == .tlsOnHTTP)
        #expect(RequestHead.Refusal.tlsOnHTTP.answer == nil)
    }

    @Test func `a head of 32 KiB is read, and a longer one refused`() {
        let start = "GET / HTTP/1.1\r\nHost: app.example\r\nX: "
        let padding = String(repeating: "x", count: RequestHead.longest - start.utf8.count - 4)
        #expect(RequestInspection(of: start + padding + "\r\n\r\n").head?.length == RequestHead.longest)
        #expect(RequestInspection(of: start + padding + "x\r\n\r\n").refusal == .tooLong)
        #expect(RequestInspection(of: start + padding + "x\r\n\r").refusal == .tooLong)
        #expect(RequestInspection(of: start + padding + "x\r\n").outcome == .incomplete)
        #expect(RequestHead.Refusal.tooLong.status == 431)
    }

    @Test func `256 fields are read, and one more refused`() {
        let fields = String(repeating: "X: y\r\n", count: 255)
        #expect(RequestInspection(of: "GET / HTTP/1.1\r\nHost: app.example\r\n\(fields)\r\n").head != nil)
        #expect(
            RequestInspection(of: "GET / HTTP/1.1\r\nHost: app.example\r\nX: y\r\n\(fields)\r\n").refusal
                == .tooManyFields)
    }

    @Test func `a refused request leaves no host behind`() {
        #expect(get("Content-Length: x").host.isEmpty)
        #expect(host("app.example, other.example").host.isEmpty)
    }
}

@Suite struct `Request host` {
    @Test(arguments: [
        ("app.example", "app.example"), ("App.EXAMPLE:80", "app.example"), ("app.example:", "app.example"),
        ("app.example.", "app.example"), ("app.example.:8080", "app.example"), ("my_app.example", "my_app.example"),
        ("app", "app"),
        ("192.0.2.1", ""), ("192.0.2.1:80", ""), ("[2001:db8::1]", ""), ("[2001:db8::1]:443", ""),
        ("[::ffff:192.0.2.1]", ""),
    ])
    func `a valid Host is read without its port, and an address is no name`(value: String, name: String) {
        #expect(host(value).head != nil)
        #expect(host(value).host == name)
    }

    @Test(arguments: [
        "", " ", ":80", ".", "app..example", ".example", "app.example..", "user@app.example", "app.example:80:80",
        "app.example:65536", "app.example:+80", "app.example:8a", "app.example:000080", "app.example/",
        "app.example, other.example",
        "app example", "app%2eexample", "[2001:db8::1", "2001:db8::1", "[app.example]", "[]", "[::1]x", "[::1]:x",
        "[v1.x]", "[192.0.2.1]",
        "http://app.example", "app.example\\x", "*.example", "b\u{FC}cher.example",
        String(repeating: "a", count: 64) + ".example",
    ])
    func `an invalid Host is refused`(value: String) {
        #expect(host(value).refusal == .badHost)
        #expect(host(value).host.isEmpty)
    }

    @Test func `one Host is needed, and only one`() {
        #expect(RequestInspection(of: "GET / HTTP/1.1\r\n\r\n").refusal == .missingHost)
        #expect(get("Host: app.example").refusal == .severalHosts)
        #expect(get("host: other.example").refusal == .severalHosts)
        let old = RequestInspection(of: "GET / HTTP/1.0\r\n\r\n")
        #expect(old.head != nil && old.host.isEmpty)
    }

    @Test(arguments: [
        "http://app.example/", "HTTP://APP.example/x", "http://app.example", "http://app.example?q",
        "http://app.example:80/",
        "http://app.example./",
    ])
    func `a target that names the same host is read`(target: String) {
        #expect(line("GET \(target) HTTP/1.1").head != nil)
        #expect(line("GET \(target) HTTP/1.1").host == "app.example")
    }

    @Test(
        arguments: [
            ("https://app.example/", .badTarget), ("http://", .badTarget), ("http:///x", .badTarget),
            ("http://user@app.example/", .badTarget),
            ("http://app.example\\@other.example/", .badTarget), ("ftp://app.example/", .badTarget),
            ("app.example:80", .badTarget),
            ("x", .badTarget), ("*", .badTarget), ("?x", .badTarget), ("//app.example", nil),
        ] as [(String, RequestHead.Refusal?)])
    func `a target that names no host in a valid way is refused`(
        target: String, refusal: RequestHead.Refusal?
    ) {
        #expect(line("GET \(target) HTTP/1.1").refusal == refusal)
    }

    @Test(arguments: [
        ("http://other.example/", "other.example", true), ("http://app.example:81/", "app.example", false),
        ("http://app.example.evil.example/", "app.example.evil.example", true), ("http://192.0.2.1/", "", true),
    ])
    func `a target's host counts, and that of the Host field can be had`(target: String, host: String, differs: Bool)
        throws
    {
        let text = "GET \(target) HTTP/1.1\r\nA: b\r\nHost:  App.example.:80 \r\n\r\n"
        let inspection = RequestInspection(of: text)
        let head = try #require(inspection.head)
        #expect(inspection.host == host)
        #expect(head.namesTwoHosts == differs)
        var name = RoutingName()
        let bytes = Array(text.utf8)
        head.readHostField(bytes.span, into: &name)
        #expect(name.description == "app.example")
    }

    @Test func `an HTTP 1 0 request may name its host in the target alone`() {
        #expect(RequestInspection(of: "GET http://app.example/ HTTP/1.0\r\n\r\n").host == "app.example")
    }

    @Test func `an asterisk is for OPTIONS, and CONNECT is not allowed`() {
        #expect(line("OPTIONS * HTTP/1.1").head != nil)
        #expect(line("CONNECT app.example:80 HTTP/1.1").refusal == .connect)
        #expect(line("connect app.example:80 HTTP/1.1").refusal == .connect)
        #expect(RequestHead.Refusal.connect.status == 405)
    }
}
