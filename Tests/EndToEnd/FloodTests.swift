import Glibc
import Testing

/// Many at once, from clients who mean no good or have gone to sleep.
@Suite(.load, .serialized) struct `Floods` {
    @Test func `two thousand half-open connections go when their time is over`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint, flags: ["--hello-timeout", "4", "--workers", "2"])
        try fleet.liftClientLimits()
        let server = fleet.servers[0]
        _ = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        let before = try server.atRest(\.descriptorCount)
        let began = now()
        let half = Array(clientHello("app.acme.test").prefix(30))
        var connections: [TCPConnection] = []
        for number in 0..<2000 {
            let isHTTP = number.isMultiple(of: 2)
            let connection = try TCPConnection(to: isHTTP ? server.http : server.https)
            try connection.send(isHTTP ? Array("GET / HTTP/1.1\r\nHo".utf8) : half)
            connections.append(connection)
        }
        // A well-behaved client between them is served.
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
        #expect(try server.program.residentMemory < 500 << 20)
        for connection in connections { #expect(connection.receiveAll().end != .nothing) }
        try server.awaitNoFlows()
        try eventually("its descriptors are back to \(before)") { try server.program.descriptorCount <= before }
        #expect(try server.incidents("request_timed_out") == 2000)
        func lines() -> Int { server.log.split(separator: "\n").count { $0.contains("incident=request_timed_out") } }
        try eventually("it is logged; it says: \(server.log.suffix(2000))") { lines() > 0 }
        // One line a second of each of the two workers, and the seconds rounded up.
        #expect(lines() <= 2 * (2 + (now() - began).milliseconds / 1000), "the log is rate-limited")
    }

    @Test func `connections beyond the flow limit wait and are then served`() throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(to: Endpoint(peer.place), flags: ["--flow-limit", "20"])
        let server = fleet.servers[0]
        var connections = try (0..<20).map { _ in
            let connection = try TCPConnection(to: server.https)
            try connection.send(clientHello("app.acme.test"))
            #expect(try connection.receive(until: "\n") == "first\n")
            return connection
        }
        let late = try TCPConnection(to: server.https)
        try late.send(clientHello("app.acme.test"))
        try server.awaitIncident("flow_limit_reached")
        connections.removeLast(5)
        #expect(try late.receive(until: "\n") == "first\n")
    }

    @Test func `a server out of descriptors says so, waits without spinning, and serves again when there are some`()
        throws
    {
        let peer = try Peer.echo("first")
        let fleet = try Fleet()
        let server = try fleet.addServer("za1", flags: ["--flow-limit", "1000"], descriptorLimit: 160)
        try fleet.addService(to: Endpoint(peer.place))
        // Their own connection to /metrics finds no descriptor either.
        var connections = try (0..<120).map { _ in
            let connection = try TCPConnection(to: server.https)
            try connection.send(clientHello("app.acme.test"))
            return connection
        }
        try eventually("it is logged; it says: \(server.log)") { server.log.contains("descriptors_exhausted") }
        let before = try server.program.processorTime
        pause(.seconds(2))
        #expect(try server.program.processorTime - before < .seconds(1))
        connections.removeAll()
        try eventually("it serves again") {
            let connection = try TCPConnection(to: server.https, patience: .seconds(20))
            try connection.send(clientHello("app.acme.test"))
            return (try? connection.receive(until: "\n")) == "first\n"
        }
        #expect(try server.incidents("descriptors_exhausted") > 0)
        // The want is the server's own: no endpoint is to blame for it.
        #expect(try server.incidents("endpoint_unreachable") == 0)
        #expect(try server.metric("ddirect_service_connect_failures_total{service=\"acme-app\"}") == 0)
        try server.awaitNoFlows()
    }

    @Test func `clients who reset in the middle of everything leave nothing behind`() throws {
        let nginx = try Nginx("first")
        try succeed("dd", ["if=/dev/zero", "of=\(nginx.files)/large", "bs=1M", "count=16", "status=none"])
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        _ = try HTTPResponse.get("/files/large", at: server.http, host: "app.acme.test")
        let before = try server.atRest { $0.descriptorCount - $0.pipeEndCount }
        let openings = [
            "", "GET", "GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n",
            "GET /files/large HTTP/1.1\r\nHost: app.acme.test\r\n\r\n",
            "PUT /files/up HTTP/1.1\r\nHost: app.acme.test\r\nContent-Length: 1000000\r\n\r\nbegin",
        ]
        // Several times, since what is kept for reuse stops growing, and what is lost does not.
        for _ in 0..<4 {
            for number in 0..<100 {
                let connection = try TCPConnection(to: server.http)
                try connection.send(openings[number % openings.count])
                // Only where an answer comes; the others would be waited for until their time is over.
                if number % openings.count == 3, number.isMultiple(of: 2) { _ = connection.receive(upTo: 1) }
                connection.reset()
            }
            try server.awaitNoFlows()
        }
        try eventually("its sockets are back to \(before)") {
            let program = try server.program
            return program.descriptorCount - program.pipeEndCount <= before
        }
        // Pipes of two ends are kept, at most 64 of a worker (PipePool). No more can be there than were wanted at one
        // time: one for each of the twenty large files of a round, whose flows have all ended before the next begins.
        #expect(try server.atRest(\.pipeEndCount) <= 2 * 20)
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
    }

    @Test func `a client that does not read makes the server hold next to nothing`() throws {
        let nginx = try Nginx("first")
        try succeed("dd", ["if=/dev/zero", "of=\(nginx.files)/large", "bs=1M", "count=64", "status=none"])
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        _ = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        let before = try server.program.residentMemory
        let connections = try (0..<40).map { _ in
            let connection = try TCPConnection(to: server.http)
            try connection.send("GET /files/large HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
            return connection
        }
        var last: UInt64 = 0
        try eventually("the stream has come to a stand", every: .milliseconds(300)) {
            let count = try server.metric("ddirect_service_bytes_total{service=\"acme-app\",direction=\"down\"}")
            defer { last = count }
            return count > 0 && count == last
        }
        #expect(try server.program.residentMemory - before < 64 << 20)
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
        withExtendedLifetime(connections) {}
    }
}
