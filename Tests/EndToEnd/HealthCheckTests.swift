import JSON
import Synchronization
import Testing

/// Endpoints that are checked by the servers, and what becomes of new connections.
@Suite(.realParts) struct `Health checks` {
    /// Checks with as much time as a busy machine takes for what takes no time.
    private static let interval = 2

    private func check(_ kind: String, holdDown: Int = 3) -> JSONValue {
        [
            "kind": .string(kind), "path": "/health", "intervalSeconds": .integer(Self.interval),
            "timeoutSeconds": .integer(Self.interval), "rise": 2, "fall": 2, "holdDownSeconds": .integer(holdDown),
        ]
    }

    /// One server and one service, whose endpoint has fallbacks and is checked.
    private func fleet(
        to first: Endpoint, _ fallbacks: Endpoint..., check: JSONValue, options: JSONObject = [:]
    ) throws -> Fleet {
        var endpoint = first
        endpoint.fallbacks = fallbacks
        let fleet = try Fleet.single(to: endpoint, options: options)
        try fleet.api.apply("PATCH", "/services/acme-app", ["endpoint": ["check": check]])
        return fleet
    }

    private func standing(_ metric: String, of target: Endpoint, on server: Server) throws -> UInt64? {
        let name = "\(target.host):\(target.httpPort):\(target.httpsPort)"
        return try server.metrics()["ddirect_endpoint_target_\(metric){service=\"acme-app\",target=\"\(name)\"}"]
    }

    private func awaitPreferred(_ target: Endpoint, on server: Server) throws {
        try eventually("\(target.host) is preferred; \(server.name) says: \(server.log.suffix(2000))") {
            try standing("preferred", of: target, on: server) == 1
        }
    }

    private func site(_ server: Server) throws -> String? {
        told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"]
    }

    @Test func `an endpoint whose checks fail loses new connections, and has them again after the hold-down`() throws {
        let (first, second) = (try CheckedSite("first"), try CheckedSite("second"))
        let holdDown = 8
        let fleet = try fleet(to: first.endpoint, second.endpoint, check: check("http", holdDown: holdDown))
        let server = fleet.servers[0]
        let load = try Load.requests(to: server)
        try load.awaitMore(50)

        let ill = now()
        first.answerChecks(503)
        try awaitPreferred(second.endpoint, on: server)
        let moved = now()
        try load.awaitMore(50)
        #expect(try standing("healthy", of: first.endpoint, on: server) == 0)
        #expect(try standing("healthy", of: second.endpoint, on: server) == 1)

        let well = now()
        first.answerChecks(200)
        try eventually("the endpoint is healthy again") {
            try standing("healthy", of: first.endpoint, on: server) == 1
        }
        #expect(try standing("preferred", of: first.endpoint, on: server) == 0)
        try awaitPreferred(first.endpoint, on: server)
        let returned = now()
        try load.awaitMore(50)

        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(to: ill) == ["first"])
        #expect(seen.answers(from: moved, to: well) == ["second"])
        #expect(seen.answers(from: returned) == ["first"])
        #expect(returned - well >= .seconds(holdDown))
        // Nobody had to find out by failing.
        #expect(try server.incidents("fallback_used") == 0)
        for sentence in [
            "A target of an endpoint is unhealthy", "status 503", "New connections go to a fallback",
            "A target of an endpoint is healthy again", "New connections go to the endpoint again",
        ] { try eventually(sentence) { server.log.contains(sentence) } }
    }

    @Test func `a cutover is at once, whatever the checks have seen, and the check goes with it`() throws {
        let sites = try ["first", "second", "third"].map { try CheckedSite($0) }
        let fleet = try fleet(to: sites[0].endpoint, sites[1].endpoint, check: check("http"))
        let server = fleet.servers[0]
        sites[0].answerChecks(503)
        try awaitPreferred(sites[1].endpoint, on: server)
        #expect(try site(server) == "second")

        try fleet.cutOver(to: sites[2].endpoint)
        for _ in 0..<20 { #expect(try site(server) == "third") }
        let service = try fleet.api.grant("GET", "/services/acme-app").body
        #expect(service["endpoint"]["check"] == check("http"))
        try awaitPreferred(sites[2].endpoint, on: server)

        sites[2].answerChecks(500)
        try awaitPreferred(sites[1].endpoint, on: server)
        #expect(try site(server) == "second")

        // Without a check connecting alone tells, as before.
        try fleet.api.apply("PATCH", "/services/acme-app", ["endpoint": ["check": .null]])
        #expect(try site(server) == "third")
        try eventually("nothing is told of its targets any more") {
            try standing("preferred", of: sites[2].endpoint, on: server) == nil
        }
    }

    @Test func `a changed fallback list keeps what is known of those that stay`() throws {
        let sites = try ["first", "second", "third"].map { try CheckedSite($0) }
        let fleet = try fleet(to: sites[0].endpoint, sites[1].endpoint, check: check("http", holdDown: 60))
        let server = fleet.servers[0]
        sites[0].answerChecks(503)
        try awaitPreferred(sites[1].endpoint, on: server)
        var endpoint = sites[0].endpoint
        endpoint.fallbacks = [sites[2].endpoint, sites[1].endpoint]
        try fleet.cutOver(to: endpoint)
        try awaitPreferred(sites[2].endpoint, on: server)
        #expect(try site(server) == "third")
    }

    @Test func `a tls check sees an endpoint that accepts and says nothing`() throws {
        let nginx = try Nginx("fallback")
        let mute = try Peer { connection in while case .bytes = connection.receive() {} }
        let fleet = try fleet(to: Endpoint(mute.place), nginx.first.endpoint, check: check("tls"))
        let server = fleet.servers[0]
        try awaitPreferred(nginx.first.endpoint, on: server)
        let secure = try Curl(server: server, certificate: nginx.certificate.certificate).get("https://app.acme.test/")
        #expect(told(secure.body)["name"] == "fallback")
        #expect(try standing("healthy", of: nginx.first.endpoint, on: server) == 1)
    }

    @Test(arguments: ["tcp", "tls", "http"])
    func `an endpoint that wants PROXY headers is checked with one`(kind: String) throws {
        let nginx = try Nginx("site", "other")
        let fleet = try fleet(
            to: nginx.first.proxyEndpoint, nginx.second.proxyEndpoint, check: check(kind),
            options: ["sendProxyProtocol": "v2"])
        let server = fleet.servers[0]
        try eventually("checks pass; \(server.name) says: \(server.log.suffix(2000))") {
            try server.metric("ddirect_endpoint_checks_total{outcome=\"passed\"}") >= 6
        }
        #expect(try server.metric("ddirect_endpoint_checks_total{outcome=\"failed\"}") == 0)
        #expect(try site(server) == "site")
    }

    @Test func `checks find the addresses of names as connections do`() throws {
        let (first, second) = (try CheckedSite("first"), try CheckedSite("second"))
        let knot = try Knot("origin 1 A \(first.endpoint.host)", "spare 1 A \(second.endpoint.host)")
        func named(_ host: String, _ site: CheckedSite) -> Endpoint {
            Endpoint(host: host, httpPort: site.endpoint.httpPort, httpsPort: site.endpoint.httpsPort)
        }
        var endpoint = named("origin.acme.test", first)
        endpoint.fallbacks = [named("spare.acme.test", second)]
        let fleet = try Fleet.single(to: endpoint, flags: knot.resolver)
        try fleet.api.apply("PATCH", "/services/acme-app", ["endpoint": ["check": check("http")]])
        let server = fleet.servers[0]
        #expect(try site(server) == "first")
        first.answerChecks(503)
        try awaitPreferred(endpoint.fallbacks[0], on: server)
        #expect(try site(server) == "second")
    }
}

/// A site that serves whoever asks, and answers checks as a test wants it.
private final class CheckedSite: Sendable {
    let endpoint: Endpoint
    private let health: SharedStatus

    init(_ name: String) throws {
        let health = SharedStatus()
        self.health = health
        let peer = try Peer { connection in
            let head = try connection.receive(until: "\r\n\r\n")
            let status = head.hasPrefix("GET /health ") ? health.status.withLock { $0 } : 200
            let body = "name=\(name)\n"
            try connection.send(
                "HTTP/1.1 \(status) Whatever\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        }
        endpoint = Endpoint(peer.place)
    }

    func answerChecks(_ status: Int) { health.status.withLock { $0 = status } }
}

private final class SharedStatus: Sendable {
    let status = Mutex(200)
}
