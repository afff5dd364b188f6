/// The TLS records that carry the first handshake message: RFC 8446 sections 4 and 5.1.
///
///     record:   22  3  minor  length(2)  |  a piece of the message, 1 to 2^14 bytes
///     message:  1   length(3)            |  the body of the hello
///
/// No sum here can overflow: each is of a position in the bytes and of a few numbers of at most 24 bits.
struct HandshakeRecords {
    enum Search {
        case incomplete(until: Int)
        /// A reader at the beginning of the hello's body, and where the last of its records ends.
        case found(HelloReader, length: Int)
        case refused(ClientHello.Refusal)
    }

    /// The largest piece that a record may hold.
    static let largest = 16_384
    /// The bytes of a record before its piece.
    static let header = 5
    /// The bytes of the message before the hello's body.
    static let messageHeader = 4

    /// How many bytes of the message the records hold, up to and with the one that is being read.
    private var gathered = 0
    /// How many bytes of the message's header have been read, and what its length has come to so far.
    private var headerSeen = 0
    private var bodyLength = 0

    /// Walks the records until they hold the whole message.
    mutating func findMessage(in bytes: Span<UInt8>) -> Search {
        guard !bytes.isEmpty else { return .incomplete(until: 1) }
        var position = 0
        while true {
            if let refusal = checkHeader(bytes, at: position) { return .refused(refusal) }
            guard bytes.count - position >= HandshakeRecords.header else {
                return .incomplete(until: enough(recordsEnd: position))
            }
            let start = position + HandshakeRecords.header
            let end = start + bytes.number16(at: position + 3)
            gathered += end - start
            if let refusal = readMessageHeader(bytes, from: start, to: end) { return .refused(refusal) }
            if headerSeen == HandshakeRecords.messageHeader {
                guard gathered <= HandshakeRecords.messageHeader + bodyLength else {
                    return .refused(.malformed(.trailingData))
                }
                guard enough(recordsEnd: end) <= ClientHello.longestOnWire else { return .refused(.tooLong) }
            } else if end > bytes.count, gathered >= HandshakeRecords.messageHeader {
                return .incomplete(until: bytes.count + HandshakeRecords.messageHeader - headerSeen)
            }
            guard end <= bytes.count else { return .incomplete(until: enough(recordsEnd: end)) }
            if headerSeen == HandshakeRecords.messageHeader, gathered == HandshakeRecords.messageHeader + bodyLength {
                var reader = HelloReader(bytes, remaining: gathered)
                // The message's header may be split too.
                guard reader.skip(HandshakeRecords.messageHeader, bytes) else { return .refused(.malformed(.length)) }
                return .found(reader, length: end)
            }
            position = end
        }
    }

    /// The least number of bytes at which the whole hello can be there, given that the records up to `recordsEnd` do not hold all.
    ///
    /// What is missing takes its own bytes and one header for each full record. Waiting for so many at once keeps the work linear but
    /// for a small factor: a client that sends records of one byte is looked at some sixty times, not once for each of its records.
    private func enough(recordsEnd: Int) -> Int {
        let isKnown = headerSeen == HandshakeRecords.messageHeader
        let missing = HandshakeRecords.messageHeader + (isKnown ? bodyLength : 0) - gathered
        let records = (missing + HandshakeRecords.largest - 1) / HandshakeRecords.largest
        return recordsEnd + missing + records * HandshakeRecords.header
    }

    /// Checks as much of the record header at `position` as is there.
    private func checkHeader(_ bytes: Span<UInt8>, at position: Int) -> ClientHello.Refusal? {
        let there = bytes.count - position
        // What is wrong at the very beginning is another protocol; later it is a broken hello.
        let isFirst = position == 0
        if there > 0, bytes[position] != 22 {
            guard isFirst else { return .malformed(.record) }
            // SSL 2.0 begins with a length whose highest bit is set. Nothing of TLS does.
            return bytes[position] & 0x80 != 0 ? .tooOld : .notTLS
        }
        if there > 1, bytes[position + 1] != 3 { return isFirst ? .notTLS : .malformed(.record) }
        if there >= HandshakeRecords.header {
            let length = bytes.number16(at: position + 3)
            guard length > 0, length <= HandshakeRecords.largest else { return .malformed(.record) }
        }
        return nil
    }

    /// Reads as much of the message's header as the record whose piece is from `start` to `end` brings, and is there.
    private mutating func readMessageHeader(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> ClientHello.Refusal?
    {
        var index = start
        while headerSeen < HandshakeRecords.messageHeader, index < end, index < bytes.count {
            if headerSeen == 0 {
                guard bytes[index] == 1 else { return .malformed(.message) }
            } else {
                bodyLength = bodyLength << 8 | Int(bytes[index])
            }
            headerSeen += 1
            index += 1
        }
        guard bodyLength <= ClientHello.longest - HandshakeRecords.messageHeader else { return .tooLong }
        return nil
    }
}

/// Reads the bytes of a handshake message as if they were in one piece, though records may break them anywhere.
///
/// Made only once every record of the message is there and has been found to be one. The bytes are handed to each call, so that the
/// reader can be kept and copied as a plain value.
struct HelloReader {
    private var position = HandshakeRecords.header
    private var recordEnd: Int
    /// How many bytes of the message have not been read.
    private(set) var remaining: Int

    init(_ bytes: Span<UInt8>, remaining: Int) {
        recordEnd = HandshakeRecords.header + bytes.number16(at: 3)
        self.remaining = remaining
    }

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

    /// While something remains there is another record, and it is not empty.
    private mutating func enterNextRecord(_ bytes: Span<UInt8>) {
        position = recordEnd &+ HandshakeRecords.header
        recordEnd = position &+ bytes.number16(at: recordEnd &+ 3)
    }
}
