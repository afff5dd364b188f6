import JSON

/// What comes in answer to a probe, read as far as its verdict needs. Pure, indifferent to garbage, and bounded.
struct ProbeAnswer: Sendable {
    enum Reading: Sendable, Equatable {
        /// No HTTP/1 response (RFC 9112), or one that was cut or is too long.
        case malformed(String)
        /// `server` is what a monitor endpoint calls itself; nil when the body does not say, or was not asked for.
        case complete(status: Int, server: String?)
    }

    private enum Stage {
        case statusLine
        case fields(status: Int)
        case body(status: Int)
    }

    /// A monitor endpoint answers with some four hundred octets.
    static let longest = 16 << 10

    /// Whether the body matters, and not the status alone.
    private let wantsServer: Bool
    private var octets: [UInt8] = []
    private var stage = Stage.statusLine
    /// Where the line or the body begins that is being read.
    private var start = 0
    /// Up to where there is no end of a line, so that octets that come one by one are not looked at again with each.
    private var scanned = 0
    private var length: Int?

    init(wantsServer: Bool) { self.wantsServer = wantsServer }

    var isEmpty: Bool { octets.isEmpty }

    /// Reads the octets that have arrived; nil when more are needed.
    mutating func read(_ more: some Collection<UInt8>) -> Reading? {
        octets.append(contentsOf: more.prefix(ProbeAnswer.longest + 1 - octets.count))
        while let line = nextLine() {
            if let reading = read(line: line) { return reading }
        }
        switch stage {
        case .statusLine:
            let prefix = octets[start...].prefix(7)
            guard "HTTP/1.".utf8.starts(with: prefix) else { return .malformed("an answer that is no HTTP") }
        case .fields: break
        case .body(let status):
            if let length, octets.count - start >= length {
                return complete(status, body: octets[start..<start + length])
            }
        }
        guard octets.count <= ProbeAnswer.longest else {
            return .malformed("an answer of more than \(ProbeAnswer.longest) octets")
        }
        return nil
    }

    /// No more will come.
    func ended() -> Reading {
        switch stage {
        case .body(let status) where length == nil: return complete(status, body: octets[start...])
        case .body(let status) where status != 200: return .complete(status: status, server: nil)
        case .statusLine, .fields, .body: return .malformed("an answer that was cut")
        }
    }

    private mutating func nextLine() -> ArraySlice<UInt8>? {
        if case .body = stage { return nil }
        guard let end = octets[scanned...].firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = octets.count
            return nil
        }
        var line = octets[start..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        start = end + 1
        scanned = start
        return line
    }

    private mutating func read(line: ArraySlice<UInt8>) -> Reading? {
        switch stage {
        case .statusLine:
            guard let status = ProbeAnswer.status(line) else { return .malformed("an answer that is no HTTP") }
            // Of an answer that is only a word in between, such as 103, the end has to be found.
            // A server that drains says 503 and its name; the relay says 503 for an endpoint that it does not reach.
            let namesServer = wantsServer && (status == 200 || status == 503)
            if status >= 200, !namesServer { return .complete(status: status, server: nil) }
            length = nil
            stage = .fields(status: status)
        case .fields(let status) where line.isEmpty: stage = status < 200 ? .statusLine : .body(status: status)
        case .fields: if let length = ProbeAnswer.contentLength(line) { self.length = length }
        case .body: break
        }
        return nil
    }

    private func complete(_ status: Int, body: ArraySlice<UInt8>) -> Reading {
        .complete(status: status, server: (try? JSONValue.parse(body))?["server"].text)
    }

    /// The status of `HTTP/1.1 200 OK`.
    private static func status(_ line: ArraySlice<UInt8>) -> Int? {
        let line = Array(line)
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line[8] == UInt8(ascii: " "),
            line.count == 12 || line[12] == UInt8(ascii: " "),
            let status = Int(String(decoding: line[9..<12], as: UTF8.self)),
            (100...599).contains(status)
        else { return nil }
        return status
    }

    /// The number of a `Content-Length` line; nil for any other line, and for a number that no answer of a monitor
    /// endpoint has.
    private static func contentLength(_ line: ArraySlice<UInt8>) -> Int? {
        let text = String(decoding: line, as: UTF8.self)
        guard let colon = text.firstIndex(of: ":"), text[..<colon].lowercased() == "content-length" else { return nil }
        let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }.prefix {
            $0 != " " && $0 != "\t"
        }
        guard let length = Int(value), (0...longest).contains(length) else { return nil }
        return length
    }
}
