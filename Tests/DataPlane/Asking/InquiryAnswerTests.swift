import Routing
import Testing

@testable import DataPlane

@Suite struct `The answer to a probe` {
    private func head(_ status: String, length: Int) -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\nConnection: close\r\n\r\n"
    }

    private static let body =
        #"{"region":"af-south-1","list":[1,{"server":"no"},"]"],"server":"za1","version":42}"# + "\n"

    private func answer(_ body: String, _ status: String = "200 OK") -> String {
        head(status, length: body.utf8.count) + body
    }

    private func read(_ text: String, isAll: Bool = false, wantsServer: Bool = true) -> InquiryAnswer {
        var place = InquiryAnswer.Place()
        return InquiryAnswer.reading(Array(text.utf8).span, from: &place, isAll: isAll, wantsServer: wantsServer)
    }

    @Test func `names the server that gave it`() {
        #expect(read(answer(Self.body)) == .complete(status: 200, server: "za1"))
        let own = #"{"server":"za1","region":null,"version":null,"state":"serving","time":"2026-01-01T00:00:00Z"}"#
        #expect(read(answer(own)) == .complete(status: 200, server: "za1"))
        #expect(read(answer(" { \"server\" :\t\"ie1\"\r\n}")) == .complete(status: 200, server: "ie1"))
    }

    @Test func `may have a head as long as traffic may have one`() {
        let padding = String(repeating: "x", count: ResponseHead.longest - 24)
        let head = "HTTP/1.1 200 OK\r\nX: \(padding)\r\n\r\n"
        #expect(head.utf8.count == ResponseHead.longest && head.utf8.count < InquiryAnswer.longest)
        #expect(read(head, wantsServer: false) == .complete(status: 200, server: nil))
    }

    @Test func `is incomplete at every length but its whole, and malformed when it ends there`() {
        let whole = Array(answer(Self.body).utf8)
        // As it grows, and as if nothing had been seen of it before.
        var growing = InquiryAnswer.Place()
        for count in 0..<whole.count {
            let part = whole.span.extracting(first: count)
            let reading = InquiryAnswer.reading(part, from: &growing, isAll: false, wantsServer: true)
            #expect(reading == .incomplete, "\(count) octets")
            var fresh = InquiryAnswer.Place()
            let end = InquiryAnswer.reading(part, from: &fresh, isAll: true, wantsServer: true)
            #expect(end == .malformed, "\(count) octets")
        }
        let reading = InquiryAnswer.reading(whole.span, from: &growing, isAll: false, wantsServer: true)
        #expect(reading == .complete(status: 200, server: "za1"))
    }

    @Test func `come octet by octet behind many interim ones, it is read once and not with each`() {
        let interim = Array(String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 500).utf8)
        var place = InquiryAnswer.Place()
        var furthest = 0
        for count in 0...interim.count {
            let reading = InquiryAnswer.reading(
                interim.span.extracting(first: count), from: &place, isAll: false, wantsServer: true)
            #expect(reading == .incomplete)
            #expect(place.seen >= furthest)
            furthest = place.seen
            // What is looked at again is less than one head.
            #expect(count - place.seen < 30)
        }
    }

    @Test func `lasts until the end of the stream when it has no length`() {
        let text = "HTTP/1.1 200 OK\r\n\r\n" + Self.body
        #expect(read(text) == .incomplete)
        #expect(read(text, isAll: true) == .complete(status: 200, server: "za1"))
    }

    @Test func `is known by its head alone when only the status matters, or says that there is trouble`() {
        #expect(read(head("204 No Content", length: 5), wantsServer: false) == .complete(status: 204, server: nil))
        #expect(read(head("500 Internal Server Error", length: 500)) == .complete(status: 500, server: nil))
        #expect(read("HTTP/1.0 404\r\n\r\n", wantsServer: false) == .complete(status: 404, server: nil))
    }

    @Test func `names the server that drains, and nobody when the relay cannot reach its endpoint`() {
        let draining = #"{"server":"za1","state":"draining"}"#
        #expect(read(answer(draining, "503 Service Unavailable")) == .complete(status: 503, server: "za1"))
        #expect(read(head("503 Service Unavailable", length: 500)) == .incomplete)
        #expect(
            read(head("503 Service Unavailable", length: 500), isAll: true) == .complete(status: 503, server: nil))
        #expect(
            read(answer("This server is busy.\n", "503 Service Unavailable")) == .complete(status: 503, server: nil))
    }

    @Test func `comes after interim ones`() {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        #expect(read(interim) == .incomplete)
        #expect(read(interim + answer(Self.body)) == .complete(status: 200, server: "za1"))
    }

    @Test(arguments: [
        "", "[]", "{}", "null", #""server""#, #"{"server":1}"#, #"{"server":{"server":"za1"}}"#, #"{"server":"za1"#,
        #"{"server""#, #"{"server":"#, #"{"other":"server"}"#, #"{"list":["server","za1"]}"#,
        #"{"a":1 "server":"za1"}"#,
        #"{server:"za1"}"#, "{\"server\":\"z\u{1}\"}", #"{"a":,"server":"za1"}"#, #"{"a":[,"server":"za1"}"#,
        #"{"a":"\"#,
        "{\"a\":" + String(repeating: "[", count: 10_000),
    ])
    func `names nobody when its body is another`(body: String) {
        #expect(read(answer(body)) == .complete(status: 200, server: nil))
    }

    @Test func `names nobody when its body comes in chunks, which no monitor endpoint sends`() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"server\":\"za1\"}\r\n0\r\n\r\n"
        #expect(read(text, isAll: true) == .complete(status: 200, server: nil))
    }

    @Test func `shows no more of a stranger's name than is good for a log`() {
        let body = #"{"server":"\#u{1B}[31mß"}"#
        #expect(read(answer(body)) == .complete(status: 200, server: nil))
        guard case .complete(_, let name?) = read(answer("{\"server\":\"ß\(String(repeating: "x", count: 500))\"}"))
        else {
            Issue.record("no name")
            return
        }
        #expect(name.hasPrefix("??xxx"))
        #expect(name.utf8.count == 100)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2OO OK\r\n\r\n", "HTTP/1.1 99 Low\r\n\r\n",
        "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{28}", "HTTP/1.1 200 OK\u{0}\r\n\r\n", "<html>", " HTTP/1.1 200 OK\r\n\r\n",
    ])
    func `is told from what is no HTTP`(text: String) {
        #expect(read(text) == .malformed)
    }

    @Test func `is never fatal, whatever comes`() {
        let whole = Array(answer(Self.body).utf8)
        var chance = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var octets = whole
            for _ in 0..<Int.random(in: 1...6, using: &chance) {
                let place = Int.random(in: 0..<octets.count, using: &chance)
                switch UInt8.random(in: 0..<3, using: &chance) {
                case 0: octets[place] = .random(in: 0...255, using: &chance)
                case 1: octets.remove(at: place)
                default: octets.insert(octets[Int.random(in: 0..<octets.count, using: &chance)], at: place)
                }
            }
            var seen = InquiryAnswer.Place()
            _ = InquiryAnswer.reading(
                octets.span, from: &seen, isAll: .random(using: &chance), wantsServer: .random(using: &chance))
        }
    }
}
