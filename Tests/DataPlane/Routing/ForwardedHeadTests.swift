import Domain
import Routing
import Testing

/// The request with these lines, after its first two, as it is handed on for the client 192.0.2.7; nil when it does not fit.
private func forwarded(_ mode: ForwardedFor, _ fields: String..., room: Int? = nil) -> String? {
    let head = Array((["GET / HTTP/1.1", "Host: app.example"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
    let client = Array("192.0.2.7".utf8)
    var octets = [UInt8](repeating: 0, count: room ?? head.count + RequestHead.longestGrowth + client.count)
    var output = octets.mutableSpan
    guard let parsed = RequestInspection(of: head).head else { return nil }
    let count = parsed.copy(head.span, forwardedFor: mode, client: client.span, into: &output)
    return count.map { String(decoding: octets[..<$0], as: UTF8.self) }
}

private func request(_ fields: String...) -> String {
    (["GET / HTTP/1.1", "Host: app.example"] + fields + ["", ""]).joined(separator: "\r\n")
}

@Suite struct `X-Forwarded-For` {
    @Test func `without one a line is added at the end`() {
        for mode in [ForwardedFor.append, .replace] {
            #expect(forwarded(mode, "A: b") == request("A: b", "X-Forwarded-For: 192.0.2.7"))
        }
    }

    @Test func `appending adds to the line that is there`() {
        #expect(
            forwarded(.append, "x-forwarded-for: 10.0.0.1 ", "A: b")
                == request("x-forwarded-for: 10.0.0.1, 192.0.2.7 ", "A: b"))
    }

    @Test func `appending adds to the last of several lines`() {
        #expect(
            forwarded(.append, "X-Forwarded-For: a", "A: b", "X-FORWARDED-FOR: c", "D: e")
                == request("X-Forwarded-For: a", "A: b", "X-FORWARDED-FOR: c, 192.0.2.7", "D: e"))
    }

    @Test func `appending to an empty line puts the address there alone`() {
        #expect(forwarded(.append, "X-Forwarded-For:") == request("X-Forwarded-For: 192.0.2.7"))
        #expect(forwarded(.append, "X-Forwarded-For:  ", "A: b") == request("X-Forwarded-For: 192.0.2.7  ", "A: b"))
    }

    @Test func `replacing leaves nothing of what the client claims`() {
        #expect(
            forwarded(.replace, "X-Forwarded-For: a", "A: X-Forwarded-For: b", "x-forwarded-for:", "D: e")
                == request("A: X-Forwarded-For: b", "D: e", "X-Forwarded-For: 192.0.2.7"))
    }

    @Test func `off changes nothing`() {
        let fields = ("X-Forwarded-For: a", "Upgrade: h2c")
        #expect(forwarded(.off, fields.0, fields.1) == request(fields.0, fields.1))
    }

    @Test func `an offer of HTTP 2 in the clear is taken back, so that no request escapes`() {
        for mode in [ForwardedFor.append, .replace] {
            #expect(
                forwarded(mode, "Connection: Upgrade, HTTP2-Settings", "Upgrade: H2C, x", "HTTP2-Settings: AAMAAABk")
                    == request(
                        "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk", "X-Forwarded-For: 192.0.2.7")
            )
            #expect(forwarded(mode, "Upgrade: websocket")?.contains("Upgrade: websocket") == true)
        }
        #expect(
            forwarded(.append, "Upgrade: h2c", "X-Forwarded-For: a", "Upgrade: h2c")
                == request("X-Forwarded-For: a, 192.0.2.7"))
    }

    @Test func `what does not fit is not written`() throws {
        for mode in ForwardedFor.allCases {
            let length = try #require(forwarded(mode, "X-Forwarded-For: a", "B: c")).utf8.count
            #expect(forwarded(mode, "X-Forwarded-For: a", "B: c", room: length) != nil)
            for room in 0..<length { #expect(forwarded(mode, "X-Forwarded-For: a", "B: c", room: room) == nil) }
        }
    }

    @Test func `a body that came with the head is not copied`() throws {
        let text = "POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 4\r\n\r\n"
        let head = try #require(RequestInspection(of: text + "body").head)
        let bytes = Array((text + "body").utf8)
        let client = Array("::1".utf8)
        var octets = [UInt8](repeating: 0, count: 256)
        var output = octets.mutableSpan
        let written = head.copy(bytes.span, forwardedFor: .off, client: client.span, into: &output)
        let count = try #require(written)
        #expect(String(decoding: octets[..<count], as: UTF8.self) == text)
    }
}
