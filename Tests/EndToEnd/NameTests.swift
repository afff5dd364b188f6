import Testing

/// Endpoints by name, resolved by a real DNS server whose records change under a running server.
@Suite(.realParts) struct `An endpoint's name` {
    @Test func `an open connection stays where it is when the record changes`() throws {
        let peer = try Peer.echo("old")
        let other = try Peer.echo("new", port: peer.place.port)
        let knot = try Knot("origin 1 A \(peer.place.address)")
        let fleet = try Fleet.single(
            to: Endpoint(host: "origin.acme.test", httpsPort: peer.place.port), flags: knot.resolver)
        let old = try TCPConnection(to: fleet.servers[0].https)
        try old.send(clientHello("app.acme.test"))
        #expect(try old.receive(until: "\n") == "old\n")
        try knot.change("origin", ttl: 1, to: other.place.address)
        try eventually("new connections go to the new address") {
            let connection = try TCPConnection(to: fleet.servers[0].https)
            try connection.send(clientHello("app.acme.test"))
            return try connection.receive(until: "\n") == "new\n"
        }
        try old.send("still here")
        #expect(try old.receive(exactly: 10) == Array("still here".utf8))
    }

    @Test func `the last good address goes on while DNS is away, and a new one is followed when it is back`() throws {
        let nginx = try Nginx("first", "second")
        let knot = try Knot("origin 1 A \(nginx.first.address)")
        let server = try fleet(knot, nginx).servers[0]
        try #require(try site(server) == "first")
        try knot.stop()
        let stopped = now()
        // Far beyond the TTL of one second.
        while now() - stopped < .seconds(5) {
            #expect(try site(server) == "first")
            pause(.milliseconds(100))
        }
        try knot.start(["origin 1 A \(nginx.second.address)"])
        try eventually("traffic reaches the second site") { try site(server) == "second" }
    }

    @Test func `a name that does not exist is answered with 502`() throws {
        let nginx = try Nginx("first")
        let knot = try Knot()
        let server = try fleet(knot, nginx, name: "nobody.acme.test").servers[0]
        let response = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        #expect(response.status == 502)
        try server.awaitIncident("endpoint_unresolved")
        let connection = try TCPConnection(to: server.https)
        try connection.send(clientHello("app.acme.test"))
        #expect(connection.receiveAll().text == "")
    }

    @Test func `a name that comes to exist is found`() throws {
        let nginx = try Nginx("first")
        let knot = try Knot()
        let server = try fleet(knot, nginx, name: "late.acme.test").servers[0]
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 502)
        try knot.change("late", ttl: 1, to: nginx.first.address)
        try eventually("traffic reaches the endpoint") { try site(server) == "first" }
    }

    @Test(arguments: ["10.0.0.1", "169.254.169.254", "the server itself"])
    func `a name that leads to a forbidden address is refused when dialled`(target: String) throws {
        let nginx = try Nginx("first")
        let knot = try Knot("origin 1 A \(nginx.first.address)")
        let server = try fleet(knot, nginx).servers[0]
        try #require(try site(server) == "first")
        try knot.change("origin", ttl: 1, to: target.first?.isNumber == true ? target : server.address)
        try eventually("the endpoint is refused") {
            try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 502
        }
        #expect(try server.incidents("endpoint_forbidden") > 0)
        #expect(try server.metric("ddirect_service_addresses_forbidden_total{service=\"acme-app\"}") > 0)
        try eventually("it is logged") { server.log.contains("forbidden by the endpoint policy") }
    }
}

/// Name servers that fail in part, as those of customers do.
@Suite(.realParts) struct `An endpoint whose name servers misbehave` {
    @Test func `goes on with its address while A fails and AAAA says that there is nothing`() throws {
        let nginx = try Nginx("first", "second")
        let names = try OddNames("origin.acme.test A 1 \(nginx.first.address)", "origin.acme.test AAAA nothing")
        let server = try fleet(names, nginx).servers[0]
        try #require(try site(server) == "first")
        try names.change("origin.acme.test A fail", "origin.acme.test AAAA nothing")
        let age = "ddirect_endpoint_name_age_seconds{name=\"origin.acme.test\",serving=\"stale\"}"
        // Beyond the half minute after which a name that has nothing loses its addresses.
        try eventually("A has failed for 35 s", within: .seconds(180), every: .milliseconds(200)) {
            #expect(try site(server) == "first")
            return try server.metrics()[age] ?? 0 >= 35
        }
        #expect(try server.metric("ddirect_name_answers_total{answer=\"server_failure\"}") >= 3)
        try names.change("origin.acme.test A 1 \(nginx.second.address)", "origin.acme.test AAAA nothing")
        try eventually("traffic reaches the second site", within: .seconds(60)) { try site(server) == "second" }
        try eventually("its age is no matter any more") { try server.metrics()[age] == nil }
    }

    @Test func `is reached by its A although nobody answers for its AAAA`() throws {
        let nginx = try Nginx("first")
        let names = try OddNames("origin.acme.test A 1 \(nginx.first.address)", "origin.acme.test AAAA drop")
        let server = try fleet(names, nginx).servers[0]
        // The first request waits for the first answer. It waits for 5 s at most, and for the AAAA of this name in
        // vain.
        let start = now()
        let response = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        print("A first request beside an AAAA that is never answered took \(now() - start)")
        #expect(response.status == 200)
        try eventually("the AAAA is waited for") { try server.metric("ddirect_name_questions_open") > 0 }
    }

    @Test func `has 20 addresses of which one works, and connections reach it`() throws {
        let nginx = try Nginx("first")
        // Nothing listens at any of the others. The one that works has the highest number, so it is the last of the
        // list.
        let others = (0..<19).map { "127.15.255.\(1 + $0)" }
        let names = try OddNames(
            "origin.acme.test A 60 \((others + [nginx.first.address]).joined(separator: ","))",
            "origin.acme.test AAAA nothing")
        let server = try fleet(names, nginx).servers[0]
        for _ in 0..<5 {
            #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
        }
    }

    @Test func `is found while 1,500 names of another customer are not answered for`() throws {
        let nginx = try Nginx("first", "second")
        let names = try OddNames("dead* any drop", "origin.acme.test A 1 \(nginx.first.address)", "* AAAA nothing")
        let ports = nginx.first.ports
        let fleet = try Fleet()
        try fleet.addServer("za1", flags: names.resolver)
        try fleet.api.grant("POST", "/customers", ["name": "acme"])
        for group in 0..<15 {
            let dead = (0..<100).map { Endpoint(host: "dead\(group)-\($0).acme.test") }
            for (index, first) in stride(from: 0, to: 100, by: 4).enumerated() {
                var endpoint = dead[first]
                endpoint.fallbacks = Array(dead[(first + 1)..<(first + 4)])
                try fleet.addService(
                    "dead-\(group)-\(index)", domains: ["dead\(group)-\(index).example"], to: endpoint)
            }
        }
        try fleet.addService(
            to: Endpoint(host: "origin.acme.test", httpPort: ports.http, httpsPort: ports.https))
        let server = fleet.servers[0]
        #expect(try site(server) == "first")
        try names.change("dead* any drop", "origin.acme.test A 1 \(nginx.second.address)", "* AAAA nothing")
        let changed = now()
        try eventually("traffic reaches the second site") { try site(server) == "second" }
        print("A name of TTL 1 beside 1,500 dead ones was followed in \(now() - changed)")
    }
}

/// How soon a change in DNS is traffic's.
@Suite(.load, .serialized) struct `A changed name` {
    @Test(arguments: [1, 2]) func `a changed record is followed within its TTL and a second`(ttl: Int) throws {
        let nginx = try Nginx("first", "second")
        let knot = try Knot("origin \(ttl) A \(nginx.first.address)")
        let server = try fleet(knot, nginx).servers[0]
        for next in [nginx.second, nginx.first, nginx.second] {
            try #require(try site(server) != next.name)
            try knot.change("origin", ttl: ttl, to: next.address)
            let changed = now()
            try eventually("traffic reaches the \(next.name) site") { try site(server) == next.name }
            figure("a changed record of TTL \(ttl) is followed", now() - changed, under: .seconds(ttl + 1))
        }
    }

    /// The second way of moving an endpoint: its name is an intermediate one, whose CNAME the customer changes.
    @Test func `a changed CNAME is followed through a recursive resolver, however long its target's address holds`()
        throws
    {
        let nginx = try Nginx("first", "second")
        let bind = try BIND(
            "origin 1 CNAME hop.acme.test.", "hop 1 CNAME one.acme.test.", "one 3600 A \(nginx.first.address)",
            "two 3600 A \(nginx.second.address)")
        let unbound = try Unbound(asking: bind.place)
        let ports = nginx.first.ports
        let server = try Fleet.single(
            to: Endpoint(host: "origin.acme.test", httpPort: ports.http, httpsPort: ports.https),
            flags: unbound.resolver
        ).servers[0]
        for (target, name) in [("two", "second"), ("one", "first")] {
            try #require(try site(server) != name)
            try bind.point("hop", ttl: 1, to: target)
            let changed = now()
            try eventually("traffic reaches the \(name) site") { try site(server) == name }
            // The resolver may have asked just before the change, and we just before its answer ended: twice the TTL,
            // and a second.
            figure("a changed CNAME of TTL 1 is followed through a resolver", now() - changed, under: .seconds(3))
        }
    }

    @Test func `an address that refuses is asked about again long before its TTL ends`() throws {
        let nginx = try Nginx("first")
        let nobody = Loopback.fresh()
        // Longer than anything is waited for here.
        let timeToLive = 36_000
        let knot = try Knot("origin \(timeToLive) A \(nobody)")
        let server = try fleet(knot, nginx).servers[0]
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 502)
        try knot.change("origin", ttl: timeToLive, to: nginx.first.address)
        let changed = now()
        try eventually("traffic reaches the new address") {
            try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200
        }
        figure("an address that refuses is replaced", now() - changed, under: .seconds(3))
    }
}

private func site(_ server: Server) throws -> String? {
    told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"]
}

/// A service whose endpoint is `name`, on the ports of nginx's sites.
private func fleet(_ names: some NameServer, _ nginx: Nginx, name: String = "origin.acme.test") throws -> Fleet {
    let ports = nginx.first.ports
    return try Fleet.single(
        to: Endpoint(host: name, httpPort: ports.http, httpsPort: ports.https), flags: names.resolver)
}
