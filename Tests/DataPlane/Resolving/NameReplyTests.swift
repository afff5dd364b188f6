import Domain
import Syscalls
import Testing

/// A DNS message made by hand, in answer to a question about `www.acme.example`, whose name stands at octet 12.
private struct Message {
    /// QR, RD and RA: a resolver's reply.
    var flags: UInt16 = 0x8180
    var question = name("www.acme.example")
    var type: UInt16 = 1
    var place: UInt16 = 1
    var answers: [[UInt8]] = []
    var authority: [[UInt8]] = []
    var additional: [[UInt8]] = []

    var octets: [UInt8] {
        let counts = [1, answers.count, authority.count, additional.count].map { two(UInt16($0)) }
        return [0x12, 0x34] + two(flags) + counts.joined() + question + two(type) + two(place)
            + (answers + authority + additional).joined()
    }

    /// What it says to somebody who has asked for addresses of `www.acme.example`.
    func says(_ family: Address.Family = .ipv4) throws -> NameAnswer { try judged(octets, family) }
}

private func judged(_ octets: [UInt8], _ family: Address.Family = .ipv4) throws -> NameAnswer {
    NameReply.judge(octets.span, asked: try DomainName("www.acme.example"), family)
}

private func two(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }

private func name(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + $0.utf8 } + [0]
}

/// The name of the question, as nearly all servers write it.
private let same: [UInt8] = [0xC0, 12]

private func record(
    _ owner: [UInt8], _ type: UInt16, _ data: [UInt8], ttl: UInt32 = 300, place: UInt16 = 1
) -> [UInt8] {
    let time = two(UInt16(ttl >> 16)) + two(UInt16(ttl & 0xFFFF))
    return owner + two(type) + two(place) + time + two(UInt16(data.count)) + data
}

private func a(_ owner: [UInt8], _ last: UInt8 = 1, ttl: UInt32 = 300) -> [UInt8] {
    record(owner, 1, [192, 0, 2, last], ttl: ttl)
}

private func alias(_ owner: [UInt8], _ target: [UInt8], ttl: UInt32 = 300) -> [UInt8] {
    record(owner, 5, target, ttl: ttl)
}

/// The SOA of `acme.example`, which is the rest of the question's name.
private let start = record(
    [0xC0, 16], 6, name("ns.acme.example") + name("root.acme.example") + [UInt8](repeating: 1, count: 20))

private let nameServer = record([0], 2, name("a.root-servers.net"), ttl: 518_400)

private let malformed = NameAnswer.failed(.malformed)
private let noAddresses = NameAnswer.nothing("no addresses")
private let noSuchName = NameAnswer.nothing("no such name")

private func found(_ last: [UInt32], _ seconds: UInt32) -> NameAnswer {
    .addresses(last.map { Address(ipv4: 0xC000_0200 + $0) }, seconds: seconds)
}

@Suite struct `A reply of DNS with addresses` {
    @Test func `tells them in its order, with the least TTL`() throws {
        #expect(try Message(answers: [a(same, 2, ttl: 60), a(same, 1, ttl: 30)]).says() == found([2, 1], 30))
    }

    @Test func `tells those of IPv6, of which some stand for IPv4`() throws {
        let plain: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 1]
        let message = Message(type: 28, answers: [record(same, 28, plain), record(same, 28, mapped)])
        let addresses = [try Address("2001:db8::1"), Address(ipv4: 0xC000_0201)]
        #expect(try message.says(.ipv6) == .addresses(addresses, seconds: 300))
    }

    @Test func `holds no longer than the aliases on the way, in whatever order they come`() throws {
        let records = [
            alias(same, name("b.acme.example"), ttl: 200),
            alias(name("b.acme.example"), name("c.other.example"), ttl: 20),
            a(name("c.other.example"), 1, ttl: 300), a(name("c.other.example"), 2, ttl: 100),
        ]
        #expect(try Message(answers: records).says() == found([1, 2], 20))
        #expect(try Message(answers: records.reversed()).says() == found([2, 1], 20))
    }

    @Test func `may write names in any case`() throws {
        let message = Message(
            question: name("wWw.ACME.example"),
            answers: [alias(name("WWW.acme.EXAMPLE"), name("B.acme.example")), a(name("b.ACME.example"))])
        #expect(try message.says() == found([1], 300))
    }

    @Test func `may write names with pointers, and pointers to pointers`() throws {
        // The alias stands at octet 34, its data at 46: b, and then what follows the first label of the question's
        // name.
        let message = Message(answers: [alias(same, [1, 0x62, 0xC0, 16]), a([0xC0, 46]), a([0xC0, 34], 9)])
        #expect(try message.says() == found([1], 300))
    }

    @Test func `is taken by aliases sixteen times, and not more often`() throws {
        func chain(_ count: Int) -> Message {
            let names = [same] + (1...count).map { name("n\($0).acme.example") }
            let aliases = zip(names, names.dropFirst()).map { alias($0, $1) }
            return Message(answers: aliases + [a(names[count])])
        }
        #expect(try chain(16).says() == found([1], 300))
        #expect(try chain(17).says() == malformed)
    }

    @Test func `holds for no time at all when its TTL has the highest bit`() throws {
        #expect(try Message(answers: [a(same, ttl: 0x7FFF_FFFF)]).says() == found([1], 0x7FFF_FFFF))
        #expect(try Message(answers: [a(same, ttl: 0x8000_0000)]).says() == found([1], 0))
    }

    @Test func `is not believed about other names`() throws {
        #expect(try Message(answers: [a(same, 1), a(name("other.example"), 2, ttl: 1)]).says() == found([1], 300))
        #expect(try Message(answers: [a(name("other.example"))]).says() == malformed)
        #expect(try Message(answers: [a(name("www.acme.example.other.example"))]).says() == malformed)
    }

    @Test func `may have records of other types, classes and lengths beside them`() throws {
        let others = [
            record(same, 46, [1, 2, 3]), record(same, 28, [UInt8](repeating: 1, count: 16)),
            record(same, 1, [1, 2, 3], place: 3), record(same, 16, []),
        ]
        #expect(try Message(answers: others + [a(same)]).says() == found([1], 300))
    }

    @Test func `may have a great many`() throws {
        let records = (0..<4000).map { record(same, 1, [10, 0] + two(UInt16($0))) }
        guard case .addresses(let addresses, 300) = try Message(answers: records).says() else {
            Issue.record("no addresses")
            return
        }
        #expect(addresses.count == 4000)
    }
}

@Suite struct `A reply of DNS without addresses` {
    @Test func `says that there is nothing when it says that there is no such name`() throws {
        #expect(try Message(flags: 0x8183, authority: [start]).says() == noSuchName)
        #expect(try Message(flags: 0x8183).says() == noSuchName)
        // The code is about the name that the aliases lead to (RFC 6604).
        #expect(try Message(flags: 0x8183, answers: [alias(same, name("b.acme.example"))]).says() == noSuchName)
    }

    @Test func `says that there is nothing when it tells of its zone`() throws {
        let way = [alias(same, name("b.acme.example"))]
        for flags: UInt16 in [0x8180, 0x8580, 0x8100, 0x8000] {
            #expect(try Message(flags: flags, authority: [start]).says() == noAddresses)
            #expect(try Message(flags: flags, answers: way, authority: [nameServer, start]).says() == noAddresses)
        }
    }

    @Test func `says that there is nothing when its sender should know, and refers to nobody`() throws {
        let way = [alias(same, name("b.acme.example"))]
        #expect(try Message(flags: 0x8180).says() == noAddresses)
        #expect(try Message(flags: 0x8180, answers: way).says() == noAddresses)
        #expect(try Message(flags: 0x8500).says() == noAddresses)
        // A server of the zone does not know where its aliases lead.
        #expect(try Message(flags: 0x8500, answers: way).says() == malformed)
        #expect(try Message(flags: 0x8100).says() == malformed)
    }

    @Test func `says nothing when it refers to others`() throws {
        for flags: UInt16 in [0x8180, 0x8500, 0x8100] {
            #expect(try Message(flags: flags, authority: [nameServer]).says() == malformed)
        }
    }

    @Test func `says nothing when its aliases go round`() throws {
        #expect(try Message(answers: [alias(same, same)], authority: [start]).says() == malformed)
        let (b, c) = (name("b.acme.example"), name("c.acme.example"))
        #expect(try Message(answers: [alias(same, b), alias(b, c), alias(c, b)]).says() == malformed)
        #expect(try Message(flags: 0x8183, answers: [alias(same, b), alias(b, same)]).says() == malformed)
    }

    @Test func `says nothing when it is cut off`() throws {
        #expect(try Message(flags: 0x8380).says() == malformed)
        #expect(try Message(flags: 0x8380, answers: [a(same)]).says() == malformed)
        #expect(try Message(flags: 0x8383, authority: [start]).says() == malformed)
    }

    @Test(arguments: [0, 3, 5, 16]) func `says nothing when an address has another length`(length: Int) throws {
        let wrong = record(same, 1, [UInt8](repeating: 1, count: length))
        #expect(try Message(answers: [wrong]).says() == malformed)
        #expect(try Message(answers: [a(same), wrong], authority: [start]).says() == malformed)
        let wrong6 = record(same, 28, [UInt8](repeating: 1, count: length == 16 ? 4 : length))
        #expect(try Message(type: 28, answers: [wrong6]).says(.ipv6) == malformed)
    }

    @Test func `says nothing when its aliases lead elsewhere`() throws {
        let beside = alias(name("other.example"), name("b.acme.example"))
        #expect(try Message(answers: [beside], authority: [start]).says() == malformed)
        #expect(try Message(flags: 0x8183, answers: [beside], authority: [start]).says() == malformed)
    }

    @Test func `says nothing when it has addresses and says that there is no such name`() throws {
        #expect(try Message(flags: 0x8183, answers: [a(same)]).says() == malformed)
    }

    @Test func `passes over addresses of the family that nobody asked for`() throws {
        #expect(try Message(type: 28, answers: [a(same)], authority: [start]).says(.ipv6) == noAddresses)
    }

    @Test(arguments: [
        (UInt16(2), NameFailure.serverFailure), (5, .refused), (4, .refused), (1, .malformed), (6, .malformed),
        (15, .malformed),
    ])
    func `tells what failed`(code: UInt16, failure: NameFailure) throws {
        #expect(try Message(flags: 0x8180 | code).says() == .failed(failure))
        #expect(try Message(flags: 0x8180 | code, authority: [start]).says() == .failed(failure))
    }
}

@Suite struct `A message of DNS that is no reply to the question` {
    @Test func `says nothing`() throws {
        #expect(try Message(question: name("wwx.acme.example"), authority: [start]).says() == malformed)
        #expect(try Message(question: name("acme.example"), authority: [start]).says() == malformed)
        #expect(try Message(question: name("www.acme.example.net"), authority: [start]).says() == malformed)
        #expect(try Message(type: 28, authority: [start]).says(.ipv4) == malformed)
        #expect(try Message(type: 1, authority: [start]).says(.ipv6) == malformed)
        #expect(try Message(place: 3, authority: [start]).says() == malformed)
        // A server that sends back what it was sent, and one that was told of something (NOTIFY).
        #expect(try Message(flags: 0x0100, authority: [start]).says() == malformed)
        #expect(try Message(flags: 0xA180, authority: [start]).says() == malformed)
    }

    @Test func `says nothing with two questions, or none`() throws {
        for count: UInt8 in [0, 2] {
            var octets = Message(authority: [start]).octets
            octets[5] = count
            #expect(try judged(octets) == malformed)
        }
    }

    @Test func `says nothing when a pointer leads to itself, forwards, into the header or round`() throws {
        // The first answer stands at octet 34.
        let pointers: [[UInt8]] = [[0xC0, 34], [0xC0, 36], [0xC0, 0], [0xFF, 0xFF], [1, 0x61, 0xC0, 34]]
        for pointer in pointers {
            #expect(try Message(answers: [a(pointer)], authority: [start]).says() == malformed)
        }
        // Each of two pointers leads to the other: in the data at 46, and in the next owner at 48.
        let round = [record(same, 5, [0xC0, 48]), a([0xC0, 46])]
        #expect(try Message(answers: round, authority: [start]).says() == malformed)
        var octets = Message(authority: [start]).octets
        octets.replaceSubrange(12..<14, with: [0xC0, 12])
        #expect(try judged(octets) == malformed)
    }

    @Test func `says nothing when a ladder of pointers is longer than any name`() throws {
        // A record without meaning has pointers in its data, each to the one before, and the first to the question's
        // name.
        func ladder(_ rungs: Int) -> Message {
            let places = (0..<rungs).map { $0 == 0 ? 12 : 46 + 2 * ($0 - 1) }
            let data = places.flatMap { two(0xC000 | UInt16($0)) }
            return Message(answers: [record(same, 16, data), a(two(0xC000 | UInt16(46 + 2 * (rungs - 1))))])
        }
        #expect(try ladder(126).says() == found([1], 300))
        #expect(try ladder(127).says() == malformed)
        #expect(try ladder(5000).says() == malformed)
    }

    @Test func `says nothing when a name is longer than 255 octets, or a label has a length of no kind`() throws {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let longest = label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0]
        #expect(longest.count == 255)
        #expect(try Message(answers: [alias(same, longest), a(longest)]).says() == found([1], 300))
        let longer = label + label + label + [62] + [UInt8](repeating: 0x61, count: 62) + [0]
        #expect(try Message(answers: [alias(same, longer)], authority: [start]).says() == malformed)
        for length: UInt8 in [0x40, 0x80, 0xBF] {
            #expect(try Message(answers: [a([length, 0])], authority: [start]).says() == malformed)
        }
    }

    @Test func `says nothing when a record's data is no such data`() throws {
        // A name that ends before the data does, or after it.
        #expect(try Message(answers: [alias(same, name("b.example") + [0])], authority: [start]).says() == malformed)
        #expect(try Message(answers: [alias(same, [1, 0x62])], authority: [start]).says() == malformed)
        #expect(try Message(authority: [record([0], 6, [])]).says() == malformed)
        #expect(
            try Message(authority: [record([0], 6, [0, 0] + [UInt8](repeating: 0, count: 19))]).says() == malformed)
        #expect(
            try Message(authority: [record([0], 6, [0, 0] + [UInt8](repeating: 0, count: 20))]).says() == noAddresses)
    }

    @Test func `says nothing as long as a part of it is missing`() throws {
        let b = name("b.acme.example")
        let option = record([0], 41, [])
        let messages = [
            Message(answers: [alias(same, b), a(b), a(b, 2)], additional: [option]),
            Message(answers: [alias(same, b)], authority: [start], additional: [option]),
            Message(flags: 0x8183, answers: [alias(same, b)]), Message(authority: [nameServer]),
            Message(flags: 0x8182),
        ]
        for message in messages {
            let (octets, whole) = (message.octets, try message.says())
            let needed = octets.count - message.additional.joined().count
            for count in 0..<needed { #expect(try judged(Array(octets[..<count])) == malformed) }
            for count in needed...octets.count { #expect(try judged(Array(octets[..<count])) == whole) }
        }
    }

    @Test func `traps nowhere, whichever octet is another`() throws {
        let b = name("b.acme.example")
        let messages = [
            Message(answers: [alias(same, [1, 0x62, 0xC0, 16]), a([0xC0, 46])], authority: [start]),
            Message(answers: [alias(same, b)], authority: [start, nameServer]),
        ]
        for octets in messages.map(\.octets) {
            for index in octets.indices {
                var changed = octets
                for value: UInt8 in 0...255 {
                    changed[index] = value
                    if case .addresses(let addresses, _) = try judged(changed) { #expect(!addresses.isEmpty) }
                    _ = try judged(changed, .ipv6)
                }
            }
        }
    }
}
