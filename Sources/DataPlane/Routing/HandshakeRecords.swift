/// The TLS records that carry the first handshake message (RFC 8446 sections 4 and 5.1), and how far they have been
/// looked at.
///
///     record:   22  3  minor  length(2)  |  a piece of the message, at most 2^14 bytes
///     message:  1   length(3)            |  the body of the hello
///
/// A plain value of 16 bytes, kept between two looks, so that no record is walked twice. No sum here can overflow: each
/// is of a position in the bytes, which `ClientHello.longestOnWire` bounds, and of a few numbers of at most 24 bits.
public struct HandshakeRecords: BitwiseCopyable, Sendable {
    enum Search {
        case incomplete(until: Int)
        /// A reader at the beginning of the hello's body, and where the last of its records ends.
        case found(HelloReader, length: Int)
        /// A hello in the form of SSL 2.0, which has no place for a name.
        case nameless(length: Int)
        case refused(ClientHello.Refusal)
    }

    /// The largest piece that a record may hold.
    static let largest = 16_384
    /// The bytes of a record before its piece.
    static let header = 5
    /// The bytes of a record up to the one that tells its version.
    private static let version = 2
    /// The bytes of the message before the hello's body.
    static let messageHeader = 4
    /// Empty records in a row. RFC 8446 forbids them and OpenSSL takes so many; each is work that brings nothing.
    static let mostEmpty = 32

    /// Where the first record begins that has not been there to its end.
    private var position: Int32 = 0
    /// How many bytes of the message the records before it hold.
    private var gathered: Int32 = 0
    /// What the length in the message's header has come to in those records.
    private var bodyLength: Int32 = 0
    /// Empty records right before `position`.
    private var empty: Int32 = 0

    public init() {}

    /// Walks the records that have come since the last look, until they hold the whole message.
    mutating func findMessage(in bytes: Span<UInt8>) -> Search {
        if position == 0, !bytes.isEmpty, bytes[0] & 0x80 != 0 {
            // The third byte tells a hello of SSL 2.0 from a record of a wrong type.
            guard bytes.count > HandshakeRecords.oldHeader else {
                return .incomplete(until: HandshakeRecords.oldHeader + 1)
            }
            if bytes[HandshakeRecords.oldHeader] == 1 { return HandshakeRecords.findOldMessage(in: bytes) }
        }
        while true {
            let place = Int(position)
            if let refusal = HandshakeRecords.checkHeader(bytes, at: place) { return .refused(refusal) }
            let there = bytes.count - place
            guard there >= HandshakeRecords.header else {
                // The version is judged as soon as it is there: of another protocol no more may come.
                let version = HandshakeRecords.version
                return .incomplete(until: place + (there < version ? version : HandshakeRecords.header))
            }
            let start = place + HandshakeRecords.header
            let end = start + bytes.number16(at: place + 3)
            var header = MessageHeader(seen: min(Int(gathered), HandshakeRecords.messageHeader), bodyLength: bodyLength)
            if let refusal = header.read(bytes, from: start, to: end) { return .refused(refusal) }
            guard end <= bytes.count else {
                // The type alone tells that it is no hello; of the length all bytes are needed.
                let more = header.seen == 0 ? 1 : HandshakeRecords.messageHeader - header.seen
                return .incomplete(until: more > 0 ? min(end, bytes.count + more) : end)
            }
            empty = end > start ? 0 : empty + 1
            guard empty <= HandshakeRecords.mostEmpty else { return .refused(.malformed(.recordsEmpty)) }
            gathered += Int32(end - start)
            bodyLength = header.bodyLength
            position = Int32(end)
            let message = HandshakeRecords.messageHeader + Int(bodyLength)
            if header.seen == HandshakeRecords.messageHeader, Int(gathered) >= message {
                var reader = HelloReader(remaining: message)
                // The message's header may be split too.
                guard reader.skip(HandshakeRecords.messageHeader, bytes) else { return .refused(.malformed(.length)) }
                return .found(reader, length: end)
            }
            // Only empty records between all others get here.
            guard end < ClientHello.longestOnWire else { return .refused(.malformed(.recordsEmpty)) }
        }
    }

    /// Checks as much of the record header at `position` as is there, in the order in which OpenSSL does.
    private static func checkHeader(_ bytes: Span<UInt8>, at position: Int) -> ClientHello.Refusal? {
        let there = bytes.count - position
        if there > 1, bytes[position + 1] != 3 {
            // What is wrong at the very beginning is another protocol; later it is a broken hello.
            return position == 0 ? .notTLS : .malformed(.recordVersion)
        }
        guard there >= header else { return nil }
        guard bytes.number16(at: position + 3) <= largest else { return .malformed(.recordLength) }
        return bytes[position] == 22 ? nil : .malformed(.recordType)
    }

    /// The message's header, as far as it has been read.
    private struct MessageHeader {
        var seen: Int
        var bodyLength: Int32

        /// Reads as much of it as the record whose piece is from `start` to `end` brings, and is there.
        mutating func read(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> ClientHello.Refusal? {
            var index = start
            while seen < HandshakeRecords.messageHeader, index < end, index < bytes.count {
                if seen == 0 {
                    guard bytes[index] == 1 else { return .malformed(.message) }
                } else {
                    bodyLength = bodyLength << 8 | Int32(bytes[index])
                }
                seen += 1
                index += 1
            }
            return bodyLength <= ClientHello.longest - HandshakeRecords.messageHeader ? nil : .tooLong
        }
    }
}

/// The hello of SSL 2.0, in which a client may offer TLS: RFC 5246 appendix E.2. Servers may take it, and OpenSSL does.
///
///     length(2, highest bit set)  1  version(2)  …
extension HandshakeRecords {
    /// The bytes before what the length counts.
    private static let oldHeader = 2
    /// The type, the version and three lengths.
    private static let oldLeast = 9

    private static func findOldMessage(in bytes: Span<UInt8>) -> Search {
        let length = bytes.number16(at: 0) & 0x7FFF
        guard length <= largest else { return .refused(.malformed(.recordLength)) }
        guard length >= oldLeast else { return .refused(.malformed(.length)) }
        guard bytes.count >= header else { return .incomplete(until: header) }
        guard bytes.number16(at: oldHeader + 1) > 0x0300 else { return .refused(.tooOld) }
        let end = oldHeader + length
        return bytes.count >= end ? .nameless(length: end) : .incomplete(until: end)
    }
}

/// Reads the bytes of a handshake message as if they were in one piece, though records may break them anywhere.
///
/// Made only once every record of the message is there and has been found to be one. The bytes are handed to each call,
/// so that the reader can be kept and copied as a plain value.
struct HelloReader {
    private var position = 0
    private var recordEnd = 0
    /// How many bytes of the message have not been read.
    private(set) var remaining: Int

    /// A reader before the first record.
    init(remaining: Int) { self.remaining = remaining }

    mutating func number8(_ bytes: Span<UInt8>) -> Int? {
        guard remaining > 0 else { return nil }
        if position == recordEnd { enterNextRecord(bytes) }
        let octet = bytes[position]
        position &+= 1
        remaining &-= 1
        return Int(octet)
    }

    mutating func number16(_ bytes: Span<UInt8>) -> Int? {
        guard let high = number8(bytes), let low = number8(bytes) else { return nil }
        return high << 8 | low
    }

    /// False when there are not `count` bytes left to skip.
    mutating func skip(_ count: Int, _ bytes: Span<UInt8>) -> Bool {
        guard count <= remaining else { return false }
        remaining &-= count
        var left = count
        while left > recordEnd &- position {
            left &-= recordEnd &- position
            enterNextRecord(bytes)
        }
        position &+= left
        return true
    }

    /// Goes to the next record that is not empty. While something remains there is one.
    private mutating func enterNextRecord(_ bytes: Span<UInt8>) {
        repeat {
            position = recordEnd &+ HandshakeRecords.header
            recordEnd = position &+ bytes.number16(at: recordEnd &+ 3)
        } while position == recordEnd
    }
}
