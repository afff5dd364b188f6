import Glibc
import Testing

/// Hellos as devices send them and as nobody should, and what a device is told of one that cannot be routed.
@Suite(.realParts) struct `A hello` {
    private static let name = "app.acme.test"

    // MARK: Taken

    @Test(arguments: [16_384, 100, 1])
    func `as long as OpenSSL takes is carried, in records of any size`(size: Int) throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
        let records = HelloShape.longest.records(of: size)
        let connection = try TCPConnection(to: server.https)
        try connection.send(records)
        #expect(try connection.receive(until: "\n") == "first\n")
        // The peer says again all that comes behind the first record.
        let rest = Array(records.dropFirst(min(size, HelloShape.longest.message.count) + 5))
        #expect(try connection.receive(exactly: rest.count) == rest)
    }

    @Test(arguments: ["app.acme.test.", "App.Acme.Test", "app.acme.test"])
    func `means one service, with a final dot or without`(name: String) throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
        let connection = try TCPConnection(to: server.https)
        try connection.send(clientHello(name))
        #expect(try connection.receive(until: "\n") == "first\n")
    }

    @Test(arguments: [0x0301, 0x0304, 0x0400, 0xFFFF])
    func `of a version newer than any that exists is carried`(version: Int) throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
        var hello = HelloShape(Self.name)
        hello.version = version
        let connection = try TCPConnection(to: server.https)
        try connection.send(hello.records())
        #expect(try connection.receive(until: "\n") == "first\n")
    }

    @Test func `may name a client domain with underscores, and lead to an endpoint with one`() throws {
        let nginx = try Nginx("first")
        let knot = try Knot("my_origin 1 A \(nginx.first.address)")
        let fleet = try Fleet()
        try fleet.addServer("za1", flags: knot.resolver)
        var endpoint = nginx.first.endpoint
        endpoint.host = "my_origin.acme.test"
        let domains = ["_foo.example", "my_app.example", "*._any.example"]
        try fleet.addService(domains: domains, to: endpoint)
        let server = fleet.servers[0]
        let curl = Curl(server: server)
        for name in ["_foo.example", "my_app.example", "MY_APP.example", "a_b._any.example"] {
            let plain = try HTTPResponse.get("/", at: server.http, host: name)
            #expect(plain.body.hasPrefix("name=first host=\(name.lowercased()) "))
            let secure = try curl.get("https://\(name)/", "--insecure")
            #expect(secure.body.contains("sni=\(name.lowercased()) "), "\(secure)")
        }
    }

    @Test(arguments: ["v1", "v2"])
    func `with much behind it is carried to an endpoint that wants a PROXY header`(version: String) throws {
        let peer = try Peer { connection in
            connection.setPatience(.seconds(120))
            var heard: [UInt8] = []
            while case .bytes(let bytes) = connection.receive() {
                heard += bytes
                try connection.send(bytes)
            }
        }
        let fleet = try Fleet.single(to: Endpoint(peer.place), options: ["sendProxyProtocol": .string(version)])
        let server = fleet.servers[0]
        let hello = clientHello(Self.name)
        // Any number of bytes may lie behind the hello when it is read. With the header they are a little less than one
        // read takes, or more.
        for behind in [60_000, 69_500, 200_000] {
            // Stopped, so that all of it is there at once.
            try server.program.signal(SIGSTOP)
            let connection = try TCPConnection(to: server.https, patience: .seconds(120))
            let said = hello + (0..<behind).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try connection.send(said)
            try server.program.signal(SIGCONT)
            let header = version == "v1" ? Array("PROXY TCP4 ".utf8) : [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]
            #expect(try connection.receive(exactly: header.count) == header)
            connection.endWriting()
            var rest: [UInt8] = []
            var end = connection.receive()
            while case .bytes(let bytes) = end {
                rest += bytes
                end = connection.receive()
            }
            // Said as one fact: how thousands of bytes differ helps nobody.
            let isWhole = rest.suffix(said.count) == said[...]
            #expect(
                isWhole, "\(rest.count) bytes of \(said.count) and a header; then \(end); \(server.log.suffix(500))")
            #expect(rest.count < said.count + 108)
        }
    }

    // MARK: Refused

    @Test func `that is wrong gets the alert that OpenSSL gives, and then the end`() throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        // A busy machine sends byte by byte more slowly than a hello may be sent.
        try fleet.api.apply("PATCH", "/servers/za1", ["limits": ["minimumBytesPerSecond": 0]])
        let good = HelloShape(Self.name)
        func of(_ change: (inout HelloShape) -> Void) -> [UInt8] {
            var hello = good
            change(&hello)
            return hello.records()
        }
        let start = HelloShape.record(good.message.prefix(50))
        let cases: [(what: String, bytes: [UInt8], alert: UInt8)] = [
            ("SSL 3", of { $0.version = 0x0300 }, 70),
            ("older than SSL 3", of { $0.version = 0x0200 }, 70),
            ("a later record of another protocol", start + [22, 2, 0], 70),
            ("application data", [23, 3, 1, 0, 5], 10),
            ("an alert", [21, 3, 1, 0, 2, 1, 0], 10),
            ("application data within the hello", start + [23, 3, 3, 0, 5], 10),
            ("another message", [22, 3, 1, 0, 90, 2], 10),
            ("too many empty records", Array(repeatElement([22, 3, 1, 0, 0], count: 33).joined()), 10),
            ("a record that is too long", [22, 3, 1, 0x40, 1], 22),
            ("a later record that is too long", start + [22, 3, 3, 0x48, 1], 22),
            ("a message that is too long", [22, 3, 1, 0, 90, 1, 2, 1, 0x45], 47),
            ("no host name", HelloShape("not a name").records(), 47),
            ("the name twice", of { $0.extensions += $0.extensions }, 47),
            ("a length that does not fit", of { $0.cut = 3 }, 50),
            ("two names", of { $0.extensions = [(0, HelloShape.serverNames([Self.name, "b.example"]))] }, 50),
            ("a list that is not one", of { $0.extensions = [(0, [0, 9])] }, 50),
            ("a name with a zero byte", HelloShape("app.acme.test\0").records(), 112),
            ("nobody's name", HelloShape("nobody.example").records(), 112),
        ]
        for (what, bytes, alert) in cases {
            // All of it in the first read, and byte by byte.
            for slowly in [false, true] {
                let connection = try TCPConnection(to: server.https)
                if slowly {
                    // The last bytes may come after the answer.
                    for byte in bytes { try? connection.send([byte]) }
                } else {
                    try connection.send(bytes)
                }
                #expect(try connection.receive(exactly: 7) == [21, 3, 3, 0, 2, 2, alert], "\(what), slowly: \(slowly)")
                #expect(connection.receive() == .end, "\(what), slowly: \(slowly)")
            }
        }
        #expect(peer.connections == 0)
    }

    @Test func `that the client ends in the middle gets an alert, and silence gets none`() throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
        let hello = HelloShape(Self.name).records()
        for count in [1, 4, 5, 9, 40, hello.count - 1] {
            let connection = try TCPConnection(to: server.https)
            try connection.send(Array(hello.prefix(count)))
            connection.endWriting()
            #expect(try connection.receive(exactly: 7) == [21, 3, 3, 0, 2, 2, 50])
            #expect(connection.receive() == .end)
        }
        let silent = try TCPConnection(to: server.https)
        silent.endWriting()
        #expect(silent.receive() == .end)
    }

    @Test func `that is wrong is told so although the client has sent much behind it`() throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
        let bad = HelloShape("nobody.example").records()
        for behind in [100_000, 3 << 20] {
            try server.program.signal(SIGSTOP)
            let connection = try TCPConnection(to: server.https, patience: .seconds(120))
            // The system grants twice of it: all that follows waits in one socket or the other.
            var room = Int32(8 << 20)
            unsafe setsockopt(
                connection.descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, socklen_t(MemoryLayout<Int32>.size))
            try connection.send(bad + [UInt8](repeating: 7, count: behind))
            try server.program.signal(SIGCONT)
            #expect(try connection.receive(exactly: 7) == [21, 3, 3, 0, 2, 2, 112])
            #expect(connection.receive() == .end, "and no reset, \(behind) bytes behind it")
        }
    }

    // MARK: Late

    @Test func `that does not come is waited for no longer than one that does not end`() throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place), flags: ["--hello-timeout", "5"]).servers[0]
        let silent = try TCPConnection(to: server.https, patience: .seconds(120))
        let silentPlain = try TCPConnection(to: server.http, patience: .seconds(120))
        // The kernel may keep a silent connection to itself for a while. Those that come three seconds later are still
        // the later ones.
        pause(.seconds(3))
        let late = try TCPConnection(to: server.https, patience: .seconds(120))
        try late.send([22])
        let latePlain = try TCPConnection(to: server.http, patience: .seconds(120))
        try latePlain.send("G")
        var counted: [String: UInt64] = [:]
        try eventually("the late ones are cut", within: .seconds(120)) {
            counted = try server.metrics()
            return counted["ddirect_incidents_total{incident=\"request_timed_out\"}"] ?? 0 > 0
        }
        #expect(counted["ddirect_incidents_total{incident=\"client_silent\"}"] == 2, "the silent ones were cut before")
        for connection in [silent, silentPlain, late, latePlain] {
            #expect([.end, .reset].contains(connection.receiveAll().end))
        }
    }

    @Test func `that comes a byte at a time is not waited for beyond the time-out`() throws {
        let peer = try Peer.echo("first")
        let server = try Fleet.single(to: Endpoint(peer.place), flags: ["--hello-timeout", "1"]).servers[0]
        let connection = try TCPConnection(to: server.https, patience: .seconds(120))
        for byte in clientHello(Self.name).dropLast() {
            // Half a minute in all: no byte is long after the one before.
            guard (try? connection.send([byte])) != nil else { break }
            pause(.milliseconds(250))
        }
        #expect([.end, .reset].contains(connection.receiveAll().end))
        try server.awaitIncident("request_timed_out")
        #expect(peer.connections == 0)
    }
}

/// A ClientHello in parts, to be made wrong.
struct HelloShape {
    var version = 0x0303
    var suites: [UInt8] = [0x13, 0x01]
    var compressions: [UInt8] = [0]
    var extensions: [(type: Int, data: [UInt8])]
    /// How many bytes are missing at its end, of which its header does not know.
    var cut = 0

    init(_ name: String) { extensions = [(0, HelloShape.serverNames([name]))] }

    /// As many suites, compressions and extensions as their lengths can say.
    static var longest: HelloShape {
        var hello = HelloShape("app.acme.test")
        hello.suites = [UInt8](repeating: 0x13, count: 65_534)
        hello.compressions = [UInt8](repeating: 0, count: 255)
        hello.extensions.append((21, [UInt8](repeating: 0, count: 65_535 - 8 - hello.extensions[0].data.count)))
        return hello
    }

    static func sized(_ width: Int, _ body: some Collection<UInt8>) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
    }

    static func serverNames(_ names: [String]) -> [UInt8] { sized(2, names.flatMap { [0] + sized(2, Array($0.utf8)) }) }

    static func record(_ piece: some Collection<UInt8>) -> [UInt8] { [22, 3, 1] + sized(2, piece) }

    var message: [UInt8] {
        var body = [UInt8(version >> 8), UInt8(version & 0xFF)] + [UInt8](repeating: 7, count: 32)
        body += [32] + [UInt8](repeating: 9, count: 32)
        body += HelloShape.sized(2, suites) + HelloShape.sized(1, compressions)
        body += HelloShape.sized(
            2,
            extensions.flatMap { [UInt8($0.type >> 8), UInt8($0.type & 0xFF)] + HelloShape.sized(2, $0.data) })
        return [1] + HelloShape.sized(3, body.dropLast(cut))
    }

    func records(of size: Int = 16_384) -> [UInt8] {
        let message = message
        return stride(from: 0, to: message.count, by: size).flatMap {
            HelloShape.record(message[$0..<min($0 + size, message.count)])
        }
    }
}
