import Testing

/// Endpoints that cannot be connected to.
@Suite(.realParts) struct `Fallbacks` {
    private func site(_ server: Server) throws -> String? {
        told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"]
    }

    @Test func `a fallback takes over when the endpoint refuses`() throws {
        let nginx = try Nginx("fallback")
        var endpoint = nginx.first.endpoint
        endpoint.host = Loopback.fresh()
        endpoint.fallbacks = [nginx.first.endpoint]
        let server = try Fleet.single(to: endpoint).servers[0]
        #expect(try site(server) == "fallback")
        let secure = try Curl(server: server, certificate: nginx.certificate.certificate).get("https://app.acme.test/")
        #expect(told(secure.body)["name"] == "fallback")
        #expect(try server.metric("ddirect_service_fallbacks_used_total{service=\"acme-app\"}") == 2)
        #expect(try server.incidents("fallback_used") == 2)
    }

    @Test func `a fallback takes over when the endpoint is silent`() throws {
        let nginx = try Nginx("fallback")
        let silent = try SilentPlace()
        let endpoint = Endpoint(
            host: silent.place.address, httpPort: silent.place.port, httpsPort: silent.place.port,
            fallbacks: [nginx.first.endpoint])
        let server = try Fleet.single(to: endpoint, flags: ["--connect-timeout", "1"]).servers[0]
        #expect(try site(server) == "fallback")
    }

    @Test func `fallbacks are tried in order, by name as by address`() throws {
        let nginx = try Nginx("last")
        let knot = try Knot("dead 60 A \(Loopback.fresh())", "live 60 A \(nginx.first.address)")
        let ports = nginx.first.ports
        func target(_ host: String, _ fallbacks: [Endpoint] = []) -> Endpoint {
            Endpoint(host: host, httpPort: ports.http, httpsPort: ports.https, fallbacks: fallbacks)
        }
        let endpoint = target("nobody.acme.test", [target("dead.acme.test"), target("live.acme.test")])
        let server = try Fleet.single(to: endpoint, flags: knot.resolver).servers[0]
        #expect(try site(server) == "last")
    }

    @Test func `of a name's addresses the one that accepts is found without waiting for the silent one`() throws {
        let nginx = try Nginx("live")
        let silent = try SilentPlace(port: nginx.first.http.port)
        let knot = try Knot("origin 60 A \(silent.place.address)", "origin 60 A \(nginx.first.address)")
        let endpoint = Endpoint(
            host: "origin.acme.test", httpPort: nginx.first.ports.http, httpsPort: nginx.first.ports.https)
        let server = try Fleet.single(to: endpoint, flags: knot.resolver + ["--connect-timeout", "3600"]).servers[0]
        for _ in 0..<4 {
            let began = now()
            // The first is given up after an hour, for which nobody waits here.
            #expect(try site(server) == "live")
            figure("the second address has its turn", now() - began, under: .seconds(5))
        }
    }

    @Test func `nobody there is answered with 502, and silence with 504`() throws {
        let nobody = try Place.fresh()
        let fleet = try Fleet.single(to: Endpoint(nobody), flags: ["--connect-timeout", "2"])
        let server = fleet.servers[0]
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 502)
        try server.awaitIncident("endpoint_unreachable")
        let connection = try TCPConnection(to: server.https)
        try connection.send(clientHello("app.acme.test"))
        #expect(connection.receiveAll().text == "")
        let silent = try SilentPlace()
        try fleet.cutOver(to: Endpoint(silent.place))
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 504)
        try server.awaitIncident("endpoint_timed_out")
    }

    @Test func `an endpoint that leaves without an answer is answered with 502`() throws {
        let peer = try Peer { connection in
            _ = try connection.receive(until: "\r\n\r\n")
            connection.reset()
        }
        let server = try Fleet.single(to: Endpoint(peer.place)).servers[0]
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 502)
        try server.awaitIncident("endpoint_reset")
    }
}

/// A place where connections are neither accepted nor refused: a listener that nobody accepts from, whose queue is
/// full.
final class SilentPlace {
    let place: Place
    private let listener: TCPListener
    private var fillers: [TCPConnection] = []

    init(_ address: String = Loopback.fresh(), port: UInt16 = 0) throws {
        let listener = try TCPListener(address, port: port, backlog: 1)
        (self.listener, place) = (listener, listener.place)
        // The kernel queues one or two more than it was asked to; then a connection attempt gets no answer.
        while fillers.count < 8, let filler = try? TCPConnection(to: place, patience: .milliseconds(300)) {
            fillers.append(filler)
        }
        guard fillers.count < 8 else { throw Failure("the queue does not fill up") }
        let kept = fillers
        try Scene.present().atEnd { withExtendedLifetime((listener, kept)) {} }
    }
}
