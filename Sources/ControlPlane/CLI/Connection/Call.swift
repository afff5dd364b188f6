import Foundation
import JSON

/// One request to the API, and what may be done when its answer is lost.
struct Call: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let method: Method
    /// The way below `/api/v1`, segment by segment.
    let path: [String]
    var query: [(name: String, value: String)] = []
    var body: JSONValue?
    /// The revision that the resource must still have.
    var ifMatch: Int?
    var idempotencyKey: String?
    /// Of a stream of events that was cut off: the last one that came.
    var lastEventID: String?
    /// For a POST that says the same however often it is said, such as a drain.
    var isRepeatable = false
    /// What tells whether a call whose answer was lost has done its work.
    var whereToLook = "ddirect version list"
    /// How long the whole call may take.
    var patience: Duration = .seconds(15)

    init(_ method: Method, _ path: String...) {
        self.method = method
        self.path = path
    }

    init(_ method: Method, path: [String]) {
        self.method = method
        self.path = path
    }

    /// Whether the call may be sent again when it may have arrived but its answer did not.
    ///
    /// A PATCH may not: between the two, someone else may have changed what it changes.
    var mayBeRepeated: Bool {
        switch method {
        // A PUT says all of what it replaces, with a reason and an end.
        case .get, .delete, .put: true
        case .post: isRepeatable || idempotencyKey != nil
        case .patch: false
        }
    }

    func url(below base: String) -> String {
        let way = path.map { "/" + Call.escaped($0) }.joined()
        let query = query.map { "\(Call.escaped($0.name))=\(Call.escaped($0.value))" }.joined(separator: "&")
        return base + "/api/v1" + way + (query.isEmpty ? "" : "?" + query)
    }

    var headers: [(name: String, value: String)] {
        var headers = [
            ("Accept", "application/json, application/problem+json, text/event-stream"), ("User-Agent", "ddirect"),
        ]
        if body != nil {
            headers.append(("Content-Type", method == .patch ? "application/merge-patch+json" : "application/json"))
        }
        if let ifMatch { headers.append(("If-Match", "\"\(ifMatch)\"")) }
        if let lastEventID { headers.append(("Last-Event-ID", lastEventID)) }
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        return headers
    }

    /// What is not an unreserved character of RFC 3986 is escaped, so a name can never reach into another path.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"),
                UInt8(ascii: "."):
                String(UnicodeScalar(byte))
            default:
                "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}

/// What the API answered to a call that it accepted.
struct APIAnswer: Sendable {
    let status: Int
    let body: JSONValue
    /// The version that the change made; nil when nothing changed.
    let version: Int?
}
