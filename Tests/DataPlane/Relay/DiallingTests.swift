import Domain
import Foundation
import Glibc
import Testing

@testable import DataPlane

@Suite struct `Dialling` {
    private let hello = clientHello("one.acme.test")

    /// Nobody waits here for an attempt to connect to be given up.
    private static let withoutGivingUp = {
        var settings = RelaySettings()
        settings.connectTimeout = .seconds(3600)
        return settings
    }()

    private func carriage(_ hosts: [(host: String, port: UInt16)]) throws -> Carriage {
        try DataPlaneTests.carriage(["one.acme.test"], to: hosts)
    }

    @Test func `a flow that waits for an endpoint that does not answer goes to the one that replaces it`() throws {
        let relay = try RelayHarness(settings: Self.withoutGivingUp)
        let (silent, listener) = (try SilentListener(), try TestListener())
        try relay.route([("one", try carriage([("127.0.0.1", silent.listener.port)]))])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        try relay.route([("one", try carriage([("127.0.0.1", listener.port)]))])
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        #expect(relay.count(.connectFailures, "one") == 0)
    }

    @Test func `a connection that a fallback has taken carries one request after the other`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage([("127.0.0.1", 1), ("127.0.0.1", listener.port)]))])
        let client = try TestConnection(port: relay.httpPort)
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        var endpoint: TestConnection?
        for _ in 0..<3 {
            try client.send("GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n")
            let accepted = try endpoint ?? listener.accept()
            endpoint = accepted
            _ = try accepted.receive(untilSuffix: "\r\n\r\n")
            try accepted.send(ok)
            #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
        }
        #expect(relay.count(.requests, "one") == 3)
    }

    @Test func `nobody is dialled for a client that has gone`() throws {
        let relay = try RelayHarness(settings: Self.withoutGivingUp)
        let silent = try SilentListener()
        try relay.route([("one", try carriage([("127.0.0.1", silent.listener.port)]))])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        client.reset()
        try eventually("the end of the flow") { relay.pool.flowsOpen == 0 }
        #expect(relay.count(.connectFailures, "one") == 0)
    }

    @Test func `a flow that waits for an endpoint ends with its service`() throws {
        let relay = try RelayHarness(settings: Self.withoutGivingUp)
        let silent = try SilentListener()
        try relay.route([("one", try carriage([("127.0.0.1", silent.listener.port)]))])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        try relay.route([])
        #expect(client.receiveAll().end == .reset)
        #expect(relay.count(.serviceGone) == 1)
    }

    @Test func `a fallback takes over when the endpoint refuses, and when its name has no address`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        for (index, first) in ["127.0.0.1", "gone.acme.test"].enumerated() {
            try relay.route(
                [("one", try carriage([(first, 1), ("127.0.0.1", listener.port)]))], names: ["gone.acme.test": []])
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            #expect(try listener.accept().receive(exactly: hello.count) == hello)
            #expect(relay.count(.fallbacksUsed, "one") == UInt64(index + 1))
        }
    }

    @Test func `of many addresses that do not answer two are tried at a time, and the one that does is found`() throws {
        var settings = RelaySettings()
        settings.connectTimeout = .seconds(60)
        let relay = try RelayHarness(settings: settings)
        let addresses = (0..<6).map { _ in Loopback.fresh() }
        let listener = try TestListener(host: addresses[5])
        let silent = try addresses.prefix(5).map { try SilentListener(host: $0, port: listener.port) }
        try relay.route(
            [("one", try carriage([("many.acme.test", listener.port)]))], names: ["many.acme.test": addresses])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        try endpoint.send("welcome")
        #expect(try client.receive(exactly: 7) == Array("welcome".utf8))
        client.reset()
        try relay.expectIdle()
        withExtendedLifetime(silent) {}
    }

    @Test func `many silent addresses cost a target no more than its budget, and then the fallback has its turn`()
        throws
    {
        var settings = RelaySettings()
        settings.connectTimeout = .milliseconds(1500)
        let relay = try RelayHarness(settings: settings)
        let fallback = try TestListener()
        func silent(_ count: Int) throws -> (addresses: [String], listeners: [SilentListener]) {
            let addresses = (0..<count).map { _ in Loopback.fresh() }
            return (addresses, try addresses.map { try SilentListener(host: $0, port: fallback.port) })
        }
        // Eight addresses of one target, two at a time, would be four budgets. Three targets of one address each are
        // three.
        let (many, few) = (try silent(8), try silent(3))
        let last = (host: "127.0.0.1", port: fallback.port)
        try relay.route(
            [
                ("one", try carriage([("many.acme.test", fallback.port), last])),
                (
                    "two",
                    try DataPlaneTests.carriage(
                        ["two.acme.test"], to: few.addresses.map { ($0, fallback.port) } + [last])
                ),
            ], names: ["many.acme.test": many.addresses])
        let clients = try [hello, clientHello("two.acme.test")].map { hello in
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            return client
        }
        #expect(try fallback.accept().receive(exactly: hello.count) == hello)
        withExtendedLifetime((many.listeners, few.listeners, clients)) {}
    }

    @Test func `an address that has failed is tried after the others for a while`() throws {
        let relay = try RelayHarness()
        let addresses = [Loopback.fresh(), Loopback.fresh()]
        let listener = try TestListener(host: addresses[1])
        try relay.route(
            [("one", try carriage([("two.acme.test", listener.port)]))], names: ["two.acme.test": addresses])
        func call() throws {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            #expect(try listener.accept().receive(exactly: hello.count) == hello)
        }
        // Flows begin at either address in turn, so one of two has met the refusal.
        for _ in 0..<2 { try call() }
        // It would take connections again. While its failure is remembered nobody asks it.
        let back = try TestListener(host: addresses[0], port: listener.port)
        for _ in 0..<6 { try call() }
        withExtendedLifetime(back) {}
    }

    @Test func `endpoints are dialled from the source addresses in turn`() throws {
        var settings = RelaySettings()
        settings.sources = try ["127.0.0.61", "127.0.0.62"].map { try Address($0) }
        let (relay, listener) = try RelayHarness.single(settings)
        var sources: Set<String> = []
        for _ in 0..<4 {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: hello.count) == hello)
            sources.insert(endpoint.peer)
        }
        #expect(sources == ["127.0.0.61", "127.0.0.62"])
    }

    @Test func `a service that is removed while its endpoint is dialled ends the flow`() throws {
        let relay = try RelayHarness()
        let silent = try SilentListener()
        try relay.route([("one", try carriage([("127.0.0.1", silent.listener.port)]))])
        let slot = relay.slot(of: "one")
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        try relay.route([])
        #expect(client.receive() == .reset)
        #expect(relay.count(.serviceGone) == 1)
        try eventually("the count") { relay.pool.counters.sum(.connectionsClosed, service: slot) == 1 }
    }

    @Test func `a name that becomes known is dialled at once`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        let service = [("one", try carriage([("late.acme.test", listener.port)]))]
        try relay.route(service)
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        relay.learn("late.acme.test", ["127.0.0.1"])
        #expect(try listener.accept().receive(exactly: hello.count) == hello)
    }

    @Test func `a forbidden address is not dialled`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage([("127.0.0.1", listener.port)]))], allow: [])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        #expect(client.receive() == .reset)
        #expect(relay.count(.addressesForbidden, "one") == 1)
        #expect(relay.count(.connectFailures, "one") == 1)
    }

    @Test func `the flow limit holds connections back until one has ended`() throws {
        var settings = RelaySettings()
        settings.flowLimit = 2
        let relay = try RelayHarness(settings: settings)
        let listener = try TestListener()
        try relay.route([("one", try carriage([("127.0.0.1", listener.port)]))])
        let clients = try (0..<5).map { _ in try TestConnection(port: relay.httpsPort) }
        for client in clients { try client.send(hello) }
        for _ in clients {
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: hello.count) == hello)
            #expect(relay.pool.flowsOpen <= 2)
            endpoint.reset()
        }
        #expect(relay.count(.flowLimitReached) >= 1)
        try relay.expectIdle()
    }
}
