import FuzzInput
import Routing

/// A body ends in the same place, or is malformed in the same way, in whatever pieces it comes, however much of it
/// passes unseen and wherever another process goes on with it; and what passes of it is the same body, without a
/// trailer that has no place there.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    for sender in [ChunkedBody.Sender.client, .endpoint] {
        let whole = follow(input, from: sender)
        if case .ended(let end) = whole.end {
            require(end > 0 && end <= input.count, "a body ends within what is there")
        }
        for size in [1, 3, max(1, input.count / 2)] {
            for isSplicing in [false, true] {
                let pieces = follow(input, from: sender, inPiecesOf: size, splicing: isSplicing)
                require(pieces.end == whole.end, "pieces make no difference")
                // Of a malformed body more or less may have passed before that was seen.
                require(
                    whole.end == .malformed || pieces.passed == whole.passed, "pieces make no difference to what passes"
                )
            }
            let restarted = follow(input, from: sender, inPiecesOf: size, restarting: true)
            require(restarted.end == whole.end, "another process makes no difference")
            require(whole.end == .malformed || restarted.passed == whole.passed, "nor to what passes")
        }
        guard case .ended(let end) = whole.end else { continue }
        let again = follow(whole.passed, from: sender)
        require(again.end == .ended(whole.passed.count), "what passes is a whole body")
        require(again.passed == whole.passed, "and has nothing that does not pass")
        let (sent, passed) = (Chunks(Array(input[..<end])), Chunks(whole.passed))
        require(passed.data == sent.data, "the data is the same")
        require(
            passed.trailers == sent.trailers.filter { mayPass($0) },
            "the trailers are those that may pass, in their order")
        let few = follow(input, from: sender, naming: named)
        require(few.end == whole.end, "names make no difference to the end")
        let remaining = passed.trailers.filter { !["x-a", "b"].contains(name(of: $0)) }
        require(Chunks(few.passed).trailers == remaining, "what Connection names does not pass")
        if sender == .client {
            let lenient = follow(input, from: .endpoint)
            require(
                lenient.end == whole.end && lenient.passed == whole.passed, "what a client may send, an endpoint may")
        }
    }
    return 0
}

private struct Passage {
    enum End: Equatable { case more, ended(Int), malformed }
    var end: End
    var passed: [UInt8]
}

/// The names of `Connection: x-a, b`.
private let named: NamedFields = {
    let head = Array("GET / HTTP/1.1\r\nHost: x\r\nConnection: x-a, b\r\n\r\n".utf8)
    var scanned = 0
    var host = RoutingName()
    guard case .head(let read) = RequestHead.inspect(head.span, scanned: &scanned, host: &host) else {
        return NamedFields()
    }
    return read.namedFields
}()

private func follow(
    _ input: [UInt8], from sender: ChunkedBody.Sender, naming names: NamedFields = NamedFields(),
    inPiecesOf size: Int = .max,
    splicing: Bool = false, restarting: Bool = false
) -> Passage {
    var body = ChunkedBody(from: sender, named: names)
    var passage = Passage(end: .more, passed: [])
    var position = 0
    var available = min(size, input.count)
    while true {
        if restarting {
            guard let next = ChunkedBody(from: sender, at: body.position) else { fatalError("a position is one") }
            body = next
        }
        if splicing, body.passable > 0, position < input.count {
            let count = Int(min(body.passable, UInt64(input.count - position)))
            body.passed(UInt64(count))
            passage.passed += input[position..<position + count]
            position += count
            available = max(available, position)
            continue
        }
        switch body.follow(input.span.extracting(position..<available)) {
        case .pass(let count):
            require(count > 0 && count <= available - position, "what passes is there")
            passage.passed += input[position..<position + count]
            position += count
        case .drop(let count):
            require(count > 0 && count <= available - position, "what is dropped is there")
            position += count
        case .wait:
            require(available - position < ChunkedBody.longestTrailerName, "little waits")
            guard available < input.count else { return passage }
            available = min(input.count, available + min(size, input.count))
        case .ended(let count):
            require(body.passable == 0, "nothing passes after the end")
            passage.passed += input[position..<position + count]
            passage.end = .ended(position + count)
            return passage
        case .malformed:
            passage.end = .malformed
            return passage
        }
    }
}

/// A whole body that was found well-formed, read in another way than the parser does.
private struct Chunks {
    var data: [UInt8] = []
    var trailers: [[UInt8]] = []

    init(_ body: [UInt8]) {
        var rest = body[...]
        while true {
            let line = Chunks.takeLine(&rest)
            let digits = line.prefix {
                UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9")
                    || UInt8(ascii: "a") <= $0 | 0x20 && $0 | 0x20 <= UInt8(ascii: "f")
            }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size <= rest.count else {
                fatalError("a chunk is there")
            }
            if size == 0 { break }
            data += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        while true {
            let line = Chunks.takeLine(&rest)
            if line.isEmpty { return }
            trailers.append(line)
        }
    }

    private static func takeLine(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        guard let end = rest.firstIndex(of: 10) else { fatalError("a line ends") }
        let line = Array(rest[..<end].dropLast())
        rest = rest[(end + 1)...]
        return line
    }
}

private func name(of line: [UInt8]) -> String {
    String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self).lowercased()
}

private func mayPass(_ line: [UInt8]) -> Bool {
    let name = String(name(of: line).map { $0 == "_" ? "-" : $0 })
    return !name.hasPrefix("x-forwarded-") && !excluded.contains(name)
        // The prefix alone is no field.
        || name == "x-forwarded-"
}

private let excluded = Set(
    """
    te age via host date vary range cookie expect pragma expires trailer upgrade warning if-match if-range location forwarded x-real-ip
    connection keep-alive set-cookie retry-after content-type max-forwards authorization cache-control content-range if-none-match
    content-length http2-settings content-encoding content-location proxy-connection www-authenticate if-modified-since
    transfer-encoding proxy-authenticate if-unmodified-since proxy-authorization
    """.split(whereSeparator: \.isWhitespace).map(String.init))
