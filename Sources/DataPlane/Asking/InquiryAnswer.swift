import Routing

/// What has come in answer to a probe, read as far as its verdict needs. Pure, and indifferent to garbage.
enum InquiryAnswer: Equatable {
    /// More is needed.
    case incomplete
    /// No HTTP response, or one that was cut.
    case malformed
    /// `server` is what a monitor endpoint calls itself; nil when the body does not say, or was not asked for.
    case complete(status: Int, server: String?)

    /// A head as long as traffic may have one, so that an endpoint is not found dead whose answers pass, and a monitor
    /// endpoint's body: of some four hundred octets.
    static let longest = ResponseHead.longest + (16 << 10)

    /// How far an answer has been read, so that octets that come one by one are not looked at again with each. The
    /// caller's to keep.
    struct Place {
        fileprivate var start = 0
        fileprivate var scanned = 0
        /// That of the answer proper, which is followed by what begins at `start`.
        fileprivate var head: ResponseHead?

        /// The octets that will not be looked at again.
        var seen: Int { start + scanned }
    }

    /// Reads what has come so far, of which `place` tells what was seen before. `isAll` when the other end sends no
    /// more; `wantsServer` when the body matters, and not the status alone.
    static func reading(
        _ bytes: Span<UInt8>, from place: inout Place, isAll: Bool, wantsServer: Bool
    ) -> InquiryAnswer {
        while true {
            let rest = bytes.extracting(place.start..<bytes.count)
            if let head = place.head {
                // A server that drains says 503 and its name; the relay says 503 for an endpoint that it does not
                // reach.
                guard wantsServer, head.status == 200 || head.status == 503 else {
                    return .complete(status: head.status, server: nil)
                }
                return body(rest, of: head, isAll: isAll)
            }
            switch ResponseHead.inspect(rest, scanned: &place.scanned, toHEAD: false) {
            case .incomplete: return isAll ? .malformed : .incomplete
            case .malformed: return .malformed
            case .head(let head):
                place.start += head.length
                place.scanned = 0
                if !head.isInterim { place.head = head }
            }
        }
    }

    private static func body(_ bytes: Span<UInt8>, of head: ResponseHead, isAll: Bool) -> InquiryAnswer {
        var end = bytes.count
        switch head.framing {
        case .length(let length):
            guard UInt64(bytes.count) >= length else {
                guard isAll else { return .incomplete }
                return head.status == 200 ? .malformed : .complete(status: head.status, server: nil)
            }
            end = Int(length)  // no more than there are
        // No monitor endpoint sends chunks, so whatever is in them has no server's name.
        case .untilClose, .chunked: guard isAll else { return .incomplete }
        case .none: end = 0
        }
        var octets: [UInt8] = []
        octets.reserveCapacity(end)
        for index in 0..<end { octets.append(bytes[index]) }
        var reading = MonitorBody(bytes: octets)
        return .complete(status: head.status, server: reading.server())
    }
}

/// Finds the member `server` in the JSON object that a monitor endpoint answers (RFC 8259), without recursion.
private struct MonitorBody {
    let bytes: [UInt8]
    private var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func server() -> String? {
        guard consume(UInt8(ascii: "{")) else { return nil }
        repeat {
            guard let key = string(), consume(UInt8(ascii: ":")) else { return nil }
            if key == "server" { return string() }
            guard skipValue() else { return nil }
        } while consume(UInt8(ascii: ","))
        return nil
    }

    private var octet: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// Passes blanks, and then `wanted` if it is what follows.
    private mutating func consume(_ wanted: UInt8) -> Bool {
        while let octet, octet == 0x20 || octet == 0x0A || octet == 0x0D || octet == 0x09 { index += 1 }
        guard octet == wanted else { return false }
        index += 1
        return true
    }

    /// A string, its escapes as they are: no name of a server needs one. With question marks in place of what is not
    /// ASCII, and no longer than is good for a log.
    private mutating func string() -> String? {
        guard consume(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while let octet, octet >= 0x20 {
            index += 1
            if octet == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if text.count < 100 { text.append(octet < 0x7F ? octet : UInt8(ascii: "?")) }
            guard octet == UInt8(ascii: "\\") else { continue }
            index += 1
        }
        return nil
    }

    /// Passes a value of any kind, whose insides are looked at only as far as its end needs.
    private mutating func skipValue() -> Bool {
        var depth = 0
        repeat {
            if consume(UInt8(ascii: "{")) || consume(UInt8(ascii: "[")) {
                depth += 1
            } else if depth > 0, consume(UInt8(ascii: "}")) || consume(UInt8(ascii: "]")) {
                depth -= 1
            } else if octet == UInt8(ascii: "\"") {
                guard string() != nil else { return false }
            } else if depth > 0, consume(UInt8(ascii: ",")) || consume(UInt8(ascii: ":")) {
                continue
            } else {
                // A number, or one of three words.
                let start = index
                while let octet, MonitorBody.isOfWord(octet) { index += 1 }
                guard index > start else { return false }
            }
        } while depth > 0
        return true
    }

    /// What numbers and the three words are made of: letters, digits, signs and the point.
    private static func isOfWord(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
