import Domain
import Routing

/// What this process is asked for.
struct Question: Equatable {
    enum Method: Equatable {
        case get, head, other
    }

    let method: Method
    /// Without a query.
    let path: String
    /// What it shows to be known as a probe of the fleet by, if anything; not judged yet.
    let proof: String?

    /// Reads the request line of a head that has been found valid, so what is looked for is there; if it were not, the
    /// answer is a 404.
    init(head bytes: Span<UInt8>) {
        let method = Question.word(bytes, from: 0)
        let target = Question.word(bytes, from: method.upperBound + 1)
        switch Question.text(bytes, method) {
        case "GET": self.method = .get
        case "HEAD": self.method = .head
        default: self.method = .other
        }
        path = Question.path(ofTarget: Question.text(bytes, target))
        proof = Question.field(ProbeToken.fieldName, in: bytes)
    }

    /// The value of the first field of that name, in a head whose lines are known to end with CR LF.
    private static func field(_ name: String, in bytes: Span<UInt8>) -> String? {
        let name = Array(name.lowercased().utf8)
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\r") { end += 1 }
            if end - start > name.count, bytes[start + name.count] == UInt8(ascii: ":"),
                name.indices.allSatisfy({ lowercased(bytes[start + $0]) == name[$0] })
            {
                let value = text(bytes, start + name.count + 1..<end)
                return String(value.drop { $0 == " " })
            }
            start = end + 2
        }
        return nil
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet) ? octet + 0x20 : octet
    }

    /// The octets from `start` to the next space or control character.
    private static func word(_ bytes: Span<UInt8>, from start: Int) -> Range<Int> {
        var end = start
        while end < bytes.count, bytes[end] > UInt8(ascii: " ") { end += 1 }
        return start..<max(start, end)
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        let range = range.clamped(to: 0..<bytes.count)
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count)
        for index in range { octets.append(bytes[index]) }
        return String(decoding: octets, as: UTF8.self)
    }

    /// `/metrics` of `/metrics?x=1` and of `http://127.0.0.1:7081/metrics`.
    private static func path(ofTarget target: String) -> String {
        var path = target.prefix { $0 != "?" }
        if !path.hasPrefix("/"), let slashes = path.firstRange(of: "://") {
            path = path[slashes.upperBound...].drop { $0 != "/" }
            if path.isEmpty { return "/" }
        }
        return String(path)
    }
}

/// A whole response. The connection closes after it: checks and scrapes are seconds apart, and a connection that is not
/// kept needs no second request to be found in it.
struct Answer: Equatable {
    let status: Int
    let contentType: String
    /// Lines of the head beyond those that every answer has.
    var fields: [String] = []
    var body: [UInt8]

    /// A sentence, for people and for those who only look at the status.
    static func text(_ status: Int, _ sentence: String) -> Answer {
        Answer(status: status, contentType: "text/plain; charset=utf-8", body: Array((sentence + "\n").utf8))
    }

    static var methodNotAllowed: Answer {
        var answer = Answer.text(405, "Only GET and HEAD are answered here.")
        answer.fields = ["Allow: GET, HEAD"]
        return answer
    }

    static var requestTimeout: Answer { .text(408, "The request did not arrive in time.") }
    static var headTooLong: Answer {
        .text(431, "The request head is longer than \(AnsweringConnection.longestHead) bytes.")
    }

    static var busy: Answer {
        var answer = Answer.text(503, "Others are being sent the metrics; try again in a moment.")
        answer.fields = ["Retry-After: 1"]
        return answer
    }

    static func refusal(_ refusal: RequestHead.Refusal) -> Answer {
        refusal.status == 405 ? methodNotAllowed : .text(refusal.status, refusal.sentence)
    }

    func head(at time: UTCTime) -> [UInt8] {
        var lines = ["HTTP/1.1 \(status) \(reason)", "Date: \(time.httpDate)", "Content-Type: \(contentType)"]
        lines += fields
        lines += ["Content-Length: \(body.count)", "Connection: close", "", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    private var reason: String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Refused"
        }
    }
}
