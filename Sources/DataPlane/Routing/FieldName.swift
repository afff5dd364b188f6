/// The fields that decide where a message goes, where it ends, or what we add to it. All others pass unread.
enum FieldName: Hashable {
    case host
    case contentLength
    case transferEncoding
    case connection
    case upgrade
    case expect
    case forwardedFor
    /// One of these, but for an underscore where it has a hyphen. Programs that hand fields on as variables (CGI and its heirs) take
    /// the two for the same, others do not, and no honest client sends one.
    case lookalike

    /// Which field the name in `range` is, in letters of either case; nil for those that pass unread.
    init?(_ bytes: Span<UInt8>, in range: Range<Int>) {
        let match: Match
        let name: FieldName
        switch range.count {
        case 4: (match, name) = (FieldName.match(bytes, in: range, "host"), .host)
        case 6: (match, name) = (FieldName.match(bytes, in: range, "expect"), .expect)
        case 7: (match, name) = (FieldName.match(bytes, in: range, "upgrade"), .upgrade)
        case 10: (match, name) = (FieldName.match(bytes, in: range, "connection"), .connection)
        case 14: (match, name) = (FieldName.match(bytes, in: range, "content-length"), .contentLength)
        case 15: (match, name) = (FieldName.match(bytes, in: range, "x-forwarded-for"), .forwardedFor)
        case 17: (match, name) = (FieldName.match(bytes, in: range, "transfer-encoding"), .transferEncoding)
        default: return nil
        }
        switch match {
        case .none: return nil
        case .exact: self = name
        case .lookalike: self = .lookalike
        }
    }

    private enum Match { case none, exact, lookalike }

    private static func match(_ bytes: Span<UInt8>, in range: Range<Int>, _ text: String) -> Match {
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
    /// Whether it would change what we have found out, or added, if somebody behind us dropped this field: what the Connection field
    /// asks a proxy to do with every field that it lists (RFC 9110 section 7.6.1).
    var isProtected: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding, .forwardedFor, .lookalike: true
        case .connection, .upgrade, .expect: false
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
