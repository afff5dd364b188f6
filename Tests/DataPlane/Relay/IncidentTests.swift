import Domain
import Glibc
import Testing

@testable import DataPlane

/// Each kind of incident, provoked: whoever adds one finds here that it has no test yet.
@Suite struct `An incident` {
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"
    private let hello = clientHello("one.acme.test")

    /// All but the want of descriptors and of watches, which a whole process or user has and not one worker (end-to-end
    /// tests provoke them), and that of local ports, which a whole machine has: no test provokes that.
    private static let elsewhere: [Incident] = [.descriptorsExhausted, .watchRefused, .localPortsExhausted]
    private static let here = Incident.allCases.filter { !elsewhere.contains($0) }

    @Test(arguments: here) func `is counted once, and told to the log`(incident: Incident) throws {
        let relay = try provoke(incident)
        try eventually("the count of \(incident.label)") { relay.count(incident) > 0 }
        // Nobody else was there. Only a worker that is full says so again for as long as somebody waits.
        if incident != .flowLimitReached { #expect(relay.count(incident) == 1) }
        var told: [Incident] = []
        try eventually("the log's line about \(incident.label)") { () -> Bool in
            told += relay.pool.incidents.drain().map { $0.incident }
            return told.contains(incident)
        }
        // Whose fault it was is never in doubt.
        if incident == .clientReset { #expect(relay.count(.endpointReset) == 0) }
        if incident == .endpointReset { #expect(relay.count(.clientReset) == 0) }
    }

    /// A relay to which this has happened.
    private func provoke(_ incident: Incident) throws -> RelayHarness {
        switch incident {
        case .clientSilent: try beSilent()
        case .clientLeftEarly: try leaveEarly()
        case .helloRefused: try say("hi there", to: \.httpsPort, answer: "")
        case .requestRefused: try say("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", answer: "HTTP/1.1 400 ")
        case .requestTimedOut: try say("GET / HT", answer: "HTTP/1.1 408 ", helloTimeout: .seconds(2))
        case .nameUnknown: try say("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n", answer: "HTTP/1.1 421 ")
        case .otherHostOnConnection: try askForAnother()
        case .proxyHeaderRefused: try say(get, answer: "", trusted: ["127.0.0.0/8"])
        case .requestBodyMalformed:
            try say(
                "POST / HTTP/1.1\r\nHost: one.acme.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                answer: "HTTP/1.1 400 ")
        case .responseMalformed: try hear("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello")
        case .clientReset: try reset(byClient: true)
        case .endpointReset: try reset(byClient: false)
        case .endpointUnresolved: try dial("gone.acme.test")
        case .endpointForbidden: try dial("127.0.0.1", allow: [])
        case .endpointUnreachable: try dial("127.0.0.1", port: 1)
        case .endpointTimedOut: try waitForEndpoint()
        case .endpointLeftEarly: try leaveRequestUnanswered()
        case .fallbackUsed: try fallBack()
        case .idleTimedOut: try fallAsleep { $0.idleTimeout = .seconds(2) }
        case .halfCloseTimedOut: try fallAsleep(halfClosed: true) { $0.halfCloseTimeout = .seconds(2) }
        case .responseTimedOut: try waitForResponse()
        case .responseTruncated: try stopShort(byClient: false)
        case .requestTruncated: try stopShort(byClient: true)
        case .flowLimitReached: try crowd()
        case .descriptorsExhausted, .watchRefused, .localPortsExhausted:
            throw NotInTime(description: "no worker runs out of \(incident.label) by itself")
        case .buffersExhausted: try starve()
        case .drainRefused: try drain()
        case .serviceGone: try removeService()
        case .serviceLimitReached: try exceed(ServiceLimits(connections: Limit(1)))
        case .serviceRateExceeded: try hurry(ServiceLimits(newConnections: Limit(1)), incident)
        case .clientLimitReached: try exceed(ServiceLimits(clientConnections: Limit(1)))
        case .clientRateExceeded: try hurry(ServiceLimits(newClientConnections: Limit(1)), incident)
        case .openingsExceeded: try openTwice()
        case .clientDenied: try exceed(access: ClientAccess(deny: [Prefix("127.0.0.0/8")]))
        case .clientTooSlow: try dawdle()
        case .monitorRefused:
            try say("GET / HTTP/1.1\r\nHost: za1.dfree.test\r\n\r\n", answer: "HTTP/1.1 429 ") {
                $0.monitorStrangers.openPerAddress = 0
            }
        }
    }

    /// A relay whose one service has its endpoint at the listener.
    private func makeRelay(
        trusted: [String] = [], accept: Bool = false, _ adjust: (inout RelaySettings) -> Void = { _ in }
    ) throws -> (relay: RelayHarness, listener: TestListener) {
        var settings = RelaySettings()
        // Only those that are about it wait for it.
        settings.helloTimeout = .seconds(3600)
        adjust(&settings)
        let relay = try RelayHarness(settings: settings)
        let listener = try TestListener()
        try relay.route([("one", try service(("127.0.0.1", listener.port), accept: accept))], trusted: trusted)
        return (relay, listener)
    }

    private func service(_ hosts: (host: String, port: UInt16)..., accept: Bool = false) throws -> Carriage {
        try carriage(["one.acme.test"], to: hosts, accept: accept)
    }

    /// A flow by TLS, of which both ends have heard something.
    private func open(
        _ relay: RelayHarness, _ listener: TestListener
    ) throws -> (client: TestConnection, endpoint: TestConnection) {
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        return (client, endpoint)
    }

    // MARK: Openings

    /// Says something, and hears the beginning of an answer and the end.
    private func say(
        _ text: String, to port: (RelayHarness) -> UInt16 = { $0.httpPort }, answer: String, trusted: [String] = [],
        helloTimeout: Duration = .seconds(3600), _ adjust: (inout RelaySettings) -> Void = { _ in }
    ) throws -> RelayHarness {
        let (relay, listener) = try makeRelay(trusted: trusted) {
            $0.helloTimeout = helloTimeout
            adjust(&$0)
        }
        let client = try TestConnection(port: port(relay))
        try client.send(text)
        let heard = client.receiveText()
        #expect(answer.isEmpty ? heard.isEmpty : heard.hasPrefix(answer), "\(heard)")
        withExtendedLifetime(listener) {}
        return relay
    }

    /// Connects, and says nothing: behind a trusted sender, since without any word the kernel would hold the connection
    /// back for seconds.
    private func beSilent() throws -> RelayHarness {
        let (relay, _) = try makeRelay(trusted: ["127.0.0.0/8"], accept: true) { $0.helloTimeout = .seconds(2) }
        let client = try TestConnection(port: relay.httpsPort)
        try client.send("PROXY TCP4 192.0.2.1 198.51.100.7 50000 443\r\n")
        #expect(client.receive() == .end)
        return relay
    }

    private func leaveEarly() throws -> RelayHarness {
        let (relay, _) = try makeRelay()
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(Array(hello.prefix(50)))
        client.shutdownWriting()
        // As OpenSSL says it: decode_error.
        #expect(client.receiveAll().bytes == [21, 3, 3, 0, 2, 2, 50])
        return relay
    }

    /// Asks, and hears that the endpoint did not answer in HTTP.
    private func hear(_ words: String) throws -> RelayHarness {
        let (relay, listener) = try makeRelay()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        try endpoint.send(words)
        #expect(client.receiveText().hasPrefix("HTTP/1.1 502 "))
        return relay
    }

    private func askForAnother() throws -> RelayHarness {
        let (relay, listener) = try makeRelay()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        try endpoint.send(ok)
        _ = try client.receive(exactly: ok.utf8.count)
        try client.send("GET / HTTP/1.1\r\nHost: two.acme.test\r\n\r\n")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 421 "))
        return relay
    }

    // MARK: Dials

    /// Asks for a service whose endpoint cannot be had.
    private func dial(_ host: String, port: UInt16 = 443, allow: [String] = ["127.0.0.0/8"]) throws -> RelayHarness {
        let relay = try RelayHarness()
        try relay.route([("one", try service((host, port)))], names: ["gone.acme.test": []], allow: allow)
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        #expect(client.receive() == .reset)
        return relay
    }

    private func waitForEndpoint() throws -> RelayHarness {
        let (relay, _) = try makeRelay { $0.connectTimeout = .seconds(2) }
        let silent = try SilentListener()
        try relay.route([("one", try service(("127.0.0.1", silent.listener.port)))])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        #expect(client.receive() == .reset)
        withExtendedLifetime(silent) {}
        return relay
    }

    private func fallBack() throws -> RelayHarness {
        let (relay, listener) = try makeRelay()
        try relay.route([("one", try service(("127.0.0.1", 1), ("127.0.0.1", listener.port)))])
        let (client, endpoint) = try open(relay, listener)
        withExtendedLifetime((client, endpoint)) {}
        return relay
    }

    private func removeService() throws -> RelayHarness {
        let (relay, _) = try makeRelay()
        let silent = try SilentListener()
        try relay.route([("one", try service(("127.0.0.1", silent.listener.port)))])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        try relay.route([])
        #expect(client.receive() == .reset)
        withExtendedLifetime(silent) {}
        return relay
    }

    private func drain() throws -> RelayHarness {
        let (relay, _) = try makeRelay()
        try relay.drain(true)
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        #expect(client.receiveText().hasPrefix("HTTP/1.1 503 "))
        return relay
    }

    // MARK: Flows under way

    private func reset(byClient: Bool) throws -> RelayHarness {
        let (relay, listener) = try makeRelay()
        let (client, endpoint) = try open(relay, listener)
        try endpoint.send("x")
        _ = try client.receive(exactly: 1)
        (byClient ? client : endpoint).reset()
        #expect((byClient ? endpoint : client).receive() == .reset)
        return relay
    }

    /// One side says that ten bytes come, and ends after five.
    private func stopShort(byClient: Bool) throws -> RelayHarness {
        let (relay, listener) = try makeRelay()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(byClient ? "POST / HTTP/1.1\r\nHost: one.acme.test\r\nContent-Length: 10\r\n\r\nhello" : get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: byClient ? "hello" : "\r\n\r\n")
        if byClient {
            client.shutdownWriting()
            #expect(endpoint.receive() == .end)
        } else {
            try endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            endpoint.shutdownWriting()
            #expect(client.receiveText().hasSuffix("hello"))
        }
        return relay
    }

    private func leaveRequestUnanswered() throws -> RelayHarness {
        let (relay, listener) = try makeRelay()
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
        endpoint.shutdownWriting()
        #expect(client.receiveText().hasPrefix("HTTP/1.1 502 "))
        return relay
    }

    private func waitForResponse() throws -> RelayHarness {
        let (relay, listener) = try makeRelay { $0.responseTimeout = .seconds(2) }
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        #expect(client.receiveText().hasPrefix("HTTP/1.1 504 "))
        withExtendedLifetime(endpoint) {}
        return relay
    }

    /// Opens a flow, of which one side may end, and lets nothing pass any more.
    private func fallAsleep(halfClosed: Bool = false, _ adjust: (inout RelaySettings) -> Void) throws -> RelayHarness {
        let (relay, listener) = try makeRelay(adjust)
        let (client, endpoint) = try open(relay, listener)
        if halfClosed { endpoint.shutdownWriting() }
        #expect(client.receive() == (halfClosed ? .end : .reset))
        if halfClosed { #expect(endpoint.receive() == .reset) }
        withExtendedLifetime(endpoint) {}
        return relay
    }

    /// Takes the only place that there is, and asks for another.
    private func crowd() throws -> RelayHarness {
        let (relay, listener) = try makeRelay { $0.flowLimit = 1 }
        let (client, endpoint) = try open(relay, listener)
        let late = try TestConnection(port: relay.httpsPort)
        try late.send(hello)
        try eventually("the limit") { relay.count(.flowLimitReached) > 0 }
        withExtendedLifetime((client, endpoint, late)) {}
        return relay
    }

    // MARK: Limits

    /// A relay whose one service has limits.
    private func makeLimited(
        _ limits: ServiceLimits = .standard, _ access: ClientAccess = .open, server: ServerLimits = .standard
    ) throws -> (relay: RelayHarness, listener: TestListener) {
        let (relay, listener) = try makeRelay { $0.paceGrace = .milliseconds(500) }
        let carriage = try carriage(
            ["one.acme.test"], to: [("127.0.0.1", listener.port)], limits: limits, access: access)
        try relay.route([("one", carriage)], limits: server)
        return (relay, listener)
    }

    /// Has the one connection that there may be, and asks for another.
    private func exceed(
        _ limits: ServiceLimits = .standard, access: ClientAccess = .open
    ) throws -> RelayHarness {
        let (relay, listener) = try makeLimited(limits, access)
        let flow = access == .open ? try open(relay, listener) : nil
        let late = try TestConnection(port: relay.httpsPort)
        try late.send(hello)
        #expect(late.receive() == .reset)
        withExtendedLifetime(flow) {}
        return relay
    }

    /// Makes connections until one was refused, since two had come in the same second.
    private func hurry(_ limits: ServiceLimits, _ incident: Incident) throws -> RelayHarness {
        let (relay, listener) = try makeLimited(limits)
        try eventually("two in one second") {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            usleep(20_000)
            return relay.count(incident) > 0
        }
        withExtendedLifetime(listener) {}
        return relay
    }

    private func openTwice() throws -> RelayHarness {
        let (relay, _) = try makeLimited(server: ServerLimits(clientOpenings: Limit(1)))
        let first = try TestConnection(port: relay.httpsPort)
        try first.send(Array(hello.prefix(50)))
        try eventually("the first") { relay.pool.flowsOpen == 1 }
        let late = try TestConnection(port: relay.httpsPort)
        try? late.send(Array(hello.prefix(50)))
        #expect(late.receive() == .reset)
        withExtendedLifetime(first) {}
        return relay
    }

    private func dawdle() throws -> RelayHarness {
        let (relay, _) = try makeLimited(server: ServerLimits(minimumRate: 1_000_000))
        let client = try TestConnection(port: relay.httpPort)
        try client.send("GET / HT")
        #expect(client.receiveText().hasPrefix("HTTP/1.1 408 "))
        return relay
    }

    private func starve() throws -> RelayHarness {
        let (relay, _) = try makeRelay { $0.bufferLimit = 100 }
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        #expect(client.receive() == .reset)
        return relay
    }
}
