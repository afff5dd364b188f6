import Glibc
import Testing

/// SIGTERM: no new connections, the open ones end by themselves or at the deadline.
@Suite(.realParts) struct `Draining` {
    /// Connections to a `Peer.echo` on which it has said its name: enough that of several workers each is likely to
    /// have some.
    private func open(to server: Server) throws -> [TCPConnection] {
        try (0..<8).map { _ in
            let connection = try TCPConnection(to: server.https)
            try connection.send(clientHello("app.acme.test"))
            #expect(try connection.receive(until: "\n") == "first\n")
            return connection
        }
    }

    @Test(arguments: [1, 3])
    func `open connections may finish, new ones are refused, and the exit code is 0`(workers: Int) throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(
            to: Endpoint(peer.place), flags: ["--drain-timeout", "3600", "--workers", "\(workers)"])
        let server = fleet.servers[0]
        let connections = try open(to: server)
        try server.program.signal(SIGTERM)
        try eventually("it says that it takes no more") {
            try HTTPResponse.get("/readyz", at: server.admin).status == 503
        }
        try eventually("new connections are refused") {
            guard let late = try? TCPConnection(to: server.https, patience: .seconds(20)) else { return true }
            try? late.send(clientHello("app.acme.test"))
            return late.receive() != .bytes(Array("first\n".utf8))
        }
        for connection in connections {
            try connection.send("still served")
            #expect(try connection.receive(exactly: 12) == Array("still served".utf8))
        }
        #expect(try server.program.isRunning)
        for connection in connections {
            connection.endWriting()
            #expect(connection.receive() == .end)
        }
        #expect(try server.program.waitForEnd() == .exited(0))
    }

    @Test(arguments: [1, 3]) func `the deadline cuts what stays open`(workers: Int) throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(
            to: Endpoint(peer.place), flags: ["--drain-timeout", "1", "--workers", "\(workers)"])
        let server = fleet.servers[0]
        let connections = try open(to: server)
        let began = now()
        try server.program.signal(SIGTERM)
        for connection in connections {
            // An end would be taken for the endpoint's own.
            #expect(connection.receive() == .reset)
            #expect(now() - began >= .milliseconds(900))
        }
        #expect(try server.program.waitForEnd() == .exited(0))
    }

    @Test(arguments: [1, 3])
    func `an idle HTTP connection does not hold the end up, and a request under way is answered`(workers: Int) throws {
        let peer = try Peer { connection in
            while true {
                let head = try connection.receive(until: "\r\n\r\n")
                if head.hasPrefix("GET /slow") { pause(.seconds(1)) }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        let fleet = try Fleet.single(
            to: Endpoint(peer.place), flags: ["--drain-timeout", "3600", "--workers", "\(workers)"])
        let server = fleet.servers[0]
        let idle = try TCPConnection(to: server.http)
        #expect(try idle.exchange("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n").body == "ok")
        let busy = try TCPConnection(to: server.http)
        try busy.send("GET /slow HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
        try eventually("the request is under way") { peer.connections == 2 }
        try server.program.signal(SIGTERM)
        #expect(try busy.receiveResponse().body == "ok")
        #expect(idle.receive() == .end)
        // The deadline of the drain is far behind what is waited for here.
        #expect(try server.program.waitForEnd() == .exited(0))
    }

    @Test func `the control plane ends cleanly, and servers go on`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        fleet.control.signal(SIGTERM)
        #expect(try fleet.control.waitForEnd() == .exited(0))
        #expect(try HTTPResponse.get("/", at: fleet.servers[0].http, host: "app.acme.test").status == 200)
    }

    @Test(arguments: [1, 3])
    func `an operator's drain refuses new traffic until it is taken back, and leaves open connections alone`(
        workers: Int
    ) throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint, flags: ["--workers", "\(workers)"])
        let server = fleet.servers[0]
        let request = "GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n"
        let connection = try TCPConnection(to: server.http)
        #expect(try connection.exchange(request).status == 200)
        try fleet.api.grant("POST", "/servers/za1/drain")
        // As often in a row as to meet each worker, most likely.
        func allAnswer(_ status: Int) throws -> Bool {
            try (0..<8).allSatisfy { _ in
                try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == status
            }
        }
        try eventually("traffic is refused") { try allAnswer(503) }
        #expect(
            try HTTPResponse.get("/", at: server.http, host: "za1.dfree.test").status == 503,
            "the monitor endpoint says so")
        try fleet.awaitServer("za1", "is draining") { $0["draining"] == true }
        #expect(try connection.exchange(request).status == 200)
        #expect(try server.incidents("drain_refused") >= 8)
        try fleet.api.grant("POST", "/servers/za1/undrain")
        try eventually("traffic is taken") { try allAnswer(200) }
    }
}
