extension ResponseHead {
    /// Whether this head is passed on by `copy` and not as it is. `closing` when the connection ends after this
    /// response, whatever the endpoint says.
    public func changes(closing: Bool) -> Bool { isUnclean || (closing && !tellsEnd && framing != .untilClose) }

    /// The most by which `copy` makes a head longer.
    public static var longestGrowth: Int {
        // `Content-Length:5,` and LF becomes `Content-Length: 5` and CR LF.
        ConnectionOptions.longestGrowth &+ 2
    }

    /// Copies this head from `head`, where it was found, as the client is to read it.
    ///
    /// The fields of the endpoint's connection are dropped (RFC 9110 section 7.6.1), and an end that we shall make is
    /// said (RFC 9112 section 9.6). A response in which a line is folded, a blank stands before a colon or a length is
    /// repeated is made as it has to be before anybody passes it on (RFC 9112 sections 5.1 and 5.2, RFC 9110 section
    /// 8.6). Lengths that say nothing are dropped.
    ///
    /// The count, or nil when `output` is too small; `longestGrowth` more than `length` always suffices.
    public func copy(_ head: Span<UInt8>, closing: Bool, into output: inout MutableSpan<UInt8>) -> Int? {
        guard head.count >= length else { return nil }
        var copying = ResponseCopying(head: self, closing: closing)
        copying.write(head, into: &output)
        return copying.writer.written
    }
}

/// Copies one response head, and changes on the way what has to be changed.
private struct ResponseCopying {
    private let head: ResponseHead
    /// The options that travel on, until they have been written.
    private var options: ConnectionOptions
    private let saysOptions: Bool
    private let closing: Bool
    /// The end of the line that was written last, which is not written before it is known that no folded line follows.
    private var lineEnd = 0..<0
    private var isDropping = false
    var writer = OctetWriter()

    init(head: ResponseHead, closing: Bool) {
        self.head = head
        self.closing = closing && !head.tellsEnd && head.framing != .untilClose
        options = head.options
        if self.closing { options.close = true }
        saysOptions = self.closing || !head.options.named.isEmpty || head.hasFoldedOptions
    }

    mutating func write(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) {
        var lines = ResponseLines(length: head.length)
        while let line = lines.next(bytes) {
            if line.content.lowerBound == 0 {
                put(bytes, line.content, of: line, into: &output)
            } else if line.content.isEmpty {
                endLine(bytes, into: &output)
                // What has found no line to take its place in.
                if saysOptions { options.write(&writer, into: &output) }
                if case .merged(let length) = head.lengthLines {
                    writer.put("Content-Length: ", into: &output)
                    writer.put(decimal: Int(length), into: &output)  // at most `BodyFraming.longest`
                    writer.put("\r\n", into: &output)
                }
                writer.put(bytes, line.content.upperBound..<line.next, into: &output)
            } else if bytes[line.content.lowerBound].isBlank {
                guard !isDropping else { continue }
                writer.put(.space, into: &output)
                put(bytes, bytes.trimmed(line.content), of: line, into: &output)
            } else {
                writeField(bytes, line, into: &output)
            }
        }
    }

    private mutating func writeField(
        _ bytes: Span<UInt8>, _ line: ResponseLines.Line, into output: inout MutableSpan<UInt8>
    ) {
        endLine(bytes, into: &output)
        isDropping = false
        var colon = line.content.lowerBound
        while colon < line.content.upperBound, bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }
        let name = bytes.trimmed(line.content.lowerBound..<colon)
        guard colon < line.content.upperBound else { return put(bytes, line.content, of: line, into: &output) }
        let field = FieldName(bytes, in: name)
        switch field {
        case .connection where saysOptions:
            isDropping = true
            options.write(&writer, into: &output)
            options = ConnectionOptions()
        case .contentLength where head.lengthLines != .kept: isDropping = true
        case .proxyConnection: isDropping = true
        case .keepAlive where closing: isDropping = true
        default:
            if field?.isProtected != true, head.namedFields.contains(bytes, in: name) { isDropping = true }
        }
        guard !isDropping else { return }
        writer.put(bytes, name, into: &output)
        put(bytes, colon..<line.content.upperBound, of: line, into: &output)
    }

    /// Writes a line from somewhere in it up to its end, which waits.
    private mutating func put(
        _ bytes: Span<UInt8>, _ range: Range<Int>, of line: ResponseLines.Line, into output: inout MutableSpan<UInt8>
    ) {
        writer.put(bytes, range, into: &output)
        lineEnd = line.content.upperBound..<line.next
    }

    private mutating func endLine(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) {
        writer.put(bytes, lineEnd, into: &output)
        lineEnd = 0..<0
    }
}
