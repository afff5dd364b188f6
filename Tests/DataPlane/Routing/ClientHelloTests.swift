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

    @Test func `records of one byte that trickle in are looked at a few times, not once each`() {
        let records = HelloMaker.records(HelloMaker.postQuantum.message, of: 1)
        var looks = 0
        var until = 1
        while until < records.count, looks < 1000 {
            looks += 1
            guard case .incomplete(let next) = Inspection(of: records[..<until]).outcome, next > until else { break }
            until = next
        }
        #expect(until == records.count)
        #expect(looks < 64)
    }

    @Test func `what follows the hello's last record is not looked at`() {
        let hello = CapturedHello.tls13
        #expect(
            Inspection(of: hello + [23, 3, 3, 0, 0]) == Inspection(.hello(length: hello.count), "app.acme.example"))
    }

    @Test func `a hello of 64 KiB is read, and a longer one refused as soon as it says so`() {
        var maker = HelloMaker(serverName: "app.acme.example")
        let rest = ClientHello.longest - maker.message.count - 4
        maker.extensions?.append((0x15, [UInt8](repeating: 0, count: rest)))
        let records = maker.records()
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count), "app.acme.example"))
        #expect(Inspection(of: [22, 3, 1, 0x40, 0, 1, 0, 0xFF, 0xFD]) == refused(.tooLong))
    }

    @Test func `a hello whose records take too much room is refused`() {
        var maker = HelloMaker(serverName: "app.acme.example")
        maker.extensions?.append((0x15, [UInt8](repeating: 0, count: 20_000)))
        #expect(Inspection(of: maker.records(of: 1)) == refused(.tooLong))
    }

    @Test func `what is not TLS is refused by its first byte`() {
        for byte in UInt8.min...UInt8.max where byte != 22 {
            #expect(Inspection(of: [byte]) == refused(byte < 0x80 ? .notTLS : .tooOld))
        }
        #expect(Inspection(of: [22, 2]) == refused(.notTLS))
        #expect(Inspection(of: "GET / HTTP/1.1\r\n\r\n".utf8) == refused(.notTLS))
    }

    @Test func `SSL 3 is too old`() {
        var maker = HelloMaker(serverName: "app.acme.example")
        maker.version = 0x0300
        #expect(Inspection(of: maker.records()) == refused(.tooOld))
        maker.version = 0x0301
        #expect(Inspection(of: maker.records()).name == "app.acme.example")
    }

    @Test func `records that are empty, too long or of another kind are refused`() {
        #expect(Inspection(of: [22, 3, 1, 0, 0]) == refused(.malformed(.record)))
        #expect(Inspection(of: [22, 3, 1, 0x40, 1]) == refused(.malformed(.record)))
        let message = HelloMaker().message
        let first = HelloMaker.record(message[..<10])
        #expect(Inspection(of: first + [23] + HelloMaker.record(message[10...])[1...]) == refused(.malformed(.record)))
        #expect(Inspection(of: first + [22, 3, 1, 0, 0]) == refused(.malformed(.record)))
    }

    @Test func `another handshake message is refused by its type`() {
        var maker = HelloMaker()
        maker.messageType = 2
        #expect(Inspection(of: maker.records()) == refused(.malformed(.message)))
        #expect(Inspection(of: [22, 3, 1, 0, 90, 2]) == refused(.malformed(.message)))
    }

    @Test func `a hello that ends within a record is refused`() {
        #expect(Inspection(of: HelloMaker.record(HelloMaker().message + [0])) == refused(.malformed(.trailingData)))
    }

    @Test func `a hello without extensions names nobody`() {
        var maker = HelloMaker()
        maker.extensions = nil
        let records = maker.records()
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count)))
    }

    @Test func `lengths that do not fit are malformed`() {
        let message = HelloMaker(serverName: "app.acme.example").message
        // The session's, the suites', the compressions', the extensions' and the first extension's length, each one off.
        for index in [38, 72, 79, 82, 86] {
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
        "", ".", "app..example", ".example", "app.example.", "app example", "app.example\0.other.example",
        "b\u{FC}cher.example",
        "app.example:443", "*.example", "app/example", String(repeating: "a", count: 64) + ".example",
        String(repeating: "a234567.", count: 32),
    ])
    func `a server name that is no host name is refused`(name: String) {
        let expected: ClientHello.Refusal = name.isEmpty ? .malformed(.serverNames) : .badServerName
        #expect(Inspection(of: HelloMaker(serverName: name).records()) == refused(expected))
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "1.2.3"])
    func `an address as server name counts as no name`(name: String) {
        let records = HelloMaker(serverName: name).records()
        #expect(Inspection(of: records) == Inspection(.hello(length: records.count)))
    }

    @Test func `a name of 253 octets and one with an underscore are read, in lower case`() {
        let longest = String(repeating: "a23456789.", count: 25) + "abc"
        #expect(Inspection(of: HelloMaker(serverName: longest).records()).name == longest)
        #expect(Inspection(of: HelloMaker(serverName: "My_App.ACME.example").records()).name == "my_app.acme.example")
        #expect(Inspection(of: HelloMaker(serverName: longest + "d").records()) == refused(.badServerName))
    }

    @Test func `a second name, in one extension or in two, is refused`() {
        var maker = HelloMaker()
        maker.extensions = [(0, HelloMaker.serverNames(["a.example", "b.example"]))]
        #expect(Inspection(of: maker.records()) == refused(.malformed(.severalServerNames)))
        let one = HelloMaker.serverNames(["a.example"])
        maker.extensions = [(0, one), (0, one)]
        #expect(Inspection(of: maker.records()) == refused(.malformed(.severalServerNames)))
    }

    @Test(
        arguments: [[], [0], [0, 0], [0, 1, 0], [0, 4, 0, 0, 2, 97], [0, 5, 0, 0, 1, 97], [0, 3, 0, 0, 0]] as [[UInt8]])
    func `a malformed server name list is refused`(data: [UInt8]) {
        var maker = HelloMaker()
        maker.extensions = [(0, data)]
        #expect(Inspection(of: maker.records()) == refused(.malformed(.serverNames)))
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
        let alert = TLSAlert.unrecognizedName
        #expect(alert.indices.map { alert[$0] } == [21, 3, 3, 0, 2, 2, 112])
        let other = TLSAlert.decodeError
        #expect(other.indices.map { other[$0] } == [21, 3, 3, 0, 2, 2, 50])
    }
}
