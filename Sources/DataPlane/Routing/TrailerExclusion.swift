/// Which trailers do not pass: those of which a recipient that merges trailers into the head would be misled.
///
/// RFC 9110 section 6.5.1 has nobody send a trailer that frames or routes the message, authenticates its sender,
/// modifies the request, describes the content or controls the response: who has begun to act on the head has acted on
/// it. Some programs merge them all the same, and then a trailer gets past whoever has looked at the head, with a Host
/// or an X-Forwarded-For of its own. A trailer may always be left out, so these are; a digest, a signature, a status or
/// the time a step has taken is what trailers are for, and passes.
struct TrailerExclusion: Hashable, Sendable, BitwiseCopyable {
    /// The hashes of names that Connection lists besides, as those of `NamedFields`; 0 for none.
    private var first: UInt32 = 0
    private var second: UInt32 = 0
    /// More are listed than there is room for, so none passes.
    private var isEverything = false

    init() {}

    init(_ named: NamedFields) {
        first = named[0]
        second = named[1]
        isEverything = named.count > 2
    }

    static var all: TrailerExclusion {
        var all = TrailerExclusion()
        all.isEverything = true
        return all
    }

    /// Whether none are excluded but those that always are.
    var isEmpty: Bool { first == 0 && !isEverything }

    /// Whether the trailer whose name is in `range` does not pass.
    func contains(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        if isEverything || TrailerExclusion.excludesAlways(bytes, in: range) { return true }
        guard first != 0 else { return false }
        let hash = NamedFields.hash(bytes, in: range)
        return hash == first || hash == second
    }

    private static func excludesAlways(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        func names(_ text: String) -> Bool { FieldName.matches(bytes, in: range, text) }
        // All that begin so tell where a request came from, or claim to.
        if range.count > 12, FieldName.matches(bytes, in: range.lowerBound..<range.lowerBound &+ 12, "x-forwarded-") {
            return true
        }
        return switch range.count {
        case 2: names("te")
        case 3: names("age") || names("via")
        case 4: names("host") || names("date") || names("vary")
        case 5: names("range")
        case 6: names("cookie") || names("expect") || names("pragma")
        case 7: names("expires") || names("trailer") || names("upgrade") || names("warning")
        case 8: names("if-match") || names("if-range") || names("location")
        case 9: names("forwarded") || names("x-real-ip")
        case 10: names("connection") || names("keep-alive") || names("set-cookie")
        case 11: names("retry-after")
        case 12: names("content-type") || names("max-forwards")
        case 13: names("authorization") || names("cache-control") || names("content-range") || names("if-none-match")
        case 14: names("content-length") || names("http2-settings")
        case 16:
            names("content-encoding") || names("content-location") || names("proxy-connection")
                || names("www-authenticate")
        case 17: names("if-modified-since") || names("transfer-encoding")
        case 18: names("proxy-authenticate")
        case 19: names("if-unmodified-since") || names("proxy-authorization")
        default: false
        }
    }
}

extension FieldName {
    /// Whether the name in `range` is `text`, which is in lower case, or that with underscores for hyphens: a recipient
    /// that merges trailers is most often one for which the two are the same.
    static func matches(_ bytes: Span<UInt8>, in range: Range<Int>, _ text: String) -> Bool {
        match(bytes, in: range, text) != .none
    }
}
