public import Domain

extension RequestHead {
    /// Copies this head from `head`, where it was found, with the client's address in X-Forwarded-For as `mode` says.
    ///
    /// `.append` adds to the last such line: the order of the lines is the order of the proxies (RFC 9110 section 5.3), and a line of our
    /// own after it would be lost on a program that reads one. `.replace` drops every such line, so that nothing the client claims is
    /// left. Both also take back an offer of HTTP/2 in the clear (`Upgrade: h2c`, RFC 9113 section 3.1): behind a 101 there would
    /// be requests that nobody adds an address to. A client that offers it goes on in HTTP/1.1. `.off` changes nothing.
    ///
    /// The count, or nil when `output` is too small; `longestGrowth` more than `length`, and the address, always suffice.
    public func copy(
        _ head: Span<UInt8>, forwardedFor mode: ForwardedFor, client: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) -> Int? {
        guard head.count >= length else { return nil }
        var writer = OctetWriter()
        if mode == .off {
            writer.put(head, 0..<length, into: &output)
            return writer.written
        }
        // Without a line to drop the head is two runs of bytes around what is added.
        let place: ForwardedForPlace = mode == .append ? forwardedFor : .nowhere
        let dropsLines = offersHTTP2 || (mode == .replace && forwardedFor != .nowhere)
        let end = length &- 2
        switch place {
        case .after(let index):
            copyLines(head, 0..<index, all: !dropsLines, mode, &writer, into: &output)
            writer.put(", ", into: &output)
            writer.put(client, 0..<client.count, into: &output)
            copyLines(head, index..<end, all: !dropsLines, mode, &writer, into: &output)
        case .emptyAfter(let index):
            copyLines(head, 0..<index, all: !dropsLines, mode, &writer, into: &output)
            writer.put(" ", into: &output)
            writer.put(client, 0..<client.count, into: &output)
            copyLines(head, index..<end, all: !dropsLines, mode, &writer, into: &output)
        case .nowhere:
            copyLines(head, 0..<end, all: !dropsLines, mode, &writer, into: &output)
            writer.put("X-Forwarded-For: ", into: &output)
            writer.put(client, 0..<client.count, into: &output)
            writer.put("\r\n", into: &output)
        }
        writer.put("\r\n", into: &output)
        return writer.written
    }

    /// What `copy` may add besides the address: `X-Forwarded-For: ` and a CR LF.
    public static let longestGrowth = 19

    /// Copies the lines of `range`, the first and last of which may be parts of one line, or with `all` false those not to be dropped.
    private func copyLines(
        _ head: Span<UInt8>, _ range: Range<Int>, all: Bool, _ mode: ForwardedFor, _ writer: inout OctetWriter,
        into output: inout MutableSpan<UInt8>
    ) {
        guard !all else { return writer.put(head, range, into: &output) }
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, head[end] != .lineFeed { end &+= 1 }
            end = min(end &+ 1, range.upperBound)
            if !isDropped(head, start..<end, mode) { writer.put(head, start..<end, into: &output) }
            start = end
        }
    }

    private func isDropped(_ head: Span<UInt8>, _ line: Range<Int>, _ mode: ForwardedFor) -> Bool {
        var colon = line.lowerBound
        while colon < line.upperBound, head[colon].isToken { colon &+= 1 }
        guard colon < line.upperBound, head[colon] == UInt8(ascii: ":") else { return false }
        switch FieldName(head, in: line.lowerBound..<colon) {
        case .forwardedFor: return mode == .replace
        case .upgrade: return RequestHead.offersHTTP2(head, in: colon &+ 1..<max(colon &+ 1, line.upperBound &- 2))
        default: return false
        }
    }

    /// Whether the value of an Upgrade field has `h2c` among its protocols.
    static func offersHTTP2(_ bytes: Span<UInt8>, in value: Range<Int>) -> Bool {
        var protocols = ListElements(in: value)
        while let name = protocols.next(bytes) {
            if bytes.spells("h2c", in: name) { return true }
        }
        return false
    }
}
