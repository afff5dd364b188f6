/// Reads the lines of a request head, of which it is known that each ends with CR LF and holds no other control
/// character.
struct RequestReading {
    private var isHTTP10 = false
    private var isHEAD = false
    private var fields = 0

    /// The authority that a target in absolute form names, and that of the Host field.
    private var targetAuthority: Authority?
    private var host: Authority?
    private var target: AbsoluteTarget?
    private var hostField: Range<Int>?

    private var contentLength: UInt64?
    private var isChunked = false
    private var options = ConnectionOptions()
    private var offersHTTP2 = false
    private var offersAnother = false
    private var expectsContinue = false
    private var forwardedFor = ForwardedForPlace.nowhere
    private var hasForwardedFields = false
    private var hasHopFields = false
    /// The method is TRACE or OPTIONS: the two that ask about the way itself.
    private var asksForwarders = false
    private var isTRACE = false
    private var countsForwards = false
    private var endsHere = false

    /// Reads the head of `length` bytes, its host into `name`; answers why it is refused, or nil.
    mutating func read(_ bytes: Span<UInt8>, length: Int, host name: inout RoutingName) -> RequestHead.Refusal? {
        let line = RequestReading.endOfLine(bytes, from: 0)
        if let refusal = readRequestLine(bytes, end: line, name: &name) { return refusal }
        // Positions are those of bytes that are there, and the two of a CR LF, so no sum overflows.
        var position = line &+ 2
        while position < length &- 2 {
            let end = RequestReading.endOfLine(bytes, from: position)
            fields &+= 1
            guard fields <= RequestHead.mostFields else { return .tooManyFields }
            if let refusal = readField(bytes, from: position, to: end, name: &name) { return refusal }
            position = end &+ 2
        }
        return checkWhole()
    }

    func head(length: Int) -> RequestHead {
        let framing: BodyFraming =
            if isChunked { .chunked } else if let contentLength, contentLength > 0 { .length(contentLength) } else {
                .none
            }
        return RequestHead(
            length: length, framing: framing, isHEAD: isHEAD,
            wantsUpgrade: options.upgrade && (offersHTTP2 || offersAnother) && !isHTTP10,
            closes: options.close || (isHTTP10 && !options.keepAlive), expectsContinue: expectsContinue && !isHTTP10,
            options: options, offersHTTP2: offersHTTP2, offersAnother: offersAnother, forwardedFor: forwardedFor,
            hasForwardedFields: hasForwardedFields, hasHopFields: hasHopFields, hostField: hostField, target: target,
            countsForwards: countsForwards, finalAnswer: endsHere ? .finalRecipient(ofTRACE: isTRACE) : nil)
    }

    private static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = bytes.firstControl(from: start, to: bytes.count)
        while index < bytes.count, bytes[index] == .tab {
            index = bytes.firstControl(from: index &+ 1, to: bytes.count)
        }
        return index
    }

    // MARK: The request line

    private mutating func readRequestLine(_ bytes: Span<UInt8>, end: Int, name: inout RoutingName) -> RequestHead
        .Refusal?
    {
        var index = 0
        while index < end, bytes[index].isToken { index &+= 1 }
        let method = 0..<index
        guard index < end, bytes[index] == .space else { return .badRequestLine }
        let start = index &+ 1
        index = start
        // Octets above ASCII have no place in a target, but devices send them, and nothing that we decide depends on
        // them. A fragment never leaves an honest client, and some endpoints would read the path without it.
        while index < end, bytes[index] > .space, bytes[index] != UInt8(ascii: "#") { index &+= 1 }
        let target = start..<index
        guard !target.isEmpty, index < end, bytes[index] == .space else { return .badRequestLine }
        if let refusal = readVersion(bytes, in: index &+ 1..<end, method: method) { return refusal }

        // Methods are case-sensitive, but not to everyone.
        guard !bytes.spells("connect", in: method) else { return .connect }
        if bytes.spells("head", in: method) {
            guard bytes[0].isUpper, bytes[1].isUpper, bytes[2].isUpper, bytes[3].isUpper else { return .badRequestLine }
            isHEAD = true
        }
        isTRACE = bytes.equals("TRACE", in: method)
        asksForwarders = isTRACE || bytes.equals("OPTIONS", in: method)
        return readTarget(bytes, in: target, method: method, name: &name)
    }

    private mutating func readVersion(
        _ bytes: Span<UInt8>, in range: Range<Int>, method: Range<Int>
    ) -> RequestHead.Refusal? {
        let start = range.lowerBound
        guard range.count == 8, bytes.equals("HTTP/", in: start..<start &+ 5) else { return .badRequestLine }
        let major = bytes[start &+ 5]
        let minor = bytes[start &+ 7]
        guard major.isDigit, bytes[start &+ 6] == UInt8(ascii: "."), minor.isDigit else { return .badRequestLine }
        guard major == UInt8(ascii: "1"), minor <= UInt8(ascii: "1") else {
            return bytes.equals("PRI", in: method) && major == UInt8(ascii: "2") ? .http2Preface : .unsupportedVersion
        }
        isHTTP10 = minor == UInt8(ascii: "0")
        return nil
    }

    private mutating func readTarget(
        _ bytes: Span<UInt8>, in range: Range<Int>, method: Range<Int>, name: inout RoutingName
    ) -> RequestHead.Refusal? {
        let start = range.lowerBound
        if bytes[start] == UInt8(ascii: "/") { return nil }
        if range.count == 1, bytes[start] == UInt8(ascii: "*") {
            return bytes.equals("OPTIONS", in: method) ? nil : .badTarget
        }
        guard range.count > 7, bytes.spells("http://", in: start..<start &+ 7) else { return .badTarget }
        var end = start &+ 7
        while end < range.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end &+= 1 }
        guard let authority = Authority(bytes, in: start &+ 7..<end, name: &name) else { return .badTarget }
        targetAuthority = authority
        target = AbsoluteTarget(
            authority: start &+ 7..<end, rest: end..<range.upperBound,
            isAsterisk: end == range.upperBound && bytes.equals("OPTIONS", in: method))
        return nil
    }

    // MARK: The fields

    private mutating func readField(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, name: inout RoutingName
    ) -> RequestHead.Refusal? {
        guard !bytes[start].isBlank else { return .foldedField }
        var colon = start
        while colon < end, bytes[colon].isToken { colon &+= 1 }
        guard colon > start, colon < end, bytes[colon] == UInt8(ascii: ":") else { return .badFieldName }
        guard let field = FieldName(bytes, in: start..<colon) else { return nil }
        let value = bytes.trimmed(colon &+ 1..<end)
        switch field {
        case .lookalike: return .badFieldName
        case .host:
            guard host == nil else { return .severalHosts }
            readHost(bytes, in: value, name: &name)
            return host == nil ? .badHost : nil
        case .contentLength:
            guard contentLength == nil else { return .severalContentLengths }
            contentLength = BodyFraming.length(bytes, in: value)
            return contentLength == nil ? .badContentLength : nil
        case .transferEncoding:
            guard !isChunked else { return .badTransferEncoding }
            guard bytes.spells("chunked", in: value) else { return .unknownTransferCoding }
            isChunked = true
        case .connection:
            switch options.read(bytes, in: value) {
            case nil: break
            case .namesProtected: return .protectedField
            case .namesTooMany: return .tooManyOptions
            }
        case .upgrade:
            if RequestHead.offersHTTP2(bytes, in: value) {
                offersHTTP2 = true
            } else if !value.isEmpty {
                offersAnother = true
            }
        case .expect: expectsContinue = expectsContinue || bytes.spells("100-continue", in: value)
        case .forwardedFor: forwardedFor = value.isEmpty ? .emptyAfter(colon &+ 1) : .after(value.upperBound)
        case .forwarded: hasForwardedFields = true
        case .keepAlive, .proxyConnection: hasHopFields = true
        case .http2Settings: break
        case .maxForwards:
            guard asksForwarders, let forwards = BodyFraming.length(bytes, in: value) else { break }
            countsForwards = true
            if forwards == 0 { endsHere = true }
        }
        return nil
    }

    /// Reads the Host field. The name is the target's when that has one, whatever this field says (RFC 9112 section
    /// 3.2.2).
    private mutating func readHost(_ bytes: Span<UInt8>, in value: Range<Int>, name: inout RoutingName) {
        hostField = value
        guard let targetAuthority else {
            host = Authority(bytes, in: value, name: &name)
            return
        }
        var other = RoutingName()
        host = Authority(bytes, in: value, name: &other)
        if let host { target?.differsFromHost = !targetAuthority.namesSameHost(as: host, bytes) }
    }

    /// What only the whole head can tell.
    private func checkWhole() -> RequestHead.Refusal? {
        if isChunked {
            guard contentLength == nil else { return .contentLengthAndTransferEncoding }
            guard !isHTTP10 else { return .badTransferEncoding }
        }
        return host == nil && !isHTTP10 ? .missingHost : nil
    }
}
