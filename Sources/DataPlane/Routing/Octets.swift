/// What the parsers of this module ask of one octet. ASCII only: nothing here depends on a locale.
extension UInt8 {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")

    var isUpper: Bool { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") }

    /// This octet, in lower case when it is an ASCII letter.
    var lowercased: UInt8 { isUpper ? self | 0x20 : self }

    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    var isLetter: Bool { (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z") }

    /// Optional whitespace of RFC 9110 section 5.6.3.
    var isBlank: Bool { self == .space || self == .tab }

    /// A control character other than the tab. CR and LF are two.
    var isControl: Bool { (self < 0x20 && self != .tab) || self == 0x7F }

    /// The value of a hexadecimal digit.
    var hexDigit: UInt8? {
        if isDigit { return self &- UInt8(ascii: "0") }
        let lower = lowercased
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f") ? lower &- UInt8(ascii: "a") &+ 10 : nil
    }

    /// A character of a token: RFC 9110 section 5.6.2.
    var isToken: Bool {
        // One bit for each octet of ASCII: "!#$%&'*+-.^_`|~", digits and letters.
        let bits: UInt64 = self < 0x40 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return self < 0x80 && bits >> UInt64(self & 0x3F) & 1 == 1
    }
}

extension Span where Element == UInt8 {
    /// The big-endian number of two octets. Both have to be there.
    func number16(at index: Int) -> Int { Int(self[index]) << 8 | Int(self[index &+ 1]) }

    /// Whether the octets of `range` are those of `text`, which has to be in lower case; letters in either case.
    func spells(_ text: String, in range: Range<Int>) -> Bool {
        let wanted = text.utf8.span
        guard wanted.count == range.count else { return false }
        for index in 0..<wanted.count where self[range.lowerBound &+ index].lowercased != wanted[index] { return false }
        return true
    }

    /// Whether the octets of `range` are exactly those of `text`.
    func equals(_ text: String, in range: Range<Int>) -> Bool {
        let wanted = text.utf8.span
        guard wanted.count == range.count else { return false }
        for index in 0..<wanted.count where self[range.lowerBound &+ index] != wanted[index] { return false }
        return true
    }

    /// Whether the first `count` octets are those of `text`. Both have as many.
    func equals(_ text: String, upTo count: Int) -> Bool {
        let wanted = text.utf8.span
        for index in 0..<count where self[index] != wanted[index] { return false }
        return true
    }

    /// The first index from `start` on, before `end`, whose octet is below a space or is DEL; else `end`.
    ///
    /// Sixteen at a time: a run without a branch in it, which the compiler turns into vector instructions. Heads are
    /// mostly long stretches of text between line ends, and this is most of what reading one costs.
    func firstControl(from start: Int, to end: Int) -> Int {
        var index = start
        while end &- index >= 16 {
            let block = extracting(index..<index &+ 16)
            var found: UInt8 = 0
            for place in 0..<16 {
                // The high bit of `x - y & ~x` tells that x, below 0x80, is less than y.
                let octet = block[place]
                let toDEL = octet ^ 0x7F
                found |= ((octet &- 0x20) & ~octet) | ((toDEL &- 1) & ~toDEL)
            }
            if found & 0x80 != 0 { break }
            index &+= 16
        }
        while index < end, self[index] >= 0x20, self[index] != 0x7F { index &+= 1 }
        return index
    }

    /// `range` without the blanks at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start].isBlank { start &+= 1 }
        while end > start, self[end &- 1].isBlank { end &-= 1 }
        return start..<end
    }
}
