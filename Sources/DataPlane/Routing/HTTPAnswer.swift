/// A whole HTTP/1.1 response of our own: why a request went nowhere, in one sentence. The connection closes after it.
public struct HTTPAnswer: Hashable, Sendable {
    public let status: Int
    /// Plain ASCII, one sentence.
    public let sentence: String

    /// No answer is longer than this many bytes.
    public static let longest = 512

    init(_ status: Int, _ sentence: String) {
        self.status = status
        self.sentence = sentence
    }

    /// The client did not send a whole request head in time.
    public static var requestTimeout: HTTPAnswer { HTTPAnswer(408, "The request did not arrive in time.") }
    /// The Host is nobody's here, or another service's than the one that the connection was opened for.
    public static var misdirected: HTTPAnswer {
        HTTPAnswer(421, "This server does not serve that host on this connection.")
    }
    /// The chunks of the request's body cannot be read, so nobody knows where it ends.
    public static var malformedBody: HTTPAnswer {
        HTTPAnswer(400, "The body of the request is not in chunks as its head says.")
    }
    /// The endpoint cannot be connected to, or left without an answer.
    public static var badGateway: HTTPAnswer { HTTPAnswer(502, "The endpoint of this service cannot be reached.") }
    /// The monitor endpoint has no room for this caller.
    public static var tooManyRequests: HTTPAnswer {
        HTTPAnswer(429, "There are too many requests from this address, or from strangers; ask less often.")
    }
    /// What the endpoint answered is no response, or one whose end two programs could see in different places.
    public static var badResponse: HTTPAnswer {
        HTTPAnswer(502, "The endpoint of this service did not answer in valid HTTP.")
    }
    /// A request that asks about the way to the endpoint, and goes no further than here.
    static func finalRecipient(ofTRACE isTRACE: Bool) -> HTTPAnswer {
        isTRACE
            ? HTTPAnswer(405, "The TRACE method is not allowed here.")
            : HTTPAnswer(200, "The request went no further than this server.")
    }
    public static var overloaded: HTTPAnswer {
        HTTPAnswer(503, "This server cannot take more connections at the moment.")
    }
    /// The client's address is one that the service does not take connections from.
    public static var forbidden: HTTPAnswer { HTTPAnswer(403, "This service takes no connections from this address.") }
    public static var gatewayTimeout: HTTPAnswer {
        HTTPAnswer(504, "The endpoint of this service did not answer in time.")
    }

    /// Writes the response, without its body when it answers a HEAD request. The count, or nil when it does not fit.
    ///
    /// `date` is the present moment in HTTP's form, which who answers and has a clock must tell (RFC 9110 section
    /// 6.6.1).
    public func write(toHEAD: Bool = false, date: String, into output: inout MutableSpan<UInt8>) -> Int? {
        var writer = OctetWriter()
        writer.put("HTTP/1.1 ", into: &output)
        writer.put(decimal: status, into: &output)
        writer.put(" ", into: &output)
        writer.put(reason, into: &output)
        writer.put("\r\nDate: ", into: &output)
        writer.put(date, into: &output)
        writer.put("\r\nContent-Type: text/plain\r\nConnection: close\r\n", into: &output)
        // RFC 9110 section 15.5.6 asks for this one. What else an endpoint allows is for it to say.
        if status == 405 || status == 200 {
            writer.put("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n", into: &output)
        }
        if status == 429 || status == 503 { writer.put("Retry-After: 1\r\n", into: &output) }
        writer.put("Content-Length: ", into: &output)
        writer.put(decimal: sentence.utf8.count &+ 1, into: &output)
        writer.put("\r\n\r\n", into: &output)
        guard !toHEAD else { return writer.written }
        writer.put(sentence, into: &output)
        writer.put("\n", into: &output)
        return writer.written
    }

    private var reason: String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 421: "Misdirected Request"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Refused"
        }
    }
}
