/// Reads the lines of a response head, which ends with an empty one.
struct ResponseReading {
    private var isHTTP10 = false
    private var status = 0
    private var contentLength: UInt64?
    /// There is a Content-Length line, whatever it says.
    private var hasLengthLine = false
    private var hasRepeatedLength = false
    private var hasTransferEncoding = false
    /// The last coding named so far is `chunked`, and it is the only one of that name.
    private var isChunked = false
    private var isAmbiguous = false
    private var isUnclean = false
    private var options = ConnectionOptions()
    private var hasFoldedOptions = false
    /// The field that a folded line would go on with; and whether there is one, known or not.
    private var lastField: FieldName?
    private var hasField = false

    /// Reads the head of `length` bytes; nil when it has no valid status line, or tells in two ways where the response
    /// ends.
    mutating func read(_ bytes: Span<UInt8>, length: Int, toHEAD: Bool) -> ResponseHead? {
        var lines = ResponseLines(length: length)
        guard let first = lines.next(bytes), readStatusLine(bytes, end: first.content.upperBound) else { return nil }
        // A blank before the first field hides it from some programs and not from others, and a CR alone ends a line
        // for some (RFC 9112 section 2.2).
        if first.hasBareCR || (first.next < length && bytes[first.next].isBlank) { return nil }
        while let line = lines.next(bytes) {
            guard !line.content.isEmpty else { continue }
            guard !line.hasBareCR, readField(bytes, in: line.content) else { return nil }
        }
        let hasBody = !(toHEAD || status < 200 || status == 204 || status == 304)
        if isAmbiguous && hasBody { return nil }
        let framing = hasBody ? framing : BodyFraming.none
        let tellsEnd = options.close || (isHTTP10 && !options.keepAlive)
        return ResponseHead(
            length: length, status: status, framing: framing, closes: framing == .untilClose || tellsEnd,
            isUnclean: isUnclean || !options.named.isEmpty || lengthLines != .kept, lengthLines: lengthLines,
            tellsEnd: tellsEnd, options: options, hasFoldedOptions: hasFoldedOptions)
    }

    private var lengthLines: ResponseHead.LengthLines {
        if isAmbiguous { return hasLengthLine ? .dropped : .kept }
        guard hasRepeatedLength, let contentLength else { return .kept }
        return .merged(contentLength)
    }

    private var framing: BodyFraming {
        if hasTransferEncoding {
            // A coding in HTTP/1.0 is read by some and not by others. After the end of the connection there is nothing
            // to be smuggled.
            return isChunked && !isHTTP10 ? .chunked : .untilClose
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

    /// False when the response cannot be passed on.
    private mutating func readField(_ bytes: Span<UInt8>, in line: Range<Int>) -> Bool {
        guard !bytes[line.lowerBound].isBlank else {
            isUnclean = true
            // Behind a line without a colon it could make a field of that.
            return hasField && readFolded(bytes, in: bytes.trimmed(line))
        }
        lastField = nil
        hasField = false
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }
        guard colon < line.upperBound else { return true }
        hasField = true
        // RFC 9112 section 5.1 has a proxy take blanks before the colon away, so that is how the name is read.
        let name = bytes.trimmed(line.lowerBound..<colon)
        if name.upperBound != colon { isUnclean = true }
        let value = bytes.trimmed(colon &+ 1..<line.upperBound)
        lastField = FieldName(bytes, in: name)
        switch lastField {
        case .contentLength: readContentLength(bytes, in: value)
        case .transferEncoding: readTransferEncoding(bytes, in: value)
        case .connection: return readConnection(bytes, in: value)
        case .proxyConnection: isUnclean = true
        default: break
        }
        return true
    }

    /// The rest of a field's value. A length or a coding that goes on there is not what it was taken for.
    private mutating func readFolded(_ bytes: Span<UInt8>, in value: Range<Int>) -> Bool {
        switch lastField {
        case .contentLength, .transferEncoding:
            if !value.isEmpty { isAmbiguous = true }
            return true
        case .connection:
            hasFoldedOptions = true
            return readConnection(bytes, in: value)
        default: return true
        }
    }

    /// Equal lengths, in one line or in several, are one length (RFC 9112 section 6.3); others are none.
    private mutating func readContentLength(_ bytes: Span<UInt8>, in value: Range<Int>) {
        hasLengthLine = true
        if hasTransferEncoding { isAmbiguous = true }
        var elements = ListElements(in: value)
        var isEmpty = true
        while let element = elements.next(bytes) {
            isEmpty = false
            guard let length = BodyFraming.length(bytes, in: element), length == contentLength ?? length else {
                isAmbiguous = true
                return
            }
            if contentLength != nil || element != value { hasRepeatedLength = true }
            contentLength = length
        }
        if isEmpty { isAmbiguous = true }
    }

    private mutating func readTransferEncoding(_ bytes: Span<UInt8>, in value: Range<Int>) {
        if contentLength != nil { isAmbiguous = true }
        hasTransferEncoding = true
        var codings = ListElements(in: value)
        while let coding = codings.next(bytes) {
            // Chunked must come last and once.
            if isChunked { isAmbiguous = true }
            isChunked = bytes.spells("chunked", in: coding)
        }
    }

    /// False when it names what must not be dropped: the client has to find the end of the response too.
    private mutating func readConnection(_ bytes: Span<UInt8>, in value: Range<Int>) -> Bool {
        switch options.read(bytes, in: value) {
        case nil: return true
        case .namesProtected, .namesTooMany: return false
        }
    }
}

/// Walks the lines of a head whose lines may end with LF alone.
struct ResponseLines {
    struct Line {
        /// Without the end of the line.
        let content: Range<Int>
        /// Where the next one begins.
        let next: Int
        /// A CR stands in it that no LF follows.
        let hasBareCR: Bool
    }

    private var position = 0
    private let length: Int

    init(length: Int) { self.length = length }

    /// The next line, or nil at the end of the head.
    mutating func next(_ bytes: Span<UInt8>) -> Line? {
        guard position < length else { return nil }
        let start = position
        var returns = 0
        var end = bytes.firstControl(from: start, to: length)
        while end < length, bytes[end] != .lineFeed {
            if bytes[end] == .carriageReturn { returns &+= 1 }
            end = bytes.firstControl(from: end &+ 1, to: length)
        }
        position = min(end &+ 1, length)
        if end > start, bytes[end &- 1] == .carriageReturn {
            end &-= 1
            returns &-= 1
        }
        return Line(content: start..<end, next: position, hasBareCR: returns > 0)
    }
}
