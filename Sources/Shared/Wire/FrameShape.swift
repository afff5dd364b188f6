/// A look at the outer fields of a frame before it is decoded.
///
/// A field of a `oneof` that comes again is merged with what came before, and the generated code copies that to do so:
/// a frame with a long list and then a hundred thousand repetitions of an empty field would cost hours. A frame that we
/// make has one outer field, and so have the `Command` and the `Observation` in it; a few more may come from a later
/// release.
enum FrameShape {
    private static let mostFields = 8
    /// The numbers of `command` and `observation` in `Frame`: the messages with a `oneof` of their own.
    private static let nested: Set<UInt64> = [5, 8]

    static func isPlausible(_ bytes: Span<UInt8>) -> Bool {
        var reader = FieldReader(position: 0)
        var fields = 0
        while reader.position < bytes.count {
            guard let field = reader.next(in: bytes), fields < mostFields else { return false }
            fields += 1
            guard nested.contains(field.number), let content = field.content else { continue }
            guard countsFew(bytes.extracting(content)) else { return false }
        }
        return true
    }

    private static func countsFew(_ bytes: Span<UInt8>) -> Bool {
        var reader = FieldReader(position: 0)
        var fields = 0
        while reader.position < bytes.count {
            guard reader.next(in: bytes) != nil, fields < mostFields else { return false }
            fields += 1
        }
        return true
    }
}

/// Steps over the fields of an encoded message without looking into them.
private struct FieldReader {
    struct Field {
        let number: UInt64
        /// Where its content is, when it is of the length-delimited kind.
        let content: Range<Int>?
    }

    var position: Int

    /// The next field, or nil when it is cut off or of a kind that proto3 does not have (groups).
    mutating func next(in bytes: Span<UInt8>) -> Field? {
        guard let tag = varint(in: bytes) else { return nil }
        let number = tag >> 3
        switch tag & 7 {
        case 0: return varint(in: bytes).map { _ in Field(number: number, content: nil) }
        case 1: return skip(8, in: bytes) ? Field(number: number, content: nil) : nil
        case 5: return skip(4, in: bytes) ? Field(number: number, content: nil) : nil
        case 2:
            guard let length = varint(in: bytes), length <= UInt64(bytes.count - position) else { return nil }
            let start = position
            position += Int(length)
            return Field(number: number, content: start..<position)
        default: return nil
        }
    }

    private mutating func skip(_ count: Int, in bytes: Span<UInt8>) -> Bool {
        guard bytes.count - position >= count else { return false }
        position += count
        return true
    }

    private mutating func varint(in bytes: Span<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.count else { return nil }
            let octet = bytes[position]
            position += 1
            value |= UInt64(octet & 0x7F) << shift
            if octet & 0x80 == 0 { return value }
        }
        return nil
    }
}
