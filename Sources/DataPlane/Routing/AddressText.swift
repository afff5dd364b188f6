public import Domain

extension Address {
    /// The longest text of an address: eight groups of four digits, with colons between them.
    public static let longestText = 39

    /// Writes the text that `description` gives, without the heap. The count, or nil when it does not fit.
    public func write(into output: inout MutableSpan<UInt8>) -> Int? {
        var writer = OctetWriter()
        write(by: &writer, into: &output)
        return writer.written
    }

    func write(by writer: inout OctetWriter, into output: inout MutableSpan<UInt8>) {
        switch family {
        case .ipv4:
            for index in 0..<4 {
                if index > 0 { writer.put(UInt8(ascii: "."), into: &output) }
                writer.put(decimal: Int(truncatingIfNeeded: bits >> UInt128(24 - 8 * index) & 0xFF), into: &output)
            }
        case .ipv6: writeIPv6(by: &writer, into: &output)
        }
    }

    /// The canonical form of RFC 5952: the longest run of two or more zero groups, the first of equals, is shortened to
    /// `::`.
    private func writeIPv6(by writer: inout OctetWriter, into output: inout MutableSpan<UInt8>) {
        let gap = longestZeros
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                writer.put("::", into: &output)
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { writer.put(UInt8(ascii: ":"), into: &output) }
            writer.put(hex: group(index), into: &output)
            index += 1
        }
    }

    private func group(_ index: Int) -> UInt16 { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * index)) }

    private var longestZeros: Range<Int> {
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        return longest
    }

    /// The sixteen octets that stand for the address in IPv6: its own, or those of the IPv4-mapped form
    /// `::ffff:0:0/96`.
    var bitsInIPv6: UInt128 { family == .ipv6 ? bits : 0xFFFF << 32 | bits }
}

extension OctetWriter {
    /// Writes the number without leading zeros, in lower case.
    fileprivate mutating func put(hex number: UInt16, into output: inout MutableSpan<UInt8>) {
        for place in 0..<4 {
            let shift = UInt16(12 - 4 * place)
            guard shift == 0 || number >> shift != 0 else { continue }
            let digit = UInt8(truncatingIfNeeded: number >> shift & 0xF)
            put(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &+ digit &- 10, into: &output)
        }
    }
}
