/// The fields that decide where a message goes, where it ends, what we add to it, or that belong to one connection. All
/// others pass unread.
enum FieldName: Hashable {
    case host
    case contentLength
    case transferEncoding
    case connection
    case upgrade
    case expect
    case forwardedFor
    /// One of these, but for an underscore where it has a hyphen. Programs that hand fields on as variables (CGI and
    /// its heirs) take the two for the same, others do not, and no honest client sends one.
    case lookalike
    /// `Forwarded`, `X-Real-IP`, or what begins with `X-Forwarded-` and is not `X-Forwarded-For`, spelled with hyphens
    /// or with underscores.
    case forwarded
    // Of one connection, whether the Connection field names them or not (RFC 9110 section 7.6.1).
    case keepAlive
    case proxyConnection
    case http2Settings
    case maxForwards

    /// Which field the name in `range` is, in letters of either case; nil for those that pass unread.
    init?(_ bytes: Span<UInt8>, in range: Range<Int>) {
        if let forwarded = FieldName.forwardedBefore(bytes, in: range) {
            self = forwarded
            return
        }
        let match: Match
        let name: FieldName
        switch range.count {
        case 4: (match, name) = (FieldName.match(bytes, in: range, "host"), .host)
        case 6: (match, name) = (FieldName.match(bytes, in: range, "expect"), .expect)
        case 7: (match, name) = (FieldName.match(bytes, in: range, "upgrade"), .upgrade)
        case 14 where bytes[range.lowerBound].lowercased == UInt8(ascii: "c"):
            (match, name) = (FieldName.match(bytes, in: range, "content-length"), .contentLength)
        case 10 where bytes[range.lowerBound].lowercased == UInt8(ascii: "c"):
            (match, name) = (FieldName.match(bytes, in: range, "connection"), .connection)
        case 17 where bytes[range.lowerBound].lowercased == UInt8(ascii: "t"):
            (match, name) = (FieldName.match(bytes, in: range, "transfer-encoding"), .transferEncoding)
        case 9, 10, 12, 14, 16, 17:
            guard let other = FieldName.other(bytes, in: range) else { return nil }
            self = other
            return
        default: return nil
        }
        switch match {
        case .none: return nil
        case .exact: self = name
        case .lookalike: self = .lookalike
        }
    }

    /// What begins with `X-Forwarded-`: all of it tells where a request came from, or claims to.
    private static func forwardedBefore(_ bytes: Span<UInt8>, in range: Range<Int>) -> FieldName? {
        guard range.count > 12, bytes[range.lowerBound].lowercased == UInt8(ascii: "x"),
            match(bytes, in: range.lowerBound..<range.lowerBound &+ 12, "x-forwarded-") != .none
        else { return nil }
        switch match(bytes, in: range, "x-forwarded-for") {
        case .exact: return .forwardedFor
        case .lookalike: return .lookalike
        case .none: return .forwarded
        }
    }

    /// Those for which an underscore makes no lookalike: one that cannot be forged, or is the same to us with it.
    private static func other(_ bytes: Span<UInt8>, in range: Range<Int>) -> FieldName? {
        switch range.count {
        case 9 where match(bytes, in: range, "forwarded") != .none || match(bytes, in: range, "x-real-ip") != .none:
            .forwarded
        case 10 where match(bytes, in: range, "keep-alive") == .exact: .keepAlive
        case 12 where match(bytes, in: range, "max-forwards") == .exact: .maxForwards
        case 14 where match(bytes, in: range, "http2-settings") == .exact: .http2Settings
        case 16 where match(bytes, in: range, "proxy-connection") == .exact: .proxyConnection
        default: nil
        }
    }

    enum Match { case none, exact, lookalike }

    static func match(_ bytes: Span<UInt8>, in range: Range<Int>, _ text: String) -> Match {
        let wanted = text.utf8.span
        guard wanted.count == range.count else { return .none }
        var match = Match.exact
        for index in 0..<wanted.count {
            let octet = bytes[range.lowerBound &+ index]
            if octet.lowercased == wanted[index] { continue }
            guard octet == UInt8(ascii: "_"), wanted[index] == UInt8(ascii: "-") else { return .none }
            match = .lookalike
        }
        return match
    }
}

extension FieldName {
    /// Whether it would change what we have found out, or added, if this field were dropped: what the Connection field
    /// asks a proxy to do with every field that it lists (RFC 9110 section 7.6.1).
    var isProtected: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding, .expect, .forwardedFor, .lookalike: true
        case .connection, .upgrade, .forwarded, .keepAlive, .proxyConnection, .http2Settings, .maxForwards: false
        }
    }
}

/// Walks a comma-separated list: RFC 9110 section 5.6.1. Empty elements are passed over.
struct ListElements {
    private var position: Int
    private let end: Int

    init(in range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next element without the blanks around it, or nil at the end of the list.
    mutating func next(_ bytes: Span<UInt8>) -> Range<Int>? {
        while position < end {
            let start = position
            while position < end, bytes[position] != UInt8(ascii: ",") { position &+= 1 }
            let element = bytes.trimmed(start..<position)
            if position < end { position &+= 1 }
            if !element.isEmpty { return element }
        }
        return nil
    }
}
