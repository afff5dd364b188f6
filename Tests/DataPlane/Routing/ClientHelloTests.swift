import Routing
import Testing

/// What becomes of a hello, with the name that was read.
private struct Inspection: Equatable {
    var outcome: ClientHello.Outcome
    var name: String

    init(_ outcome: ClientHello.Outcome, _ name: String = "") {
        self.outcome = outcome
        self.name = name
    }

    init(of bytes: some Collection<UInt8>) {
        var name = RoutingName("left.over") ?? RoutingName()
        outcome = ClientHello.inspect(Array(bytes).span, name: &name)
        self.name = name.description
    }
}

private func refused(_ refusal: ClientHello.Refusal) -> Inspection { Inspection(.refused(refusal)) }

@Suite struct `Client hello` {
    private static let hellos: [(bytes: [UInt8], name: String)] = [
        (CapturedHello.tls13, "app.acme.example"),
        (CapturedHello.tls12, "app.acme.example"),
        (CapturedHello.padded, "shop.acme.example"),
        (CapturedHello.nameless, ""),
        (HelloMaker.postQuantum.records(), "outer.acme.example"),
    ]

    @Test(arguments: hellos)
    func `the name of a real hello is read`(bytes: [UInt8], name: String) {
        #expect(Inspection(of: bytes) == Inspection(.hello(length: bytes.count), name))
    }

    @Test(arguments: hellos)
    func `every prefix of a hello asks for more, and never for more than the hello has`(bytes: [UInt8], name: String) {
        for count in 0..<bytes.count {
            guard case .incomplete(let until) = Inspection(of: bytes[..<count]).outcome else {
                Issue.record("\(count) bytes of \(bytes.count) were enough")
                return
            }
            #expect(until > count && until <= bytes.count)
        }
    }

    @Test(arguments: hellos)
    func `a hello may be split anywhere over two records`(bytes: [UInt8], name: String) {
        let message = Array(bytes[5...])
        for split in 1..<message.count {
            let records = HelloMaker.record(message[..<split]) + HelloMaker.record(message[split...])
            #expect(Inspection(of: records) == Inspection(.hello(length: records.count), name))
        }
    }

    @Test(arguments: hellos)
    func `a hello may come in records of one byte`(bytes: [UInt8], name: String) {
        let records = HelloMaker.records(Array(bytes[5...]), of: 1)
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count), name))
    }

    @Test func `a hello that trickles in is walked once, however small its records are`() {
        let records = HelloMaker.records(HelloMaker.postQuantum.message, of: 1)
        var progress = HandshakeRecords()
        var name = RoutingName()
        for count in 0..<records.count {
            let some = Array(records[..<count])
            let outcome = ClientHello.inspect(some.span, records: &progress, name: &name)
            // Never past what comes next: what is wrong with it (a version, a header, a piece) is answered at once.
            let there = count % 6
            #expect(outcome == .incomplete(until: count - there + (there < 2 ? 2 : there < 5 ? 5 : 6)))
        }
        #expect(
            ClientHello.inspect(records.span, records: &progress, name: &name) == .hello(length: records.count))
        #expect(name.description == "outer.acme.example")
    }

    @Test(arguments: hellos)
    func `a look that goes on from the last one finds what a look at the whole finds`(bytes: [UInt8], name: String) {
        for size in [1, 2, 3, 50, 16_384] {
            let records = HelloMaker.records(Array(bytes[5...]), of: size)
            var progress = HandshakeRecords()
            var found = RoutingName()
            var count = 0
            while count < 2 * records.count {
                let some = Array(records[..<count])
                let outcome = ClientHello.inspect(some.span, records: &progress, name: &found)
                guard case .incomplete(let until) = outcome else { break }
                #expect(until > count && until <= records.count)
                count = until
            }
            #expect(count == records.count)
            #expect(found.description == name)
        }
    }

    @Test func `what follows the hello's last record is not looked at`() {
        let hello = CapturedHello.tls13
        #expect(
            Inspection(of: hello + [23, 3, 3, 0, 0]) == Inspection(.hello(length: hello.count), "app.acme.example"))
    }

    @Test(arguments: [1, 2, 100, 16_384])
    func `a hello as long as OpenSSL takes is read in records of any size, and a longer one refused by its header`(
        size: Int
    ) {
        let longest = HelloMaker.longest
        #expect(longest.count == 4 + 131_396)
        let records = HelloMaker.records(longest, of: size)
        #expect(records.count <= ClientHello.longestOnWire)
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count), "app.acme.example"))
        #expect(Inspection(of: [22, 3, 1, 0x40, 0, 1, 2, 1, 0x44]) == Inspection(.incomplete(until: 16_389)))
        #expect(Inspection(of: [22, 3, 1, 0x40, 0, 1, 2, 1, 0x45]) == refused(.tooLong))
    }

    @Test func `what is not TLS is refused by its second byte`() {
        for byte in UInt8.min..<0x80 {
            #expect(Inspection(of: [byte]) == Inspection(.incomplete(until: 2)))
            for second in [0, 2, 4, 255] as [UInt8] { #expect(Inspection(of: [byte, second]) == refused(.notTLS)) }
        }
        for byte in 0x80...UInt8.max {
            #expect(Inspection(of: [byte, 2]) == Inspection(.incomplete(until: 3)))
            #expect(Inspection(of: [byte, 2, 2]) == refused(.notTLS))
        }
        #expect(Inspection(of: "GET / HTTP/1.1\r\n\r\n".utf8) == refused(.notTLS))
    }

    @Test(arguments: [0, 2, 0x0200, 0x0300] as [UInt16]) func `SSL 3 and older is too old`(version: UInt16) {
        var maker = HelloMaker(serverName: "app.acme.example")
        maker.version = version
        #expect(Inspection(of: maker.records()) == refused(.tooOld))
    }

    @Test(arguments: [0x0301, 0x0302, 0x0304, 0x03FF, 0x0400, 0x7F00, 0xFFFF] as [UInt16])
    func `a version newer than any that exists is served`(version: UInt16) {
        var maker = HelloMaker(serverName: "app.acme.example")
        maker.version = version
        #expect(Inspection(of: maker.records()).name == "app.acme.example")
    }

    @Test func `a record of another kind is refused by its header, the first and any later one`() {
        let first = HelloMaker.record(HelloMaker().message[..<10])
        for type in UInt8.min...UInt8.max where type != 22 {
            // Three bytes that a hello of SSL 2.0 could begin with are judged as one.
            if type < 0x80 {
                #expect(Inspection(of: [type, 3, 1, 0, 2]) == refused(.malformed(.recordType)))
            }
            #expect(Inspection(of: [type, 3, 3, 0, 2]) == refused(.malformed(.recordType)))
            #expect(Inspection(of: first + [type, 3, 3, 0, 2]) == refused(.malformed(.recordType)))
        }
    }

    @Test func `a record that is too long or not of TLS is refused by its header`() {
        let first = HelloMaker.record(HelloMaker().message[..<10])
        #expect(Inspection(of: [22, 3, 1, 0x40, 0]) == Inspection(.incomplete(until: 6)))
        #expect(Inspection(of: [22, 3, 1, 0x40, 0, 1]) == Inspection(.incomplete(until: 9)))
        for before in [[], first] {
            #expect(Inspection(of: before + [22, 3, 1, 0x40, 1]) == refused(.malformed(.recordLength)))
            // Its length comes before its type, as with OpenSSL.
            #expect(Inspection(of: before + [23, 3, 1, 0xFF, 0xFF]) == refused(.malformed(.recordLength)))
        }
        #expect(Inspection(of: first + [22, 2]) == refused(.malformed(.recordVersion)))
        #expect(Inspection(of: first + [22, 4]) == refused(.malformed(.recordVersion)))
        // The minor version is not looked at, and may change.
        #expect(Inspection(of: first + [22, 3, 9, 0, 9]) == Inspection(.incomplete(until: 29)))
    }

    /// Nothing may come behind a fault: a client that has said it waits for its alert.
    @Test func `a fault is found with the byte that tells it, however those before it have come`() {
        let good = HelloMaker(serverName: "app.acme.example")
        let start = HelloMaker.record(good.message.prefix(50))
        let second = start + HelloMaker.record([])
        let faults: [[UInt8]] = [
            start + [22, 2], second + [22, 2], [22, 2], start + [23, 3, 3, 0, 5], start + [22, 3, 3, 0x48, 1],
            [22, 3, 1, 0, 90, 2], [22, 3, 1, 0x40, 1], [22, 3, 1, 0, 90, 1, 2, 1, 0x45], [0x80, 2, 1],
            [22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 90, 2, 1, 0x45],
            Array(repeatElement([22, 3, 1, 0, 0], count: 33).joined()),
        ]
        for fault in faults {
            let isFound = refusal(in: fault) != nil && refusal(in: Array(fault.dropLast())) == nil
            #expect(isFound, "\(fault) is a fault, and no byte too many")
            // One look at so many bytes, and the next at all of them.
            for count in 1..<fault.count {
                var (records, name) = (HandshakeRecords(), RoutingName())
                guard
                    case .incomplete(let until) = ClientHello.inspect(
                        Array(fault.prefix(count)).span, records: &records, name: &name)
                else {
                    Issue.record("\(fault) is refused after \(count) bytes")
                    continue
                }
                #expect(until <= fault.count, "\(fault), of which \(count) bytes were looked at")
            }
        }
    }

    private func refusal(in bytes: [UInt8]) -> ClientHello.Refusal? {
        var name = RoutingName()
        guard case .refused(let refusal) = ClientHello.inspect(bytes.span, name: &name) else { return nil }
        return refusal
    }

    @Test func `32 empty records in a row are passed over, and one more is refused`() {
        let message = HelloMaker(serverName: "app.acme.example").message
        let empty = [22, 3, 1, 0, 0] as [UInt8]
        let most = Array(repeatElement(empty, count: 32).joined())
        for place in [0, 1, 3, 4, 50] {
            let (start, end) = (HelloMaker.record(message[..<place]), HelloMaker.record(message[place...]))
            let before = place > 0 ? most + start : []
            let records = before + most + end
            #expect(Inspection(of: records) == Inspection(.hello(length: records.count), "app.acme.example"))
            #expect(Inspection(of: before + most + empty + end) == refused(.malformed(.recordsEmpty)))
        }
    }

    @Test func `empty records between all others come to an end`() {
        let message = HelloMaker.longest
        let empty = Array(repeatElement([22, 3, 1, 0, 0] as [UInt8], count: 32).joined())
        let records = message.prefix(6000).flatMap { octet -> [UInt8] in empty + [22, 3, 1, 0, 1, octet] }
        #expect(records.count > ClientHello.longestOnWire)
        #expect(Inspection(of: records) == refused(.malformed(.recordsEmpty)))
    }

    @Test func `another handshake message is refused by its type`() {
        var maker = HelloMaker()
        maker.messageType = 2
        #expect(Inspection(of: maker.records()) == refused(.malformed(.message)))
        #expect(Inspection(of: [22, 3, 1, 0, 90, 2]) == refused(.malformed(.message)))
    }

    @Test func `what follows the hello in its last record is left to the endpoint`() {
        let records = HelloMaker.record(HelloMaker(serverName: "app.acme.example").message + [0])
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count), "app.acme.example"))
    }

    @Test func `a hello in the form of SSL 2 names nobody, and is too old when it offers no more than SSL 3`() {
        let rest: [UInt8] = [0, 3, 0, 0, 0, 16, 0, 0, 0x2F] + [UInt8](repeating: 42, count: 16)
        func hello(_ version: [UInt8]) -> [UInt8] { [0x80, 28, 1] + version + rest }
        for version in [[3, 1], [3, 3], [4, 0]] as [[UInt8]] {
            let hello = hello(version)
            for count in hello.indices {
                guard case .incomplete(let until) = Inspection(of: hello[..<count]).outcome else {
                    Issue.record("\(count) bytes were enough")
                    continue
                }
                #expect(until > count && until <= hello.count)
            }
            #expect(Inspection(of: hello + [0]) == Inspection(.hello(length: hello.count)))
        }
        for version in [[0, 2], [3, 0]] as [[UInt8]] { #expect(Inspection(of: hello(version)) == refused(.tooOld)) }
        #expect(Inspection(of: [0x80, 8, 1]) == refused(.malformed(.length)))
        #expect(Inspection(of: [0xC0, 1, 1]) == refused(.malformed(.recordLength)))
    }

    @Test func `a hello without extensions names nobody`() {
        var maker = HelloMaker()
        maker.extensions = nil
        let records = maker.records()
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count)))
    }

    @Test func `lengths that do not fit are malformed`() {
        let message = HelloMaker(serverName: "app.acme.example").message
        // The session's, the compressions', the extensions' and the first extension's length, each one off.
        for index in [38, 79, 82, 86] {
            for change in [1, -1] {
                var changed = message
                changed[index] = UInt8(truncatingIfNeeded: Int(changed[index]) + change)
                guard case .refused(.malformed) = Inspection(of: HelloMaker.record(changed[...])).outcome else {
                    Issue.record("byte \(index) may be off by \(change)")
                    continue
                }
            }
        }
    }

    @Test func `suites and compressions that make no sense are left to the endpoint`() {
        var maker = HelloMaker(serverName: "app.acme.example")
        for (suites, compressions) in [([], [0]), ([0x13], [0]), ([0x13, 1], []), ([0x13, 1], [9])]
            as [([UInt8], [UInt8])]
        {
            maker.suites = suites
            maker.compressions = compressions
            #expect(Inspection(of: maker.records()).name == "app.acme.example")
        }
    }

    @Test func `a hello cut short at any byte is malformed, but for the one place where it may end`() {
        let message = HelloMaker.postQuantum.message
        var bare = HelloMaker.postQuantum
        bare.extensions = nil
        // Right after the compression methods: TLS 1.2 may do without extensions.
        let end = bare.message.count
        for count in 4..<message.count {
            let cut = [1, 0] + HelloMaker.number(count - 4) + message[4..<count]
            let expected: ClientHello.Outcome =
                count == end ? .hello(length: count + 5) : .refused(.malformed(.length))
            #expect(Inspection(of: HelloMaker.record(cut[...])) == Inspection(expected), "cut after \(count) bytes")
        }
    }

    @Test(arguments: [
        ".", "app..example", ".example", "app.example..", "app example", "b\u{FC}cher.example",
        "app.example:443", "*.example", "app/example", "app.example. ", String(repeating: "a", count: 64) + ".example",
        String(repeating: "a234567.", count: 31) + "abcdefg",
    ])
    func `a server name that is no host name is refused`(name: String) {
        #expect(Inspection(of: HelloMaker(serverName: name).records()) == refused(.badServerName))
    }

    @Test(arguments: ["app.example\0.other.example", "\0", String(repeating: "a234567.", count: 32)])
    func `a server name with a zero byte, or of more than 255 bytes, is refused as OpenSSL does`(name: String) {
        #expect(Inspection(of: HelloMaker(serverName: name).records()) == refused(.impossibleServerName))
    }

    @Test(arguments: ["", "192.0.2.1", "192.0.2.1.", "2001:db8::1", "::ffff:192.0.2.1", "1.2.3"])
    func `an address, or nothing, as server name counts as no name`(name: String) {
        let records = HelloMaker(serverName: name).records()
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count)))
    }

    @Test func `a final dot makes no other name`() {
        #expect(Inspection(of: HelloMaker(serverName: "App.acme.example.").records()).name == "app.acme.example")
        let longest = String(repeating: "a23456789.", count: 25) + "abc"
        #expect(Inspection(of: HelloMaker(serverName: longest + ".").records()).name == longest)
    }

    @Test func `a name of 253 octets and one with an underscore are read, in lower case`() {
        let longest = String(repeating: "a23456789.", count: 25) + "abc"
        #expect(Inspection(of: HelloMaker(serverName: longest).records()).name == longest)
        #expect(Inspection(of: HelloMaker(serverName: "My_App.ACME.example").records()).name == "my_app.acme.example")
        #expect(Inspection(of: HelloMaker(serverName: "_sip._tcp.example").records()).name == "_sip._tcp.example")
        #expect(Inspection(of: HelloMaker(serverName: longest + "d").records()) == refused(.badServerName))
    }

    @Test func `a second name, in one extension or in two, is refused`() {
        var maker = HelloMaker()
        maker.extensions = [(0, HelloMaker.serverNames(["a.example", "b.example"]))]
        #expect(Inspection(of: maker.records()) == refused(.malformed(.severalServerNames)))
        let one = HelloMaker.serverNames(["a.example"])
        maker.extensions = [(0, one), (0, one)]
        #expect(Inspection(of: maker.records()) == refused(.malformed(.repeatedServerNames)))
    }

    @Test(
        arguments: [[], [0], [0, 0], [0, 1, 0], [0, 4, 0, 0, 2, 97], [0, 5, 0, 0, 1, 97], [0, 2, 0, 0]] as [[UInt8]])
    func `a malformed server name list is refused`(data: [UInt8]) {
        var maker = HelloMaker()
        maker.extensions = [(0, data)]
        #expect(Inspection(of: maker.records()) == refused(.malformed(.serverNames)))
    }

    @Test func `a list of names is judged before any of them`() {
        var maker = HelloMaker()
        let bad = [0] + HelloMaker.number(10) + Array("not a name".utf8)
        let good = [0] + HelloMaker.number(9) + Array("a.example".utf8)
        let other: [UInt8] = [9, 0, 1, 1]
        let lists: [([UInt8], ClientHello.Refusal)] = [
            (bad, .badServerName), (bad + good, .malformed(.severalServerNames)),
            (good + bad, .malformed(.severalServerNames)), (bad + other, .malformed(.serverNames)),
            (other + bad, .malformed(.serverNames)), (bad + [0, 0], .malformed(.serverNames)),
        ]
        for (list, refusal) in lists {
            maker.extensions = [(0, HelloMaker.number(list.count) + list)]
            #expect(Inspection(of: maker.records()) == refused(refusal))
        }
    }

    @Test func `a name of an unknown kind is passed over`() {
        var maker = HelloMaker()
        let host = [0] + HelloMaker.number(9) + Array("a.example".utf8)
        maker.extensions = [(0, HelloMaker.number(17) + [9, 0, 2, 1, 2] + host)]
        #expect(Inspection(of: maker.records()).name == "a.example")
    }
}

@Suite struct `TLS alerts` {
    @Test func `an alert is one fatal record of 7 bytes`() {
        let alert = TLSAlert.unrecognizedName.record
        #expect(alert.indices.map { alert[$0] } == [21, 3, 3, 0, 2, 2, 112])
        let other = TLSAlert.decodeError.record
        #expect(other.indices.map { other[$0] } == [21, 3, 3, 0, 2, 2, 50])
    }

    @Test func `each fault has the alert that OpenSSL gives`() {
        #expect(ClientHello.Refusal.notTLS.alert == nil)
        #expect(ClientHello.Refusal.tooOld.alert == .protocolVersion)
        #expect(ClientHello.Refusal.tooLong.alert == .illegalParameter)
        #expect(ClientHello.Refusal.badServerName.alert == .illegalParameter)
        #expect(ClientHello.Refusal.impossibleServerName.alert == .unrecognizedName)
        let expected: [ClientHello.Fault: TLSAlert] = [
            .recordVersion: .protocolVersion, .recordLength: .recordOverflow, .recordType: .unexpectedMessage,
            .recordsEmpty: .unexpectedMessage, .message: .unexpectedMessage, .length: .decodeError,
            .serverNames: .decodeError, .severalServerNames: .decodeError, .repeatedServerNames: .illegalParameter,
        ]
        for fault in ClientHello.Fault.allCases {
            #expect(ClientHello.Refusal.malformed(fault).alert == expected[fault])
        }
    }
}
