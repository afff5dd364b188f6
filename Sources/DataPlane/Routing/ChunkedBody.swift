/// Follows a chunked body (RFC 9112 section 7.1) as it passes, to know where it ends. Nothing of it is changed, but
/// that trailers which have no place behind a body are left out.
///
///     size ──CR LF──▶ data ──CR LF──▶ size …            size of 0 ──CR LF──▶ trailers ──empty line──▶ ended
///
/// Strict, whoever sends it: a body that two programs could see end in different places would let one smuggle a message
/// past the other. A trailer is looked at when the whole of its name is there, so that much of it waits with whoever
/// reads; the rest passes as it comes.
public struct ChunkedBody: Hashable, Sendable, BitwiseCopyable {
    public enum Sender: Hashable, Sendable, BitwiseCopyable {
        case client
        /// Who may pad a size with blanks, as some servers do to be able to write the number later.
        case endpoint
    }

    public enum Outcome: Hashable, Sendable, BitwiseCopyable {
        /// So many of these bytes pass, and more of the body follows.
        case pass(Int)
        /// So many of these bytes belong to the body and do not pass, and more of the body follows.
        case drop(Int)
        /// Nothing can be said of these bytes before more come. They are fewer than `longestTrailerName`.
        case wait
        /// The body ends after so many of these bytes, which pass.
        case ended(Int)
        case malformed
    }

    /// Chunk extensions have no use that anybody knows of. 256 bytes are enough for the signatures that some storage
    /// clients put there.
    public static let longestExtension = 256

    /// 16 KiB for all trailers together.
    public static let longestTrailers = 16_384

    /// Far more than the name of any field that is in use.
    public static let longestTrailerName = 256

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
        /// Within a trailer that does not pass; then at its LF.
        case dropped(Int)
        case droppedLF(Int)
        /// At the LF of the empty line.
        case lastLF
        case ended
        case malformed
    }

    private let sender: Sender
    private var state = State.size(digits: 0)
    /// The size that is being read, or what is left of the chunk's data.
    private var left: UInt64 = 0
    private var exclusion: TrailerExclusion

    /// `named` are the fields that the Connection field of the message's head names.
    public init(from sender: Sender, named: NamedFields = NamedFields()) {
        self.sender = sender
        exclusion = TrailerExclusion(named)
    }

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
            case .dropped(let count): (14, count)
            case .droppedLF(let count): (15, count)
            }
        // Names are not kept: where some are excluded, all trailers are, which a recipient has to be prepared for (RFC
        // 9110 section 6.5.1).
        let mark = exclusion.isEmpty ? 0 : ChunkedBody.withoutTrailers
        return Position(kind: kind | mark, count: UInt32(clamping: count), left: left)
    }

    /// In the kind of a position: no trailers pass.
    private static let withoutTrailers: UInt8 = 0x80

    /// Goes on where another has stood; nil when nothing can stand there.
    public init?(from sender: Sender, at position: Position) {
        self.sender = sender
        left = position.left
        exclusion = position.kind & ChunkedBody.withoutTrailers == 0 ? TrailerExclusion() : .all
        // What is counted is never longer than the trailers may be.
        guard position.count <= UInt32(ChunkedBody.longestTrailers), position.left <= BodyFraming.longest else {
            return nil
        }
        let count = Int(position.count)
        switch position.kind & ~ChunkedBody.withoutTrailers {
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
        case 14: state = .dropped(count)
        case 15: state = .droppedLF(count)
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

    /// Follows the body through the next bytes, or the first of them. What passes or is dropped is not to be shown
    /// again; what waits is.
    public mutating func follow(_ bytes: Span<UInt8>) -> Outcome {
        var index = 0
        while true {
            switch state {
            case .ended: return .ended(index)
            case .malformed: return .malformed
            case .dropped, .droppedLF:
                // What is in front of it passes first.
                return index > 0 ? .pass(index) : skipTrailer(bytes)
            default: break
            }
            guard index < bytes.count else { return index > 0 ? .pass(index) : .wait }
            if state == .data {
                let count = min(left, UInt64(bytes.count &- index))
                passed(count)
                index &+= Int(count)  // at most up to `bytes.count`
            } else if case .trailerStart(let count) = state, bytes[index] != .carriageReturn {
                guard let end = endOfName(bytes, from: index) else { return index > 0 ? .pass(index) : .wait }
                guard state != .malformed else { continue }
                // The bytes of a trailer are counted one by one from here on, with those of its name.
                state = exclusion.contains(bytes, in: index..<end) ? .dropped(count) : .trailer(count)
            } else {
                state = next(bytes[index])
                index &+= 1
            }
        }
    }

    /// Where the name of the trailer that begins at `start` ends, or nil when it is not whole. What is no name makes
    /// the body malformed.
    private mutating func endOfName(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        let most = min(bytes.count, start &+ ChunkedBody.longestTrailerName)  // positions in what is there
        var end = start
        while end < most, bytes[end].isToken { end &+= 1 }
        if end == bytes.count, end < start &+ ChunkedBody.longestTrailerName { return nil }
        if end == most || end == start || bytes[end] != UInt8(ascii: ":") { state = .malformed }
        return end
    }

    /// Goes on in a trailer that does not pass.
    private mutating func skipTrailer(_ bytes: Span<UInt8>) -> Outcome {
        var index = 0
        while index < bytes.count {
            switch state {
            case .dropped, .droppedLF: state = next(bytes[index])
            case .malformed: return .malformed
            default: return .drop(index)
            }
            index &+= 1
        }
        if state == .malformed { return .malformed }
        return index > 0 ? .drop(index) : .wait
    }

    /// The state after one byte that is not data. Counters stay within the bounds that they are held against.
    private mutating func next(_ octet: UInt8) -> State {
        switch state {
        case .size(let digits):
            if let digit = octet.hexDigit {
                guard digits < 16 else { return .malformed }
                left = left << 4 | UInt64(digit)
                return left <= BodyFraming.longest ? .size(digits: digits &+ 1) : .malformed
            }
            guard digits > 0 else { return .malformed }
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
        case .trailerStart: return octet == .carriageReturn ? .lastLF : .malformed
        case .trailer(let count):
            if octet == .carriageReturn { return .trailerLF(count) }
            return isInTrailer(octet, count) ? .trailer(count &+ 1) : .malformed
        case .dropped(let count):
            if octet == .carriageReturn { return .droppedLF(count) }
            return isInTrailer(octet, count) ? .dropped(count &+ 1) : .malformed
        case .trailerLF(let count), .droppedLF(let count): return octet == .lineFeed ? .trailerStart(count) : .malformed
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

    private func isInTrailer(_ octet: UInt8, _ count: Int) -> Bool {
        !octet.isControl && count < ChunkedBody.longestTrailers
    }
}
