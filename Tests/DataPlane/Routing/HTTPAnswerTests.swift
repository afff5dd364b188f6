import Routing
import Testing

private func written(_ answer: HTTPAnswer, toHEAD: Bool = false, room: Int = HTTPAnswer.longest) -> String? {
    var octets = [UInt8](repeating: 0, count: room)
    var output = octets.mutableSpan
    let count = answer.write(toHEAD: toHEAD, date: "Tue, 01 Sep 2026 08:00:00 GMT", into: &output)
    return count.map { String(decoding: octets[..<$0], as: UTF8.self) }
}

@Suite struct `Answers of our own` {
    static let all: [HTTPAnswer] =
        RequestHead.Refusal.allCases.compactMap(\.answer) + [
            .requestTimeout, .misdirected, .badGateway, .badResponse, .malformedBody, .overloaded, .gatewayTimeout,
            .forbidden, .tooManyRequests,
        ]

    @Test(arguments: all)
    func `an answer is a response that we would read ourselves`(answer: HTTPAnswer) throws {
        let text = try #require(written(answer))
        let body = answer.sentence + "\n"
        #expect(text.hasSuffix("\r\n\r\n" + body))
        #expect(!text.contains("Refused"))
        let octets = Array(text.utf8)
        var scanned = 0
        guard case .head(let head) = ResponseHead.inspect(octets.span, scanned: &scanned, toHEAD: false) else {
            Issue.record("not a response: \(text)")
            return
        }
        #expect(head.status == answer.status)
        #expect(head.framing == .length(UInt64(body.utf8.count)))
        #expect(head.closes)
        #expect(head.length + body.utf8.count == octets.count)
    }

    @Test(arguments: all)
    func `an answer to HEAD is the same without its body`(answer: HTTPAnswer) throws {
        let whole = try #require(written(answer))
        #expect(written(answer, toHEAD: true).map { $0 + answer.sentence + "\n" } == whole)
    }

    @Test func `an answer that does not fit is not written`() throws {
        let length = try #require(written(.badGateway)).utf8.count
        #expect(written(.badGateway, room: length) != nil)
        #expect(written(.badGateway, room: length - 1) == nil)
        #expect(written(.badGateway, room: 0) == nil)
    }

    @Test func `a timeout's answer reads as it should`() {
        let expected = """
            HTTP/1.1 408 Request Timeout\r
            Date: Tue, 01 Sep 2026 08:00:00 GMT\r
            Content-Type: text/plain\r
            Connection: close\r
            Content-Length: 36\r
            \r
            The request did not arrive in time.

            """
        #expect(written(.requestTimeout) == expected)
    }
}
