public import Domain

/// A DNS message that came for a question about the addresses of a name (RFC 1035 section 4). Pure.
///
///     header(12)  question: name type(2) class(2)  answers  authority  additional
///     record:     name type(2) class(2) TTL(4) length(2) data
///
/// 1. Two messages alone say that there is nothing (RFC 2308 section 2): NXDOMAIN; and one without error in which no
///    address stands at the end of the aliases, when its sender is one to know. A referral looks like the second, and
///    says only whom else to ask.
/// 2. Everything in doubt is a failure, since a failure takes no address away.
/// 3. Aliases lead from the name of the question to the addresses. A record beside that way is not believed.
///
/// A message has 64 KiB at most, and so some 4,000 addresses. The additional section is not looked at.
public enum NameReply {
    /// As many aliases as BIND follows. No honest name needs more, and a loop needs any number.
    public static let mostAliases = 16

    /// What `message` says to somebody who has asked for the addresses of `name` in one family.
    public static func judge(_ message: Span<UInt8>, asked name: DomainName, _ family: Address.Family) -> NameAnswer {
        do throws(Nonsense) {
            return try read(message, name, family)
        } catch {
            return .failed(.malformed)
        }
    }

    private static func read(
        _ message: Span<UInt8>, _ name: DomainName, _ family: Address.Family
    ) throws(Nonsense) -> NameAnswer {
        let flags = try Flags(message.number(at: 2))
        let question = try message.name(at: 12)
        let type = family == .ipv4 ? RecordType.a : RecordType.aaaa
        guard flags.isReply, try message.number(at: 4) == 1, question.labels == labels(of: name),
            try message.number(at: question.end) == type, try message.number(at: question.end + 2) == Record.internet
        else { throw Nonsense() }
        switch flags.code {
        case ResponseCode.noError, ResponseCode.noName: break
        case ResponseCode.serverFailure: return .failed(.serverFailure)
        case ResponseCode.notImplemented, ResponseCode.refused: return .failed(.refused)
        default: throw Nonsense()
        }
        // A reply that is too long for a datagram comes by TCP. If it is cut off there too, nobody knows what is
        // missing.
        guard !flags.isTruncated else { throw Nonsense() }

        let answers = try Answers(message, from: question.end + 4, type)
        let way = try answers.way(from: question.labels)
        let found = try answers.addresses(of: way.end, in: message)
        guard found.addresses.isEmpty else {
            // That there is no such name, and here are its addresses, cannot both be.
            guard flags.code == ResponseCode.noError else { throw Nonsense() }
            return .addresses(found.addresses, seconds: min(way.seconds, found.seconds))
        }
        // Addresses and aliases off the way answer another question.
        guard answers.addressCount == 0, way.aliases == answers.aliases.count else { throw Nonsense() }
        if flags.code == ResponseCode.noName { return .nothing("no such name") }
        let authority = try Authority(message, from: answers.end)
        guard authority.hasStart || authority.isEmpty && flags.isOfOneToKnow(aliases: way.aliases) else {
            throw Nonsense()
        }
        return .nothing("no addresses")
    }

    /// `name` as messages have it: each label behind its length, without the root's.
    private static func labels(of name: DomainName) -> [UInt8] {
        name.labels.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + $0.utf8 }
    }
}

/// The message is no DNS message, or no answer to the question.
private struct Nonsense: Error {}

private enum RecordType {
    static let a = 1
    static let cname = 5
    static let soa = 6
    static let aaaa = 28
}

private enum ResponseCode {
    static let noError = 0
    static let serverFailure = 2
    static let noName = 3
    static let notImplemented = 4
    static let refused = 5
}

/// The second pair of octets.
private struct Flags {
    private let bits: Int

    init(_ bits: Int) { self.bits = bits }

    /// A reply, and to a query: QR, and the opcode. A server that sends the question back replies nothing.
    var isReply: Bool { bits & 0xF800 == 0x8000 }
    var isTruncated: Bool { bits & 0x0200 != 0 }
    var code: Int { bits & 0x000F }

    /// Whether one that says nothing of a zone may know that there is nothing: it asks others for us (RA), or the name
    /// is its own (AA). The latter says nothing of where aliases lead (RFC 1035 section 4.1.1).
    func isOfOneToKnow(aliases: Int) -> Bool { bits & 0x0080 != 0 || bits & 0x0400 != 0 && aliases == 0 }
}

private struct Record {
    static let internet = 1

    let owner: [UInt8]
    private let number: Int
    private let place: Int
    let seconds: UInt32
    let data: Range<Int>

    init(_ message: Span<UInt8>, at start: Int) throws(Nonsense) {
        let name = try message.name(at: start)
        owner = name.labels
        number = try message.number(at: name.end)
        place = try message.number(at: name.end + 2)
        let time = try message.number(at: name.end + 4) << 16 | message.number(at: name.end + 6)
        // RFC 2181 section 8.
        seconds = time < 0x8000_0000 ? UInt32(truncatingIfNeeded: time) : 0
        let length = try message.number(at: name.end + 8)
        guard length <= message.count - (name.end + 10) else { throw Nonsense() }
        data = name.end + 10..<name.end + 10 + length
    }

    /// Whether it is of the Internet, as everything is that we ask for, and of `type`.
    func isOf(_ type: Int) -> Bool { place == Record.internet && number == type }
}

/// The answer section.
private struct Answers {
    struct Alias {
        let owner: [UInt8]
        let target: [UInt8]
        let seconds: UInt32
    }

    private let type: Int
    private let start: Int
    private let records: Int
    private(set) var end: Int
    private(set) var aliases: [Alias] = []
    /// Addresses of the family that was asked for, of whatever name. Those of the other are passed over, whoever put
    /// them there.
    private(set) var addressCount = 0

    init(_ message: Span<UInt8>, from start: Int, _ type: Int) throws(Nonsense) {
        self.type = type
        self.start = start
        records = try message.number(at: 6)
        end = start
        for _ in 0..<records {
            let record = try Record(message, at: end)
            end = record.data.upperBound
            if record.isOf(RecordType.cname) {
                let target = try message.name(at: record.data.lowerBound)
                guard target.end == end, aliases.count < NameReply.mostAliases else { throw Nonsense() }
                aliases.append(Alias(owner: record.owner, target: target.labels, seconds: record.seconds))
            } else if record.isOf(type) {
                guard record.data.count == (type == RecordType.a ? 4 : 16) else { throw Nonsense() }
                addressCount += 1
            }
        }
    }

    /// Where the aliases lead from `name`, over how many of them, and for how many seconds that holds. They may come in
    /// any order.
    func way(from name: [UInt8]) throws(Nonsense) -> (end: [UInt8], aliases: Int, seconds: UInt32) {
        var (end, followed, seconds) = (name, 0, UInt32.max)
        while let alias = aliases.first(where: { $0.owner == end }) {
            // After as many as there are, one comes round again.
            guard followed < aliases.count else { throw Nonsense() }
            followed += 1
            end = alias.target
            seconds = min(seconds, alias.seconds)
        }
        return (end, followed, seconds)
    }

    func addresses(of name: [UInt8], in message: Span<UInt8>) throws(Nonsense) -> (
        addresses: [Address], seconds: UInt32
    ) {
        var (addresses, seconds, next) = ([Address](), UInt32.max, start)
        for _ in 0..<records where addresses.count < addressCount {
            let record = try Record(message, at: next)
            next = record.data.upperBound
            guard record.isOf(type), record.owner == name else { continue }
            var bits: UInt128 = 0
            for index in record.data { bits = bits << 8 | UInt128(message[index]) }
            addresses.append(
                type == RecordType.a ? Address(ipv4: UInt32(truncatingIfNeeded: bits)) : Address(ipv6: bits))
            seconds = min(seconds, record.seconds)
        }
        return (addresses, seconds)
    }
}

/// The authority section.
private struct Authority {
    let isEmpty: Bool
    /// Whether it has a zone's SOA, which a reply has that there is nothing, and a referral has not.
    private(set) var hasStart = false

    init(_ message: Span<UInt8>, from start: Int) throws(Nonsense) {
        let records = try message.number(at: 8)
        isEmpty = records == 0
        var next = start
        for _ in 0..<records {
            let record = try Record(message, at: next)
            next = record.data.upperBound
            guard record.isOf(RecordType.soa) else { continue }
            // Two names, and five numbers of four octets.
            let server = try message.name(at: record.data.lowerBound)
            guard try message.name(at: server.end).end + 20 == next else { throw Nonsense() }
            hasStart = true
        }
    }
}

extension Span where Element == UInt8 {
    /// The number in two octets.
    fileprivate func number(at index: Int) throws(Nonsense) -> Int {
        guard index >= 0, index <= count - 2 else { throw Nonsense() }
        return Int(self[index]) << 8 | Int(self[index + 1])
    }

    /// The name at `start`: each label behind its length, in lower case, without the root's; and the index behind it.
    fileprivate func name(at start: Int) throws(Nonsense) -> (labels: [UInt8], end: Int) {
        var labels: [UInt8] = []
        var (index, end) = (start, Int?.none)
        // A pointer leads to before the octets that it continues (RFC 1035 section 4.1.4): no chain of pointers has a
        // loop. It may still be long, so there are at most as many as a name has labels.
        var (limit, pointers) = (start, 0)
        while true {
            guard index < count else { throw Nonsense() }
            let length = Int(self[index])
            switch length {
            case 0: return (labels, end ?? index + 1)
            case 1...63:
                // 255 octets with the root's (RFC 1035 section 2.3.4).
                guard length < count - index, labels.count + 1 + length < 255 else { throw Nonsense() }
                labels.append(self[index])
                for place in index + 1...index + length { labels.append(self[place].lowercased) }
                index += 1 + length
            case 0xC0...:
                let target = try number(at: index) & 0x3FFF
                guard target < limit, pointers < 127 else { throw Nonsense() }
                end = end ?? index + 2
                pointers += 1
                (index, limit) = (target, target)
            default: throw Nonsense()
            }
        }
    }
}

extension UInt8 {
    /// This octet, in lower case when it is an ASCII letter.
    fileprivate var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}
