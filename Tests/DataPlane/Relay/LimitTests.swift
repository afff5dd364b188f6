import Domain
import Glibc
import Testing

@testable import DataPlane

/// Limits of services and servers, as clients meet them.
@Suite struct `Limits` {
    private let hello = clientHello("one.acme.test")
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"

    private func makeRelay(
        workers: Int = 1, service: ServiceLimits = .standard, server: ServerLimits = .standard,
        access: ClientAccess = .open, trusted: [String] = [], accept: Bool = false,
        _ adjust: (inout RelaySettings) -> Void = { _ in }
    ) throws -> (relay: RelayHarness, listener: TestListener) {
        var settings = RelaySettings()
        adjust(&settings)
        let relay = try RelayHarness(workers: workers, settings: settings)
        let listener = try TestListener()
        let carriage = try carriage(
            ["one.acme.test"], to: [("127.0.0.1", listener.port)], accept: accept, limits: service, access: access)
        try relay.route([("one", carriage)], trusted: trusted, limits: server)
        return (relay, listener)
    }

    /// A flow by TLS that has reached its endpoint.
    private func open(
        _ relay: RelayHarness, _ listener: TestListener, header: String = ""
    ) throws -> (client: TestConnection, endpoint: TestConnection) {
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(Array(header.utf8) + hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        return (client, endpoint)
    }

    private func expectRefused(_ relay: RelayHarness, status: Int) throws {
        let tls = try TestConnection(port: relay.httpsPort)
        try tls.send(hello)
        #expect(tls.receive() == .reset)
        let http = try TestConnection(port: relay.httpPort)
        try http.send(get)
        let answer = http.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("Retry-After: ") == (status != 403))
    }

    private func source(_ address: String) -> String { "PROXY TCP4 \(address) 198.51.100.7 50000 443\r\n" }

    // MARK: Services

    @Test(arguments: [1, 2])
    func `a service has no more connections open than its limit, over all workers`(workers: Int) throws {
        let (relay, listener) = try makeRelay(workers: workers, service: ServiceLimits(connections: Limit(2)))
        var flows = try (0..<2).map { _ in try open(relay, listener) }
        try expectRefused(relay, status: 503)
        #expect(relay.count(.serviceLimitReached) == 2)
        #expect(relay.count(.serviceLimitReached, "one") == 2)
        flows.removeAll()
        try relay.expectIdle()
        // Who has left makes room, and so does who was refused.
        let again = try (0..<2).map { _ in try open(relay, listener) }
        #expect(relay.count(.serviceLimitReached) == 2)
        withExtendedLifetime(again) {}
    }

    @Test func `a service has no more new connections in a second than its limit`() throws {
        let (relay, listener) = try makeRelay(service: ServiceLimits(newConnections: Limit(1)))
        try eventually("two in one second") {
            for _ in 0..<2 {
                let client = try TestConnection(port: relay.httpPort)
                try client.send(get)
                usleep(10_000)
            }
            return relay.count(.serviceRateExceeded) > 0
        }
        #expect(relay.count(.serviceRateExceeded, "one") == relay.count(.serviceRateExceeded))
        withExtendedLifetime(listener) {}
    }

    @Test func `one client has no more connections to a service than its limit, and other clients have theirs`() throws
    {
        let (relay, listener) = try makeRelay(
            service: ServiceLimits(clientConnections: Limit(1)), trusted: ["127.0.0.0/8"], accept: true)
        var first: (TestConnection, TestConnection)? = try open(relay, listener, header: source("192.0.2.1"))
        let late = try TestConnection(port: relay.httpsPort)
        try late.send(Array(source("192.0.2.1").utf8) + hello)
        #expect(late.receive() == .reset)
        let web = try TestConnection(port: relay.httpPort)
        try web.send(source("192.0.2.1") + get)
        #expect(web.receiveText().hasPrefix("HTTP/1.1 429 "))
        #expect(relay.count(.clientLimitReached, "one") == 2)
        let other = try open(relay, listener, header: source("192.0.2.2"))
        // The first makes room when it has ended.
        first = nil
        try eventually("the end of the first") { relay.pool.flowsOpen == 1 }
        let next = try open(relay, listener, header: source("192.0.2.1"))
        #expect(relay.count(.clientLimitReached) == 2)
        withExtendedLifetime((first, other, next)) {}
    }

    @Test func `one client has no more new connections a second to a service than its limit`() throws {
        let (relay, listener) = try makeRelay(service: ServiceLimits(newClientConnections: Limit(1)))
        try eventually("two in one second") {
            for _ in 0..<2 {
                let client = try TestConnection(port: relay.httpPort)
                try client.send(get)
                usleep(10_000)
            }
            return relay.count(.clientRateExceeded) > 0
        }
        #expect(relay.count(.clientRateExceeded, "one") == relay.count(.clientRateExceeded))
        withExtendedLifetime(listener) {}
    }

    @Test func `a service takes connections from whom it allows, and not from whom it denies`() throws {
        let allow = try makeRelay(access: ClientAccess(allow: [Prefix("192.0.2.0/24")])).relay
        try expectRefused(allow, status: 403)
        #expect(allow.count(.clientDenied) == 2 && allow.count(.clientDenied, "one") == 2)
        let deny = try makeRelay(access: ClientAccess(deny: [Prefix("127.0.0.0/8")])).relay
        try expectRefused(deny, status: 403)
        let (relay, listener) = try makeRelay(
            access: ClientAccess(allow: [Prefix("192.0.2.0/24")], deny: [Prefix("192.0.2.9/32")]),
            trusted: ["127.0.0.0/8"], accept: true)
        let flow = try open(relay, listener, header: source("192.0.2.1"))
        let denied = try TestConnection(port: relay.httpsPort)
        try denied.send(Array(source("192.0.2.9").utf8) + hello)
        #expect(denied.receive() == .reset)
        #expect(relay.count(.clientDenied) == 1)
        withExtendedLifetime(flow) {}
    }

    // MARK: The server

    @Test(arguments: [1, 2])
    func `one client has no more connections to a server than its limit, over all workers`(workers: Int) throws {
        let (relay, listener) = try makeRelay(workers: workers, server: ServerLimits(clientConnections: Limit(2)))
        var flows = try (0..<2).map { _ in try open(relay, listener) }
        let late = try TestConnection(port: relay.httpPort)
        try? late.send(get)
        #expect(late.receive() == .reset)
        #expect(relay.count(.clientLimitReached) == 1)
        #expect(relay.pool.counters.sum(.clientLimitReached, service: ServiceSlot.unrouted) == 1)
        flows.removeAll()
        try relay.expectIdle()
        let again = try open(relay, listener)
        withExtendedLifetime(again) {}
    }

    @Test func `one client has no more hellos under way than its limit`() throws {
        let (relay, listener) = try makeRelay(server: ServerLimits(clientOpenings: Limit(2)))
        let halves = try (0..<2).map { _ in
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(Array(hello.prefix(50)))
            return client
        }
        try eventually("both") { relay.pool.flowsOpen == 2 }
        let late = try TestConnection(port: relay.httpsPort)
        try? late.send(Array(hello.prefix(50)))
        #expect(late.receive() == .reset)
        #expect(relay.count(.openingsExceeded) == 1)
        // Whoever has said where it wants to go is not half open any more.
        try halves[0].send(Array(hello.dropFirst(50)))
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        let next = try open(relay, listener)
        #expect(relay.count(.openingsExceeded) == 1)
        withExtendedLifetime((halves, next)) {}
    }

    @Test func `a trusted sender is no client, and those that it names are`() throws {
        let (relay, listener) = try makeRelay(
            server: ServerLimits(clientConnections: Limit(1)), trusted: ["127.0.0.0/8"], accept: true)
        let flows = try (1...5).map { try open(relay, listener, header: source("192.0.2.\($0)")) }
        let late = try TestConnection(port: relay.httpsPort)
        try late.send(Array(source("192.0.2.3").utf8) + hello)
        #expect(late.receive() == .reset)
        #expect(relay.count(.clientLimitReached) == 1)
        withExtendedLifetime(flows) {}
    }

    // MARK: Slow clients

    @Test(arguments: [true, false])
    func `who sends its hello or head too slowly is let go before its time is over`(isHTTP: Bool) throws {
        let (relay, _) = try makeRelay(server: ServerLimits(minimumRate: 1000)) {
            $0.helloTimeout = .seconds(600)
            $0.paceGrace = .milliseconds(500)
        }
        let client = try TestConnection(port: isHTTP ? relay.httpPort : relay.httpsPort)
        try client.send(isHTTP ? Array("GET / HT".utf8) : Array(hello.prefix(50)))
        if isHTTP {
            #expect(client.receiveText().hasPrefix("HTTP/1.1 408 "))
        } else {
            #expect(client.receive() == .reset)
        }
        #expect(relay.count(.clientTooSlow) == 1)
        #expect(relay.pool.counters.sum(.clientTooSlow, service: ServiceSlot.unrouted) == 1)
    }

    @Test func `who sends the body of a request too slowly is let go, and who sends it fast enough is not`() throws {
        let (relay, listener) = try makeRelay(service: ServiceLimits(minimumRate: 1000)) {
            $0.paceWindow = .seconds(2)
        }
        let post = "POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 1000000\r\n\r\n"
        let fast = try TestConnection(port: relay.httpPort)
        try fast.send(post)
        let first = try listener.accept()
        let slow = try TestConnection(port: relay.httpPort)
        try slow.send(post)
        let second = try listener.accept()
        try eventually("the end of the slow one", within: .seconds(60)) {
            try? slow.send("x")
            try fast.send(pattern(2000))
            usleep(200_000)
            return relay.count(.clientTooSlow) > 0
        }
        #expect(slow.receiveText().hasPrefix("HTTP/1.1 408 "))
        #expect(relay.count(.clientTooSlow, "one") == 1)
        #expect(relay.pool.flowsOpen >= 1)
        try fast.send("still there")
        withExtendedLifetime((first, second)) {}
    }

    // MARK: Restarts

    @Test func `flows of an earlier process count for their client`() throws {
        let limits = try ServerLimits(clientConnections: Limit(1))
        let (relay, listener) = try makeRelay(server: limits)
        let (client, endpoint) = try open(relay, listener)
        let parked = relay.pool.park()
        #expect(parked.isComplete && parked.flows.count == 1)
        let (next, nextListener) = try makeRelay(server: limits)
        next.pool.adopt(parked.flows, slots: ["one": next.slot(of: "one")])
        try endpoint.send("x")
        #expect(try client.receive(exactly: 1) == [UInt8(ascii: "x")])
        let late = try TestConnection(port: next.httpsPort)
        try? late.send(hello)
        #expect(late.receive() == .reset)
        client.shutdownWriting()
        endpoint.shutdownWriting()
        try next.expectIdle()
        let again = try open(next, nextListener)
        withExtendedLifetime((again, listener)) {}
    }
}
