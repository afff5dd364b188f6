import Testing

/// Services come, go and change their names under traffic, and no established connection is broken by that (invariant
/// 4).
@Suite(.load, .serialized) struct `A changed service` {
    /// What a server says to a hello with a name that nobody has: the alert unrecognized_name, fatal.
    private static let unrecognizedName: [UInt8] = [21, 3, 3, 0, 2, 2, 112]

    /// As many connections as to meet each worker, most likely.
    private static let several = 8

    /// A site whose HTTP is nginx's, and whose TLS is an echo that says the site's name.
    private static func endpoint(_ site: Nginx.Site) throws -> Endpoint {
        let peer = try Peer.echo(site.name, at: site.address)
        return Endpoint(host: site.address, httpPort: site.ports.http, httpsPort: peer.place.port)
    }

    private static func request(_ host: String) -> String { "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n" }

    /// Connections of plain HTTP that have been answered by the first site, and are kept.
    private static func keepAlive(through server: Server) throws -> [TCPConnection] {
        try (0..<several).map { _ in
            let connection = try TCPConnection(to: server.http)
            #expect(try told(connection.exchange(request("app.acme.test")).body)["name"] == "first")
            return connection
        }
    }

    /// Who takes new connections to app.acme.test by TLS: sites by their names, or "nobody" where there is an alert.
    private static func takers(of server: Server) throws -> Set<String> {
        var takers: Set<String> = []
        for _ in 0..<several {
            let connection = try TCPConnection(to: server.https)
            try connection.send(clientHello("app.acme.test"))
            // An alert is as long as "second\n", and "first\n" is shorter.
            let first = try connection.receive(exactly: 6)
            if first == Array("first\n".utf8) {
                takers.insert("first")
                continue
            }
            let all = try first + connection.receive(exactly: 1)
            let isAlert = all == unrecognizedName
            if isAlert { #expect(connection.receive() == .end) }
            takers.insert(isAlert ? "nobody" : String(decoding: all.dropLast(), as: UTF8.self))
        }
        return takers
    }

    private static func check(_ load: Load, isAnsweredBy site: String) throws {
        try load.awaitMore(20)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers() == [site])
    }

    @Test(arguments: [1, 3])
    func `that is removed takes nothing new, and what is open lives on`(workers: Int) throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: Self.endpoint(nginx.first), flags: ["--workers", "\(workers)"])
        try fleet.addService("acme-rest", domains: ["rest.acme.test"], to: nginx.second.endpoint)
        let server = fleet.servers[0]
        let load = try Load.requests(to: server, host: "rest.acme.test")
        let pingPong = try PingPong(Self.several, through: server)
        let connections = try Self.keepAlive(through: server)
        #expect(try Self.takers(of: server) == ["first"])
        try load.awaitMore(20)

        try fleet.api.apply("DELETE", "/services/acme-app")
        #expect(try Self.takers(of: server) == ["nobody"])
        for connection in connections {
            #expect(try connection.exchange(Self.request("app.acme.test")).status == 421)
            #expect(connection.receive() == .end)
        }
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 421)
        try pingPong.awaitMore(10 * Self.several)
        #expect(pingPong.stop() == [])
        try Self.check(load, isAnsweredBy: "second")
    }

    @Test(arguments: [1, 3])
    func `that is made again after its removal has its traffic again`(workers: Int) throws {
        let nginx = try Nginx("first", "second")
        let (first, second) = (try Self.endpoint(nginx.first), try Self.endpoint(nginx.second))
        let fleet = try Fleet.single(to: first, flags: ["--workers", "\(workers)"])
        let server = fleet.servers[0]
        let pingPong = try PingPong(Self.several, through: server)
        for (endpoint, name) in [(second, "second"), (first, "first")] {
            try fleet.api.apply("DELETE", "/services/acme-app")
            #expect(try Self.takers(of: server) == ["nobody"])
            try fleet.addService(to: endpoint)
            #expect(try Self.takers(of: server) == [name])
            try pingPong.awaitMore(10 * Self.several)
        }
        #expect(pingPong.stop() == [], "the flows of the first of them outlived it")
    }

    @Test(arguments: [1, 3])
    func `that gives a client domain to another changes who answers, and what is open lives on`(workers: Int) throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(
            to: Self.endpoint(nginx.first), options: ["clientDomains": ["app.acme.test", "one.acme.test"]],
            flags: ["--workers", "\(workers)"])
        try fleet.addService("acme-new", domains: ["two.acme.test"], to: Self.endpoint(nginx.second))
        let server = fleet.servers[0]
        let loads = try ["one", "two"].map { try Load.requests(to: server, host: "\($0).acme.test", threads: 1) }
        let pingPong = try PingPong(Self.several, through: server)
        let connections = try Self.keepAlive(through: server)
        #expect(try Self.takers(of: server) == ["first"])
        for load in loads { try load.awaitMore(20) }

        try fleet.api.apply("PATCH", "/services/acme-app", ["clientDomains": ["one.acme.test"]])
        #expect(try Self.takers(of: server) == ["nobody"])
        try fleet.api.apply("PATCH", "/services/acme-new", ["clientDomains": ["two.acme.test", "app.acme.test"]])
        #expect(try Self.takers(of: server) == ["second"])
        let answer = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        #expect(told(answer.body)["name"] == "second")
        for connection in connections {
            // It is one of acme-app, whose traffic it may still carry, and no other's.
            #expect(try told(connection.exchange(Self.request("one.acme.test")).body)["name"] == "first")
            #expect(try connection.exchange(Self.request("app.acme.test")).status == 421)
        }
        try pingPong.awaitMore(10 * Self.several)
        #expect(pingPong.stop() == [])
        for (load, site) in zip(loads, ["first", "second"]) { try Self.check(load, isAnsweredBy: site) }
    }
}
