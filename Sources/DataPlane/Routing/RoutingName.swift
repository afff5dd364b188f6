/// A host name that a device asks for, on its way to the routing table: lower-case, in place, never on the heap.
///
/// A worker keeps one and hands it to each parser, which empties it first and fills it only with a name that it found
/// valid.
public struct RoutingName: BitwiseCopyable, Sendable {
    /// 253 octets, the longest host name (RFC 1035 section 2.3.4 less the length octets), rounded up to whole words.
    private var octets = InlineArray<256, UInt8>(repeating: 0)
    public private(set) var count = 0

    public static let longest = 253

    public init() {}

    /// The name that `text` is, in lower case; nil when it is too long. Nothing else is checked.
    public init?(_ text: String) {
        for octet in text.utf8 {
            guard append(octet) else { return nil }
        }
    }

    public var isEmpty: Bool { count == 0 }

    public mutating func removeAll() { count = 0 }

    /// Adds one octet, an ASCII letter in lower case; false, and nothing added, when the name is full.
    public mutating func append(_ octet: UInt8) -> Bool {
        guard count < RoutingName.longest else { return false }
        octets[count] = octet.lowercased
        count += 1  // at most `longest`
        return true
    }

    /// The octet at `index`, which must be less than `count`.
    public subscript(index: Int) -> UInt8 {
        precondition(index < count)
        return octets[index]
    }

    /// Lends the octets of the name.
    public func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(octets.span.extracting(first: count))
    }

    /// Where the name that remains without its first label begins, or nil when there is only one label.
    ///
    /// That rest is what a wildcard client domain is kept under.
    public var afterFirstLabel: Int? {
        for index in 0..<count where octets[index] == UInt8(ascii: ".") { return index + 1 }
        return nil
    }

    /// Whether the octets from `start` on are those of `other`, which has to be in lower case.
    public func equals(_ other: Span<UInt8>, from start: Int = 0) -> Bool {
        guard start >= 0, start <= count, count - start == other.count else { return false }
        for index in 0..<other.count where octets[start + index] != other[index] { return false }
        return true
    }
}

extension RoutingName: Equatable {
    public static func == (left: RoutingName, right: RoutingName) -> Bool {
        right.withOctets { left.equals($0) }
    }
}

extension RoutingName {
    /// The hash of the octets from `start` on; the same as that of those octets by `hash(_:seed:)`.
    public func hash(from start: Int = 0, seed: UInt64) -> UInt64 {
        RoutingName.hash(octets.span, from: start, to: count, seed: seed)
    }

    /// The hash of a name that is in lower case already: what a table is built with.
    public static func hash(_ name: Span<UInt8>, seed: UInt64) -> UInt64 {
        hash(name, from: 0, to: name.count, seed: seed)
    }

    /// The hash of a name that is in lower case already.
    public static func hash(_ name: String, seed: UInt64) -> UInt64 { hash(Array(name.utf8).span, seed: seed) }

    /// Eight octets at a time, each word mixed in by a multiplication whose halves are folded together.
    ///
    /// Clients choose the names that are looked up, though not those in the table. The seed is therefore in both
    /// factors: without it nobody can say which names share a slot, nor find a word that turns the product to zero
    /// whatever the seed is.
    private static func hash(_ octets: Span<UInt8>, from start: Int, to end: Int, seed: UInt64) -> UInt64 {
        // The fractions of the golden ratio and of the square root of three: odd, and with no pattern in their bits.
        let factor = fold(seed ^ 0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B) | 1
        var state = seed ^ UInt64(truncatingIfNeeded: end &- start)
        var index = start
        while end &- index >= 8 {
            state = fold(state ^ word(octets, at: index), factor)
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < end {
            rest = rest << 8 | UInt64(octets[index])
            index &+= 1
        }
        return fold(state ^ rest, factor)
    }

    private static func word(_ octets: Span<UInt8>, at index: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<8 { word |= UInt64(octets[index &+ offset]) << UInt64(8 &* offset) }
        return word
    }

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

extension RoutingName: CustomStringConvertible {
    /// The name for a log line. Whatever a log or a terminal could take for something else is written as `\xNN`.
    public var description: String {
        var text = ""
        for index in 0..<count {
            let octet = octets[index]
            if octet > 0x20, octet < 0x7F, octet != UInt8(ascii: "\\"), octet != UInt8(ascii: "\"") {
                text.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                text += (octet < 0x10 ? "\\x0" : "\\x") + String(octet, radix: 16)
            }
        }
        return text
    }
}
