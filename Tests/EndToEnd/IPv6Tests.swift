import Testing

/// Devices and endpoints of both families.
@Suite(.realParts) struct `IPv6` {
    @Test func `a device on IPv6 is carried on both ports, and the endpoint learns its address`() throws {
        let nginx = try Nginx("first")
        let places = try Place.fresh(2, at: "::1")
        let fleet = try Fleet.single(
            to: nginx.first.endpoint, flags: ["--http", "\(places[0])", "--https", "\(places[1])"])
        let response = try HTTPResponse.get("/", at: places[0], host: "app.acme.test")
        #expect(told(response.body)["name"] == "first")
        #expect(told(response.body)["xff"] == "::1")
        let said = try succeed(
            "curl",
            [
                "--silent", "--show-error", "--cacert", nginx.certificate.certificate,
                "--connect-to",
                "::\(places[1])", "https://app.acme.test/",
            ])
        #expect(told(said)["sni"] == "app.acme.test")
        // Who calls by IPv4 is carried beside it.
        #expect(try HTTPResponse.get("/", at: fleet.servers[0].http, host: "app.acme.test").status == 200)
    }

    @Test func `a PROXY header carries a device's IPv6 address`() throws {
        let nginx = try Nginx("first")
        let place = try Place.fresh(1, at: "::1")[0]
        _ = try Fleet.single(
            to: nginx.first.proxyEndpoint, options: ["sendProxyProtocol": "v2"], flags: ["--http", "\(place)"])
        let answer = told(try HTTPResponse.get("/", at: place, host: "app.acme.test").body)
        #expect(answer["proxied"]?.hasPrefix("::1:") == true, "\(answer)")
        #expect(answer["to"] == "::1:\(place.port)")
    }

    @Test func `an endpoint that has IPv6 alone is reached`() throws {
        let peer = try Peer.echo("six", at: "::1")
        let knot = try Knot("origin 60 AAAA ::1")
        let fleet = try Fleet.single(
            to: Endpoint(host: "origin.acme.test", httpsPort: peer.place.port), flags: knot.resolver)
        #expect(try reached(fleet.servers[0]) == "six\n")
        try fleet.cutOver(to: Endpoint(host: "::1", httpsPort: peer.place.port))
        #expect(try reached(fleet.servers[0]) == "six\n")
    }

    @Test func `of both families IPv6 is preferred, and IPv4 takes over when it refuses`() throws {
        let six = try Peer.echo("six", at: "::1")
        let four = try Peer.echo("four", port: six.place.port)
        let knot = try Knot("origin 60 AAAA ::1", "origin 60 A \(four.place.address)")
        let fleet = try Fleet.single(
            to: Endpoint(host: "origin.acme.test", httpsPort: six.place.port), flags: knot.resolver)
        for _ in 0..<4 { #expect(try reached(fleet.servers[0]) == "six\n") }
        six.stop()
        for _ in 0..<4 { #expect(try reached(fleet.servers[0]) == "four\n") }
    }

    @Test func `IPv4 is tried beside an IPv6 that is silent, long before that is given up`() throws {
        let silent = try SilentPlace("::1")
        let four = try Peer.echo("four", port: silent.place.port)
        let knot = try Knot("origin 60 AAAA ::1", "origin 60 A \(four.place.address)")
        let fleet = try Fleet.single(
            to: Endpoint(host: "origin.acme.test", httpsPort: silent.place.port),
            flags: knot.resolver + ["--connect-timeout", "3600"])
        let began = now()
        // The first is given up after an hour, for which nobody waits here.
        #expect(try reached(fleet.servers[0]) == "four\n")
        figure("IPv4 has its turn beside a silent IPv6", now() - began, under: .seconds(10))
        try fleet.servers[0].awaitNoFlows()
    }

    private func reached(_ server: Server) throws -> String {
        let connection = try TCPConnection(to: server.https)
        try connection.send(clientHello("app.acme.test"))
        return try connection.receive(until: "\n")
    }
}
