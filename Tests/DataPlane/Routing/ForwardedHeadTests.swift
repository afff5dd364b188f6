import Domain
import Routing
import Testing

/// A head as it is handed on for the client; nil when it does not fit.
private func copied(
    _ text: String, _ forwarding: Forwarding, client: String = "192.0.2.7", room: Int? = nil
) throws -> String? {
    let bytes = Array(text.utf8)
    let client = Array(client.utf8)
    let head = try #require(RequestInspection(of: bytes).head)
    let longest = head.longestCopy(forwarding: forwarding, client: client.count)
    var octets = [UInt8](repeating: 0, count: room ?? longest)
    var output = octets.mutableSpan
    let count = head.copy(bytes.span, forwarding: forwarding, client: client.span, into: &output)
    return count.map { String(decoding: octets[..<$0], as: UTF8.self) }
}

/// The request with these lines, after its first two, as it is handed on for the client 192.0.2.7; nil when it does not
/// fit.
private func forwarded(_ mode: ForwardedFor, _ fields: String..., room: Int? = nil) throws -> String? {
    try copied(
        (["GET / HTTP/1.1", "Host: app.example"] + fields + ["", ""]).joined(separator: "\r\n"), Forwarding(mode),
        room: room)
}

private func request(_ fields: String...) -> String {
    (["GET / HTTP/1.1", "Host: app.example"] + fields + ["", ""]).joined(separator: "\r\n")
}

@Suite struct `X-Forwarded-For` {
    @Test func `without one a line is added at the end`() throws {
        for mode in [ForwardedFor.append, .replace] {
            #expect(try forwarded(mode, "A: b") == request("A: b", "X-Forwarded-For: 192.0.2.7"))
        }
    }

    @Test func `appending adds to the line that is there`() throws {
        #expect(
            try forwarded(.append, "x-forwarded-for: 10.0.0.1 ", "A: b")
                == request("x-forwarded-for: 10.0.0.1, 192.0.2.7 ", "A: b"))
    }

    @Test func `appending adds to the last of several lines`() throws {
        #expect(
            try forwarded(.append, "X-Forwarded-For: a", "A: b", "X-FORWARDED-FOR: c", "D: e")
                == request("X-Forwarded-For: a", "A: b", "X-FORWARDED-FOR: c, 192.0.2.7", "D: e"))
    }

    @Test func `appending to an empty line puts the address there alone`() throws {
        #expect(try forwarded(.append, "X-Forwarded-For:") == request("X-Forwarded-For: 192.0.2.7"))
        #expect(try forwarded(.append, "X-Forwarded-For:  ", "A: b") == request("X-Forwarded-For: 192.0.2.7  ", "A: b"))
    }

    @Test func `replacing leaves nothing of what the client claims`() throws {
        #expect(
            try forwarded(.replace, "X-Forwarded-For: a", "A: X-Forwarded-For: b", "x-forwarded-for:", "D: e")
                == request("A: X-Forwarded-For: b", "D: e", "X-Forwarded-For: 192.0.2.7"))
    }

    @Test func `off changes nothing`() throws {
        let fields = ("X-Forwarded-For: a", "Upgrade: h2c")
        #expect(try forwarded(.off, fields.0, fields.1) == request(fields.0, fields.1))
    }

    @Test func `an offer of HTTP 2 in the clear is taken back, so that no request escapes`() throws {
        let offer = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: H2C, x", "HTTP2-Settings: AAMAAABk"]
        for mode in [ForwardedFor.append, .replace] {
            #expect(try forwarded(mode, offer[0], offer[1], offer[2]) == request("X-Forwarded-For: 192.0.2.7"))
            #expect(
                try forwarded(mode, offer[0], offer[1], offer[2], "Upgrade: websocket")
                    == request("Connection: Upgrade", "Upgrade: websocket", "X-Forwarded-For: 192.0.2.7"))
            #expect(try forwarded(mode, "Upgrade: websocket")?.contains("Upgrade: websocket") == true)
        }
        #expect(
            try forwarded(.append, "Upgrade: h2c", "X-Forwarded-For: a", "Upgrade: h2c")
                == request("X-Forwarded-For: a, 192.0.2.7"))
        // Where nothing is added, nothing is lost by it.
        #expect(try forwarded(.off, offer[0], offer[1], offer[2]) == request(offer[0], offer[1], offer[2]))
        #expect(
            try copied(request(offer[0], offer[1], offer[2]), Forwarding(.off, fields: .strip)) == request())
    }

    @Test func `what does not fit is not written`() throws {
        for mode in ForwardedFor.allCases {
            let length = try #require(try forwarded(mode, "X-Forwarded-For: a", "B: c")).utf8.count
            #expect(try forwarded(mode, "X-Forwarded-For: a", "B: c", room: length) != nil)
            for room in 0..<length { #expect(try forwarded(mode, "X-Forwarded-For: a", "B: c", room: room) == nil) }
        }
    }

    @Test func `a body that came with the head is not copied`() throws {
        let text = "POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 4\r\n\r\n"
        #expect(try copied(text + "body", Forwarding(.off)) == text)
    }
}

@Suite struct `Forwarded fields` {
    private let claims = [
        "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1", "x-forwarded-PROTO: https", "X-Forwarded-Host: evil.example",
        "X-Forwarded-Port: 22", "X_Real_IP: 10.0.0.1", "X-Forwarded_Proto: https", "X-Forwarded-Ssl: on",
        "x_forwarded_scheme: https", "X-Forwarded-Prefix: /admin", "X-Forwarded-By: nobody",
    ]

    private func sent(_ fields: ForwardedFields, _ addressing: ForwardedFor = .off, client: String = "192.0.2.7") throws
        -> String?
    {
        let lines = ["GET / HTTP/1.1", "Host: app.example:8080"] + claims + ["A: b", "", ""]
        return try copied(
            lines.joined(separator: "\r\n"), Forwarding(addressing, fields: fields, port: 8080), client: client)
    }

    private func request(_ lines: String...) -> String {
        (["GET / HTTP/1.1", "Host: app.example:8080"] + lines + ["", ""]).joined(separator: "\r\n")
    }

    @Test func `are passed on where they are kept`() throws {
        let kept = (["GET / HTTP/1.1", "Host: app.example:8080"] + claims + ["A: b", "", ""]).joined(separator: "\r\n")
        #expect(try sent(.keep) == kept)
    }

    @Test func `are dropped where they are stripped, whatever becomes of X-Forwarded-For`() throws {
        #expect(try sent(.strip) == request("A: b"))
        #expect(try sent(.strip, .append) == request("A: b", "X-Forwarded-For: 192.0.2.7"))
    }

    @Test func `are our own where they are set`() throws {
        #expect(
            try sent(.set, .replace)
                == request(
                    "A: b", "X-Forwarded-For: 192.0.2.7",
                    "Forwarded: for=192.0.2.7;host=\"app.example:8080\";proto=http", "X-Real-IP: 192.0.2.7",
                    "X-Forwarded-Proto: http", "X-Forwarded-Host: app.example:8080", "X-Forwarded-Port: 8080"))
        #expect(try sent(.set, client: "2001:db8::7")?.contains("\r\nForwarded: for=\"[2001:db8::7]\";host=") == true)
    }

    @Test func `name the host of an absolute target, and none where there is none`() throws {
        let absolute = try copied(
            "GET http://www.example/a HTTP/1.1\r\nHost: app.example\r\n\r\n", Forwarding(.off, fields: .set))
        #expect(absolute?.hasPrefix("GET /a HTTP/1.1\r\nHost: www.example\r\nForwarded: ") == true)
        #expect(absolute?.contains(";host=\"www.example\";") == true)
        #expect(absolute?.contains("\r\nX-Forwarded-Host: www.example\r\n") == true)
        let old = try copied("GET / HTTP/1.0\r\n\r\n", Forwarding(.off, fields: .set))
        #expect(old?.contains("Forwarded: for=192.0.2.7;proto=http\r\n") == true)
        #expect(old?.contains("X-Forwarded-Host") == false)
    }

    @Test func `fit into the room that is said to suffice, whatever else is changed`() throws {
        let client = "2001:db8:1111:2222:3333:4444:5555:6666"
        let text =
            "OPTIONS http://\(String(repeating: "a.", count: 100))example:65535 HTTP/1.0\r\n"
            + "Connection:close,keep-alive,upgrade,te,x\r\nUpgrade:x\r\n\r\n"
        for fields in ForwardedFields.allCases {
            for addressing in ForwardedFor.allCases {
                #expect(try copied(text, Forwarding(addressing, fields: fields), client: client) != nil)
            }
        }
    }
}

@Suite struct `A head that is handed on` {
    private func handed(_ text: String) throws -> String? { try copied(text, Forwarding(.off)) }

    private func request(_ lines: String...) -> String {
        (["GET / HTTP/1.1", "Host: app.example"] + lines + ["", ""]).joined(separator: "\r\n")
    }

    @Test func `loses the fields that Connection names, and Connection what we do not know`() throws {
        #expect(
            try handed(request("Connection: X-Drop,close, Cookie ", "x-drop: 1", "X-Drop-Not: 2", "COOKIE: a", "A: b"))
                == request("Connection: close", "X-Drop-Not: 2", "A: b"))
        #expect(try handed(request("Connection: x", "A: b", "Connection: y", "X: 1", "Y: 2")) == request("A: b"))
        #expect(try handed(request("Connection: \"x\"", "A: b")) == request("A: b"))
        #expect(try handed(request("Connection: Max-Forwards", "Max-Forwards: 5")) == request())
    }

    @Test func `keeps a Connection field of which nothing is dropped as it is`() throws {
        for fields in [
            "connection:  close", "Connection: keep-alive , Upgrade\r\nUpgrade: websocket",
            "Connection: TE\r\nTE: trailers",
        ] {
            #expect(try handed(request(fields)) == request(fields))
        }
        #expect(
            try handed(request("Connection: x, upgrade, te, keep-alive", "Upgrade: websocket", "TE: trailers"))
                == request("Connection: keep-alive, Upgrade, TE", "Upgrade: websocket", "TE: trailers"))
    }

    @Test func `loses what belongs to the client's connection, named or not`() throws {
        #expect(
            try handed(request("Keep-Alive: timeout=5", "Proxy-Connection: close", "HTTP2-Settings: AA"))
                == request("HTTP2-Settings: AA"))
        #expect(try handed(request("Connection: HTTP2-Settings", "HTTP2-Settings: AA")) == request())
    }

    @Test func `has a path for its target, and the target's authority for its Host`() throws {
        func handed(_ line: String, _ fields: String) throws -> String? {
            try copied("\(line)\r\n\(fields)\r\n", Forwarding(.off))
        }
        #expect(
            try handed("GET HTTP://App.example.:80/x?y HTTP/1.1", "A: b\r\nhost:\t other.example \r\n")
                == "GET /x?y HTTP/1.1\r\nA: b\r\nhost:\t App.example.:80 \r\n\r\n")
        #expect(
            try handed("GET http://app.example?y HTTP/1.1", "Host: app.example\r\n")
                == "GET /?y HTTP/1.1\r\nHost: app.example\r\n\r\n")
        #expect(
            try handed("OPTIONS http://app.example HTTP/1.1", "Host: app.example\r\n")
                == "OPTIONS * HTTP/1.1\r\nHost: app.example\r\n\r\n")
        #expect(
            try handed("GET http://app.example HTTP/1.0", "")
                == "GET / HTTP/1.0\r\nHost: app.example\r\n\r\n")
        #expect(
            try handed("GET http://[2001:db8::1]:80/ HTTP/1.1", "Host: x\r\n")
                == "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n")
    }

    @Test func `counts Max-Forwards down where it has to`() throws {
        func asked(_ method: String, _ count: String) -> String {
            "\(method) / HTTP/1.1\r\nHost: app.example\r\nMax-Forwards: \(count)\r\n\r\n"
        }
        #expect(try handed(asked("OPTIONS", "10")) == asked("OPTIONS", "9"))
        #expect(try handed(asked("TRACE", "0001")) == asked("TRACE", "0"))
        for other in [asked("GET", "10"), asked("OPTIONS", "x"), asked("OPTIONS", "99999999999999999999")] {
            #expect(try handed(other) == other)
        }
        #expect(RequestInspection(of: asked("OPTIONS", "0")).head?.finalAnswer?.status == 200)
        #expect(RequestInspection(of: asked("TRACE", "0")).head?.finalAnswer?.status == 405)
        #expect(RequestInspection(of: asked("GET", "0")).head?.finalAnswer == nil)
    }
}
