/// The head of an HTTP/1.x response, as far as it tells where the response ends.
///
/// Endpoints are read with more lenience than clients: a line may end with LF alone, and what is odd but harmless passes. Where the
/// framing itself is in doubt the response lasts until the endpoint closes, and nothing after it is taken for another response.
public struct ResponseHead: Hashable, Sendable {
    /// The bytes of the head, the empty line included.
    public let length: Int
    public let status: Int
    public let framing: BodyFraming
    /// The endpoint closes after this response, or we have to, since nobody can say where it ends.
    public let closes: Bool

    /// A 1xx after which the response proper follows: `100 Continue`, `103 Early Hints`.
    public var isInterim: Bool { status < 200 && !switchesProtocols }

    /// From here on the connection is a tunnel for another protocol.
    public var switchesProtocols: Bool { status == 101 }

    public enum Outcome: Hashable, Sendable {
        case incomplete
        case head(ResponseHead)
        case malformed
    }

    /// 64 KiB: twice what a request may have, since applications put more into their answers than devices into their questions.
    public static let longest = 65_536

    /// Looks for a whole head at the beginning of `bytes`, which answers a HEAD request or another.
    ///
    /// `scanned` is where the search for its end goes on: 0 for a new head, and then kept by the caller while the answer is
    /// `.incomplete`. Any other outcome is final: more bytes would not change it.
    public static func inspect(_ bytes: Span<UInt8>, scanned: inout Int, toHEAD: Bool) -> Outcome {
        // `HTTP/1.` is all that is common to the first bytes of a response; anything else can be told at once.
        guard bytes.equals("HTTP/1.", upTo: min(bytes.count, 7)) else { return .malformed }
        let end = min(bytes.count, longest)
        var index = min(max(scanned, 7), end)
        defer { scanned = index }
        while index < end {
            index = bytes.firstControl(from: index, to: end)
            guard index < end else { break }
            let octet = bytes[index]
            guard octet != 0 else { return .malformed }
            if octet == .lineFeed, isEmptyLine(bytes, endingAt: index) {
                var reading = ResponseReading()
                return reading.read(bytes, length: index &+ 1, toHEAD: toHEAD).map { .head($0) } ?? .malformed
            }
            index &+= 1  // below `end`
        }
        return bytes.count >= longest ? .malformed : .incomplete
    }

    /// Whether the LF at `index`, which is not in the first line, ends an empty line.
    private static func isEmptyLine(_ bytes: Span<UInt8>, endingAt index: Int) -> Bool {
        // The first seven bytes have no LF, so the two before `index` are there.
        let before = bytes[index &- 1] == .carriageReturn ? index &- 2 : index &- 1
        return bytes[before] == .lineFeed
    }
}

/// Reads the lines of a response head, which ends with an empty one.
struct ResponseReading {
    private var isHTTP10 = false
    private var status = 0
    private var contentLength: UInt64?
    private var hasTransferEncoding = false
    /// The last coding named so far is `chunked`, and it is the only one of that name.
    private var isChunked = false
    private var isAmbiguous = false
    private var saysClose = false
    private var saysKeepAlive = false

    /// Reads the head of `length` bytes; nil when it has no valid status line.
    mutating func read(_ bytes: Span<UInt8>, length: Int, toHEAD: Bool) -> ResponseHead? {
        var position = 0
        while position < length {
            var end = bytes.firstControl(from: position, to: length)
            while end < length, bytes[end] != .lineFeed { end = bytes.firstControl(from: end &+ 1, to: length) }
            let next = end &+ 1  // at most `length`
            if end > position, bytes[end &- 1] == .carriageReturn { end &-= 1 }
            if position == 0 {
                guard readStatusLine(bytes, end: end) else { return nil }
            } else {
                readField(bytes, in: position..<end)
            }
            position = next
        }
        let framing = framing(toHEAD: toHEAD)
        return ResponseHead(
            length: length, status: status, framing: framing,
            closes: framing == .untilClose || saysClose || (isHTTP10 && !saysKeepAlive))
    }

    private func framing(toHEAD: Bool) -> BodyFraming {
        if toHEAD || status < 200 || status == 204 || status == 304 { return .none }
        if isAmbiguous { return .untilClose }
        if hasTransferEncoding {
            // A length beside a coding, or a coding in HTTP/1.0, is how responses are smuggled (RFC 9112 section 6.1).
            return isChunked && contentLength == nil && !isHTTP10 ? .chunked : .untilClose
        }
        guard let contentLength else { return .untilClose }
        return contentLength == 0 ? .none : .length(contentLength)
    }

    /// `HTTP/1.1 200 OK`. The reason may be missing, with the space before it.
    private mutating func readStatusLine(_ bytes: Span<UInt8>, end: Int) -> Bool {
        guard end >= 12, bytes[7].isDigit, bytes[8] == .space else { return false }
        isHTTP10 = bytes[7] == UInt8(ascii: "0")
        for index in 9..<12 {
            guard bytes[index].isDigit else { return false }
            status = status &* 10 &+ Int(bytes[index] &- UInt8(ascii: "0"))  // three digits
        }
        return status >= 100 && (end == 12 || bytes[12] == .space)
    }

    private mutating func readField(_ bytes: Span<UInt8>, in line: Range<Int>) {
        guard !line.isEmpty else { return }
        // A folded line belongs to a field that is over for us. It may go on with a length or a coding.
        guard !bytes[line.lowerBound].isBlank else {
            isAmbiguous = isAmbiguous || hasTransferEncoding || contentLength != nil
            return
        }
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }
        guard colon < line.upperBound else { return }
        // RFC 9112 section 5.1 has a proxy take blanks before the colon away, so that is how the name is read.
        let name = bytes.trimmed(line.lowerBound..<colon)
        let value = bytes.trimmed(colon &+ 1..<line.upperBound)
        switch FieldName(bytes, in: name) {
        case .contentLength:
            if name.upperBound != colon { isAmbiguous = true }
            readContentLength(bytes, in: value)
        case .transferEncoding:
            if name.upperBound != colon { isAmbiguous = true }
            readTransferEncoding(bytes, in: value)
        case .connection: readConnection(bytes, in: value)
        default: break
        }
    }

    /// Equal lengths, in one line or in several, are one length (RFC 9112 section 6.3); others are none.
    private mutating func readContentLength(_ bytes: Span<UInt8>, in value: Range<Int>) {
        var elements = ListElements(in: value)
        var isEmpty = true
        while let element = elements.next(bytes) {
            isEmpty = false
            guard let length = BodyFraming.length(bytes, in: element), length == contentLength ?? length else {
                isAmbiguous = true
                return
            }
            contentLength = length
        }
        if isEmpty { isAmbiguous = true }
    }

    private mutating func readTransferEncoding(_ bytes: Span<UInt8>, in value: Range<Int>) {
        hasTransferEncoding = true
        var codings = ListElements(in: value)
        while let coding = codings.next(bytes) {
            // Chunked must come last and once.
            if isChunked { isAmbiguous = true }
            isChunked = bytes.spells("chunked", in: coding)
        }
    }

    private mutating func readConnection(_ bytes: Span<UInt8>, in value: Range<Int>) {
        var options = ListElements(in: value)
        while let option = options.next(bytes) {
            if bytes.spells("close", in: option) { saysClose = true }
            if bytes.spells("keep-alive", in: option) { saysKeepAlive = true }
        }
    }
}
