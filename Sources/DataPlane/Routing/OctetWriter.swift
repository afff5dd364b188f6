/// Fills a span from its beginning, and keeps track of whether everything fitted.
///
/// The span is handed to each call, so that the writer is a plain value.
struct OctetWriter {
    private(set) var count = 0
    private(set) var fits = true

    mutating func put(_ octet: UInt8, into output: inout MutableSpan<UInt8>) {
        guard fits, count < output.count else {
            fits = false
            return
        }
        output[count] = octet
        count &+= 1  // below the span's count
    }

    mutating func put(_ text: String, into output: inout MutableSpan<UInt8>) {
        let octets = text.utf8.span
        put(octets, 0..<octets.count, into: &output)
    }

    mutating func put(_ octets: Span<UInt8>, _ range: Range<Int>, into output: inout MutableSpan<UInt8>) {
        guard fits, range.count <= output.count &- count else {
            fits = false
            return
        }
        let shift = count &- range.lowerBound
        for index in range { output[index &+ shift] = octets[index] }
        count &+= range.count
    }

    mutating func put(decimal number: Int, into output: inout MutableSpan<UInt8>) {
        var divisor = 1
        while number / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            put(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / divisor % 10), into: &output)
            divisor /= 10
        }
    }

    /// The count, or nil when not everything fitted.
    var written: Int? { fits ? count : nil }
}
