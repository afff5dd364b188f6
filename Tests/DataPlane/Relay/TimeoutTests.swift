import Domain
import Glibc
import Testing

@testable import DataPlane

/// How long a flow may be without a byte, by TLS and by plain HTTP.
@Suite struct `Timeouts` {
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// What is cut in these tests is cut after this: more than a busy machine takes for what comes before.
    private static let short = Duration.seconds(2)
    /// For what must not be cut while a test trickles.
    private static let long = Duration.seconds(3)
    private static let longer = Duration.seconds(4)

    private func makeRelay(
        _ adjust: (inout RelaySettings) -> Void
    ) throws -> (relay: RelayHarness, listener: TestListener) {
        var settings = RelaySettings()
        adjust(&settings)
        let relay = try RelayHarness(settings: settings)
        let listener = try TestListener()
        let service = try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: .off)
        try relay.route([("one", service)])
        return (relay, listener)
    }

    /// A flow on which both ends may say what they like: by TLS, or a tunnel that an upgrade of plain HTTP has become.
    private func open(
        _ relay: RelayHarness, _ listener: TestListener, isTLS: Bool
    ) throws -> (client: TestConnection, endpoint: TestConnection) {
        let client = try TestConnection(port: isTLS ? relay.httpsPort : relay.httpPort)
        let upgrade = "GET / HTTP/1.1\r\nHost: one.acme.test\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        let opening = isTLS ? clientHello("one.acme.test") : Array(upgrade.utf8)
        try client.send(opening)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: opening.count) == opening)
        if !isTLS {
            let accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
            try endpoint.send(accepted)
            _ = try client.receive(exactly: accepted.utf8.count)
        }
        return (client, endpoint)
    }

    /// Passes a byte every tenth of a second, for so long.
    private func trickle(
        from sender: TestConnection, to reader: TestConnection, for length: Duration
    ) throws {
        let end = ContinuousClock.now + length
        while ContinuousClock.now < end {
            try sender.send(".")
            #expect(try reader.receive(exactly: 1) == Array(".".utf8))
            usleep(100_000)
        }
    }

    // MARK: Idle

    @Test(arguments: [true, false])
    func `a flow on which nothing passes is cut on both sides, and not before its time`(isTLS: Bool) throws {
        let (relay, listener) = try makeRelay { $0.idleTimeout = Self.short }
        let start = ContinuousClock.now
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        #expect(client.receive() == .reset)
        #expect(endpoint.receive() == .reset)
        // The worker's clock ticks ten times a second: the last byte may have passed just before a tick.
        #expect(ContinuousClock.now - start >= Self.short - .milliseconds(100))
        #expect(relay.count(.idleTimedOut) == 1)
        #expect(relay.count(.halfCloseTimedOut) == 0)
        try relay.expectIdle()
        #expect(relay.count(.connectionsClosed, "one") == 1)
    }

    @Test(arguments: [true, false])
    func `a connection of plain HTTP is cut whether it waits for a response or for the next request`(
        isAnswered: Bool
    ) throws {
        let (relay, listener) = try makeRelay { $0.idleTimeout = Self.short }
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: get.utf8.count) == Array(get.utf8))
        if isAnswered {
            try endpoint.send(ok)
            #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
        }
        #expect(client.receive() == .reset)
        #expect(endpoint.receive() == .reset)
        #expect(relay.count(.idleTimedOut) == 1)
        try relay.expectIdle()
    }

    @Test(arguments: [true, false], [true, false])
    func `bytes in one direction are enough to keep a flow`(isTLS: Bool, isFromClient: Bool) throws {
        let (relay, listener) = try makeRelay { $0.idleTimeout = Self.long }
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        if isFromClient {
            try trickle(from: client, to: endpoint, for: Self.longer)
        } else {
            try trickle(from: endpoint, to: client, for: Self.longer)
        }
        #expect(relay.count(.idleTimedOut) == 0)
        client.shutdownWriting()
        #expect(endpoint.receive() == .end)
        endpoint.shutdownWriting()
        #expect(client.receive() == .end)
        try relay.expectIdle()
    }

    // MARK: Half closed

    @Test(arguments: [true, false])
    func `a flow that the endpoint has ended is let go when nothing comes from the client`(isTLS: Bool) throws {
        let (relay, listener) = try makeRelay { $0.halfCloseTimeout = Self.short }
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        endpoint.shutdownWriting()
        #expect(client.receive() == .end)
        #expect(endpoint.receive() == .reset)
        #expect(relay.count(.halfCloseTimedOut) == 1)
        #expect(relay.count(.idleTimedOut) == 0)
        try relay.expectIdle()
        #expect(relay.count(.connectionsClosed, "one") == 1)
    }

    @Test(arguments: [true, false])
    func `a flow that the client has ended is owed its answer for as long as any flow may be idle`(isTLS: Bool) throws {
        let (relay, listener) = try makeRelay {
            $0.halfCloseTimeout = .milliseconds(300)
            $0.idleTimeout = .milliseconds(3000)
        }
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        client.shutdownWriting()
        #expect(endpoint.receive() == .end)
        #expect(client.receive() == .reset)
        #expect(relay.count(.halfCloseTimedOut) == 0)
        #expect(relay.count(.idleTimedOut) == 1)
        try relay.expectIdle()
        #expect(relay.count(.connectionsClosed, "one") == 1)
    }

    @Test(arguments: [true, false], [true, false])
    func `a flow that one side has ended goes on for as long as the other speaks`(
        isTLS: Bool, isEndedByClient: Bool
    ) throws {
        let (relay, listener) = try makeRelay { $0.halfCloseTimeout = Self.long }
        let (client, endpoint) = try open(relay, listener, isTLS: isTLS)
        let (first, other) = isEndedByClient ? (client, endpoint) : (endpoint, client)
        first.shutdownWriting()
        #expect(other.receive() == .end)
        try trickle(from: other, to: first, for: Self.longer)
        other.shutdownWriting()
        #expect(first.receive() == .end)
        try relay.expectIdle()
        #expect(relay.count(.halfCloseTimedOut) == 0)
    }

    @Test func `a client that stays when its endpoint has gone between two requests is let go`() throws {
        let (relay, listener) = try makeRelay { $0.halfCloseTimeout = Self.short }
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: get.utf8.count)
        try endpoint.send(ok)
        endpoint.shutdownWriting()
        #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
        #expect(client.receive() == .end)
        try relay.expectIdle()
        #expect(relay.count(.halfCloseTimedOut) == 1)
        withExtendedLifetime((client, endpoint)) {}
    }

    // MARK: Responses

    @Test func `a request whose response does not begin is answered 504`() throws {
        let (relay, listener) = try makeRelay { $0.responseTimeout = Self.short }
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: get.utf8.count)
        #expect(client.receiveText().hasPrefix("HTTP/1.1 504 "))
        #expect(relay.count(.responseTimedOut) == 1)
        #expect(endpoint.receive() == .end)
    }

    @Test func `a response that has begun may take its time`() throws {
        let (relay, listener) = try makeRelay { $0.responseTimeout = Self.short }
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: get.utf8.count)
        try endpoint.send(String(ok.dropLast()))
        usleep(3_000_000)
        try endpoint.send("k")
        #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
        #expect(relay.count(.responseTimedOut) == 0)
    }

    // MARK: Heads

    @Test func `a later request whose head does not come to its end is answered 408`() throws {
        let (relay, listener) = try makeRelay { $0.helloTimeout = Self.short }
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: get.utf8.count)
        try endpoint.send(ok)
        #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
        // All but the empty line.
        try client.send(String(get.dropLast()))
        #expect(client.receiveText().hasPrefix("HTTP/1.1 408 "))
        #expect(endpoint.receive() == .end)
        #expect(relay.count(.requestTimedOut) == 1)
    }
}
