import Testing

@testable import Probing

@Suite struct `Probe answer` {
    static let right =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30\r\nConnection: close\r\n\r\n"
        + "{\"server\":\"za1\",\"version\":42}\n"

    func reading(_ text: String, wantsServer: Bool = true) -> ProbeAnswer.Reading? {
        var answer = ProbeAnswer(wantsServer: wantsServer)
        return answer.read(Array(text.utf8))
    }

    @Test func `a monitor endpoint's tells which server it is`() {
        #expect(reading(`Probe answer`.right) == .complete(status: 200, server: "za1"))
    }

    @Test func `is read in whatever pieces it comes`() {
        var answer = ProbeAnswer(wantsServer: true)
        let octets = Array(`Probe answer`.right.utf8)
        for octet in octets.dropLast() { #expect(answer.read([octet]) == nil) }
        #expect(answer.read(octets.suffix(1)) == .complete(status: 200, server: "za1"))
    }

    @Test func `is cut at every place but the last`() {
        let octets = Array(`Probe answer`.right.utf8)
        for count in 0..<octets.count {
            var answer = ProbeAnswer(wantsServer: true)
            #expect(answer.read(octets.prefix(count)) == nil)
            #expect(answer.ended() == .malformed("an answer that was cut"))
        }
    }

    @Test func `without a length it goes on until the connection ends`() {
        var answer = ProbeAnswer(wantsServer: true)
        #expect(answer.read(Array("HTTP/1.0 200 OK\n\n{\"server\":\"za1\"}".utf8)) == nil)
        #expect(answer.ended() == .complete(status: 200, server: "za1"))
    }

    @Test(arguments: ["", "hello", "[1]", "{\"server\":7}", "{\"region\":\"south\"}", "{\"server\":\"za1\""])
    func `a body that names no server is nobody's`(body: String) {
        let text = "HTTP/1.1 200 OK\r\ncontent-length:\(body.utf8.count) \r\n\r\n\(body)"
        #expect(reading(text) == .complete(status: 200, server: nil))
    }

    @Test func `of a failure the status is enough`() {
        #expect(reading("HTTP/1.1 500 Internal Server Error\r\n") == .complete(status: 500, server: nil))
    }

    @Test func `a server that drains says so with its name, and a relay that cannot reach it says nobody's`() {
        let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 16\r\n\r\n"
        #expect(reading(head + "{\"server\":\"za1\"}") == .complete(status: 503, server: "za1"))
        #expect(reading(head + "I am rather busy") == .complete(status: 503, server: nil))
        var cut = ProbeAnswer(wantsServer: true)
        #expect(cut.read(Array(head.utf8)) == nil)
        #expect(cut.ended() == .complete(status: 503, server: nil))
    }

    @Test func `of a service the status is enough`() {
        #expect(reading("HTTP/1.1 200 OK\r\n", wantsServer: false) == .complete(status: 200, server: nil))
        #expect(reading("HTTP/1.1 404\r\n", wantsServer: false) == .complete(status: 404, server: nil))
        #expect(reading("HTTP/1.1 20", wantsServer: false) == nil)
    }

    @Test func `a word in between is no answer yet`() {
        let early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        #expect(reading(early, wantsServer: false) == nil)
        #expect(
            reading(early + "HTTP/1.1 502 Bad Gateway\r\n", wantsServer: false) == .complete(status: 502, server: nil))
        #expect(reading(early + `Probe answer`.right) == .complete(status: 200, server: "za1"))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 abc\r\n",
        "HTTP/1.1 099 No\r\n",
        "\r\n", "x", "<html>",
    ])
    func `what is no HTTP is found out by its first line`(text: String) {
        #expect(reading(text) == .malformed("an answer that is no HTTP"))
    }

    @Test func `one without an end is not read for ever`() {
        var answer = ProbeAnswer(wantsServer: true)
        _ = answer.read(Array("HTTP/1.1 200 OK\r\n".utf8))
        var reading: ProbeAnswer.Reading?
        var octets = 0
        while reading == nil, octets < 1 << 20 {
            reading = answer.read(Array(repeating: UInt8(ascii: "x"), count: 1000))
            octets += 1000
        }
        #expect(reading == .malformed("an answer of more than 16384 octets"))
        #expect(octets < 20_000)
    }

    @Test func `garbage is garbage`() {
        var random = RepeatableGenerator(seed: 7)
        for _ in 0..<2000 {
            var answer = ProbeAnswer(wantsServer: Bool.random(using: &random))
            var octets = Array(`Probe answer`.right.utf8)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                octets[Int.random(in: 0..<octets.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = answer.read(octets)
            _ = answer.read(octets)
            _ = answer.ended()
        }
    }
}
