/// The head of an HTTP/1.x response, as far as it tells where the response ends.
///
/// Endpoints are read with more lenience than clients: a line may end with LF alone, and what is odd but harmless
/// passes. Where the framing itself is in doubt it is no response: clients would not agree on where it ends (RFC 9112
/// section 6.3).
public struct ResponseHead: Hashable, Sendable {
    /// The bytes of the head, the empty line included.
    public let length: Int
    public let status: Int
    public let framing: BodyFraming
    /// The endpoint closes after this response.
    public let closes: Bool

    /// Something in it must not be passed on as it is, whatever becomes of the connection.
    let isUnclean: Bool
    /// What becomes of its Content-Length lines.
    let lengthLines: LengthLines
    /// The client can tell from it that the connection ends: it says so, or is HTTP/1.0 and does not say otherwise.
    let tellsEnd: Bool
    /// What the Connection fields say, as far as it is for us.
    let options: ConnectionOptions
    /// A Connection line is folded, maybe within an option, so that it would not say the same in one line.
    let hasFoldedOptions: Bool

    /// The fields that Connection names, which are not for the client, in a trailer either.
    public var namedFields: NamedFields { options.named }

    /// A 1xx after which the response proper follows: `100 Continue`, `103 Early Hints`.
    public var isInterim: Bool { status < 200 && !switchesProtocols }

    /// From here on the connection is a tunnel for another protocol.
    public var switchesProtocols: Bool { status == 101 }

    enum LengthLines: Hashable, Sendable {
        case kept
        /// There are several lengths, all of which are this one: it is said once.
        case merged(UInt64)
        /// The lengths differ, or stand beside a coding, in a response that has no body: they say nothing (RFC 9112
        /// section 6.3).
        case dropped
    }

    public enum Outcome: Hashable, Sendable {
        case incomplete
        case head(ResponseHead)
        case malformed
    }

    /// 64 KiB: twice what a request may have, since applications put more into their answers than devices into their
    /// questions.
    public static let longest = 65_536

    /// Looks for a whole head at the beginning of `bytes`, which answers a HEAD request or another.
    ///
    /// `scanned` is where the search for its end goes on: 0 for a new head, and then kept by the caller while the
    /// answer is `.incomplete`. Any other outcome is final: more bytes would not change it.
    public static func inspect(_ bytes: Span<UInt8>, scanned: inout Int, toHEAD: Bool) -> Outcome {
        // `HTTP/1.` is all that is common to the first bytes of a response; anything else can be told at once.
        guard bytes.equals("HTTP/1.", upTo: min(bytes.count, 7)) else { return .malformed }
        let end = min(bytes.count, longest)
        var index = min(max(scanned, 7), end)
        defer { scanned = index }
        while index < end {
            index = bytes.firstControl(from: index, to: end)
            guard index < end else { break }
            let octet = bytes[index]
            guard octet != 0 else { return .malformed }
            if octet == .lineFeed, isEmptyLine(bytes, endingAt: index) {
                var reading = ResponseReading()
                return reading.read(bytes, length: index &+ 1, toHEAD: toHEAD).map { .head($0) } ?? .malformed
            }
            index &+= 1  // below `end`
        }
        return bytes.count >= longest ? .malformed : .incomplete
    }

    /// Whether the LF at `index`, which is not in the first line, ends an empty line.
    private static func isEmptyLine(_ bytes: Span<UInt8>, endingAt index: Int) -> Bool {
        // The first seven bytes have no LF, so the two before `index` are there.
        let before = bytes[index &- 1] == .carriageReturn ? index &- 2 : index &- 1
        return bytes[before] == .lineFeed
    }
}
