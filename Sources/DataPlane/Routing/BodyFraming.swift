/// How the end of a message's body is found: RFC 9112 section 6.3.
public enum BodyFraming: Hashable, Sendable, BitwiseCopyable {
    /// No body, or one of no bytes.
    case none
    /// So many bytes, at most `longest`.
    case length(UInt64)
    case chunked
    /// Whatever comes until the sender closes. Only a response can be framed so.
    case untilClose

    /// More than this, and a parser that counts in signed numbers would read another length.
    static let longest = UInt64(Int64.max)

    /// The value of a Content-Length field: digits and nothing else, at most `longest`.
    static func length(_ bytes: Span<UInt8>, in range: Range<Int>) -> UInt64? {
        guard !range.isEmpty else { return nil }
        var length: UInt64 = 0
        for index in range {
            guard bytes[index].isDigit else { return nil }
            let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = tenfold.addingReportingOverflow(UInt64(bytes[index] &- UInt8(ascii: "0")))
            guard !overflow, !overflowToo, sum <= longest else { return nil }
            length = sum
        }
        return length
    }
}
