/// Follows a chunked body (RFC 9112 section 7.1) as it passes, to know where it ends. It changes nothing.
///
///     size ──CR LF──▶ data ──CR LF──▶ size …            size of 0 ──CR LF──▶ trailers ──empty line──▶ ended
///
/// Strict, whoever sends it: a body that two programs could see end in different places would let one smuggle a message past the other.
public struct ChunkedBody: Hashable, Sendable, BitwiseCopyable {
    public enum Sender: Hashable, Sendable, BitwiseCopyable {
        /// Whose trailers are refused: they could carry an X-Forwarded-For past us into an endpoint that merges them into the head.
        case client
        /// Who may send trailers, and pad a size with blanks, as some servers do to be able to write the number later.
        case endpoint
    }

    public enum Outcome: Hashable, Sendable, BitwiseCopyable {
        /// All of it belongs to the body, and more of the body follows.
        case more
        /// The body ended after so many of these bytes.
        case ended(Int)
        case malformed
    }

    /// Chunk extensions have no use that anybody knows of. 256 bytes are enough for the signatures that some storage clients put there.
    public static let longestExtension = 256

    /// 16 KiB for all trailers together.
    public static let longestTrailers = 16_384

    private enum State: Hashable {
        /// In the digits of a size, of which so many have been read.
        case size(digits: Int)
        /// Between the size and the CR, so many bytes in.
        case extending(Int)
        /// In the blanks that may follow the size.
        case padding(Int)
        /// At the LF after the size.
        case sizeEnd
        case data
        /// At the CR, then at the LF, after the data.
        case dataCR
        case dataLF
        /// At the first byte of a trailer, or of the empty line, so many bytes in; then within it; then at its LF.
        case trailerStart(Int)
        case trailer(Int)
        case trailerLF(Int)
        /// At the LF of the empty line.
        case lastLF
        case ended
        case malformed
    }

    private let sender: Sender
    private var state = State.size(digits: 0)
    /// The size that is being read, or what is left of the chunk's data.
    private var left: UInt64 = 0

    public init(from sender: Sender) { self.sender = sender }

    /// Where it stands, as numbers: for one that is followed further by another process, perhaps of another release.
    public struct Position: Hashable, Sendable {
        public var kind: UInt8
        public var count: UInt32
        public var left: UInt64

        public init(kind: UInt8, count: UInt32, left: UInt64) {
            self.kind = kind
            self.count = count
            self.left = left
        }
    }

    public var position: Position {
        let (kind, count): (UInt8, Int) =
            switch state {
            case .size(let digits): (1, digits)
            case .extending(let count): (2, count)
            case .padding(let count): (3, count)
            case .sizeEnd: (4, 0)
            case .data: (5, 0)
            case .dataCR: (6, 0)
            case .dataLF: (7, 0)
            case .trailerStart(let count): (8, count)
            case .trailer(let count): (9, count)
            case .trailerLF(let count): (10, count)
            case .lastLF: (11, 0)
            case .ended: (12, 0)
            case .malformed: (13, 0)
            }
        return Position(kind: kind, count: UInt32(clamping: count), left: left)
    }

    /// Goes on where another has stood; nil when nothing can stand there.
    public init?(from sender: Sender, at position: Position) {
        self.sender = sender
        left = position.left
        // What is counted is never longer than the trailers may be.
        guard position.count <= UInt32(ChunkedBody.longestTrailers), position.left <= BodyFraming.longest else {
            return nil
        }
        let count = Int(position.count)
        switch position.kind {
        case 1: state = .size(digits: count)
        case 2: state = .extending(count)
        case 3: state = .padding(count)
        case 4: state = .sizeEnd
        case 5 where left > 0: state = .data
        case 6: state = .dataCR
        case 7: state = .dataLF
        case 8: state = .trailerStart(count)
        case 9: state = .trailer(count)
        case 10: state = .trailerLF(count)
        case 11: state = .lastLF
        case 12: state = .ended
        case 13: state = .malformed
        default: return nil
        }
    }

    /// How many further bytes are certainly data, and need not be looked at.
    public var passable: UInt64 { state == .data ? left : 0 }

    /// Tells that the next `count` bytes have gone by unseen. There must not be more than `passable`.
    public mutating func passed(_ count: UInt64) {
        precondition(count <= passable)
        guard count > 0 else { return }
        left &-= count
        if left == 0 { state = .dataCR }
    }

    /// Follows the body through the next bytes.
    public mutating func follow(_ bytes: Span<UInt8>) -> Outcome {
        var index = 0
        while true {
            switch state {
            case .ended: return .ended(index)
            case .malformed: return .malformed
            default: break
            }
            guard index < bytes.count else { return .more }
            if state == .data {
                let count = min(left, UInt64(bytes.count &- index))
                passed(count)
                index &+= Int(count)  // at most up to `bytes.count`
            } else {
                state = next(bytes[index])
                index &+= 1
            }
        }
    }

    /// The state after one byte that is not data. Counters stay within the bounds that they are held against.
    private mutating func next(_ octet: UInt8) -> State {
        switch state {
        case .size(let digits):
            if let digit = octet.hexDigit {
                guard digits < 16 else { return .malformed }
                left = left << 4 | UInt64(digit)
                return .size(digits: digits &+ 1)
            }
            guard digits > 0, left <= BodyFraming.longest else { return .malformed }
            if octet.isBlank { return sender == .endpoint ? .padding(1) : .malformed }
            return afterSize(octet)
        case .padding(let count):
            if octet.isBlank { return count < ChunkedBody.longestExtension ? .padding(count &+ 1) : .malformed }
            return afterSize(octet)
        case .extending(let count):
            if octet == .carriageReturn { return .sizeEnd }
            guard !octet.isControl, count < ChunkedBody.longestExtension else { return .malformed }
            return .extending(count &+ 1)
        case .sizeEnd:
            guard octet == .lineFeed else { return .malformed }
            return left == 0 ? .trailerStart(0) : .data
        case .dataCR: return octet == .carriageReturn ? .dataLF : .malformed
        case .dataLF: return octet == .lineFeed ? .size(digits: 0) : .malformed
        case .trailerStart(let count):
            if octet == .carriageReturn { return .lastLF }
            return sender == .endpoint ? afterTrailer(octet, count) : .malformed
        case .trailer(let count):
            return octet == .carriageReturn ? .trailerLF(count) : afterTrailer(octet, count)
        case .trailerLF(let count): return octet == .lineFeed ? .trailerStart(count) : .malformed
        case .lastLF: return octet == .lineFeed ? .ended : .malformed
        case .data, .ended, .malformed: return state
        }
    }

    private func afterSize(_ octet: UInt8) -> State {
        switch octet {
        case .carriageReturn: .sizeEnd
        case UInt8(ascii: ";"): .extending(1)
        default: .malformed
        }
    }

    private func afterTrailer(_ octet: UInt8, _ count: Int) -> State {
        octet.isControl || count >= ChunkedBody.longestTrailers ? .malformed : .trailer(count &+ 1)
    }
}
