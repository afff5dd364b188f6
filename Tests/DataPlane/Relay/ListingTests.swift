import Domain
import Glibc
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The oldest flows` {
    /// Numbers that look like chance, and are the same in every run.
    private func numbers(_ count: Int) -> [UInt32] {
        var state: UInt64 = 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32(state >> 40)
        }
    }

    @Test(arguments: [1, 2, 7, 100, 1000, 5000]) func `of many are found in whatever order they come`(limit: Int) {
        let begun = numbers(3000)
        let right = begun.sorted().prefix(limit)
        for order in [begun, begun.sorted(), begun.sorted().reversed()] {
            var oldest = OldestFlows(limit: limit)
            for (place, openedAt) in order.enumerated() {
                oldest.see(OldestFlows.Sighting(flow: FlowIndex(Int32(place)), openedAt: openedAt))
            }
            let found = oldest.inOrder()
            #expect(found.map(\.openedAt) == Array(right))
            #expect(found.allSatisfy { order[Int($0.flow.place)] == $0.openedAt })
        }
    }

    @Test func `of none are none`() {
        var oldest = OldestFlows(limit: 3)
        #expect(oldest.inOrder().isEmpty)
    }
}

/// What workers answer when they are asked for their open flows.
@Suite struct `Listing flows` {
    /// Asks every worker, and waits until each has answered: how many match in all, and the flows, the oldest of each
    /// worker first.
    private func list(
        _ relay: RelayHarness, service: String? = nil, client: String? = nil, limit: Int = 100
    ) throws -> (matching: UInt64, flows: [FoundFlow]) {
        let answers = try Mailbox<FlowFindings>(limit: 64)
        let search = FlowSearch(
            number: 7, service: service.map { relay.slot(of: $0) }, client: try client.map { try Prefix($0) },
            limit: limit, deadline: .max, answers: answers)
        relay.pool.post(.list(search))
        var findings: [FlowFindings] = []
        try eventually("the answer of every worker") {
            findings += answers.drain()
            return findings.count == relay.pool.mailboxes.count
        }
        #expect(Set(findings.map(\.worker)) == Set(relay.pool.mailboxes.indices))
        #expect(findings.allSatisfy { $0.search == 7 })
        return (findings.map(\.matching).reduce(0, +), findings.flatMap(\.flows))
    }

    private func local(_ connection: TestConnection) throws -> TransportAddress {
        try #require(Syscalls.Socket(number: connection.descriptor).localAddress)
    }

    private func loopback(_ port: UInt16) -> TransportAddress {
        TransportAddress(Address(ipv4: 0x7F00_0001), port: port)
    }

    /// A flow by TLS that has reached its endpoint.
    private func open(
        _ relay: RelayHarness, _ listener: TestListener, _ host: String = "one.acme.test", header: String = ""
    ) throws -> (client: TestConnection, endpoint: TestConnection) {
        let hello = clientHello(host)
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(Array(header.utf8) + hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        return (client, endpoint)
    }

    @Test func `an open flow is listed with both its ends and its bytes, and a closed one is not`() throws {
        let (relay, listener) = try RelayHarness.single()
        #expect(try list(relay).matching == 0)
        let (client, endpoint) = try open(relay, listener)
        try endpoint.send("answer")
        _ = try client.receive(exactly: 6)
        let (matching, flows) = try list(relay)
        #expect(matching == 1)
        let flow = try #require(flows.first)
        #expect(flows.count == 1)
        #expect(flow.service == relay.slot(of: "one"))
        #expect(flow.stage == .relaying)
        #expect(!flow.isHTTP)
        #expect(try flow.client == local(client))
        #expect(flow.called == loopback(relay.httpsPort))
        #expect(flow.endpoint == loopback(listener.port))
        #expect(flow.bytesUp == UInt64(clientHello("one.acme.test").count))
        #expect(flow.bytesDown == 6)
        // It grows old, and any byte ends its idleness.
        try eventually("its age") { try list(relay).flows.first.map { $0.age > flow.age && $0.idle > 0 } ?? false }
        client.shutdownWriting()
        endpoint.shutdownWriting()
        try relay.expectIdle()
        let (left, none) = try list(relay)
        #expect(left == 0 && none.isEmpty)
    }

    @Test func `a client that has not said what it wants is nobody's, and is opening`() throws {
        let (relay, _) = try RelayHarness.single()
        let client = try TestConnection(port: relay.httpPort)
        try client.send("GET / HT")
        try eventually("its flow") { relay.pool.flowsOpen == 1 }
        let (_, flows) = try list(relay)
        #expect(flows.map(\.service) == [ServiceSlot.unrouted])
        #expect(flows.map(\.stage) == [.opening])
        #expect(flows.map(\.isHTTP) == [true])
        #expect(flows.first?.endpoint == nil && flows.first?.target == nil)
        #expect(try flows.first?.client == local(client))
        #expect(try list(relay, service: "one").matching == 0)
    }

    @Test func `a flow whose endpoint does not answer says which target it tries`() throws {
        let relay = try RelayHarness()
        let silent = try SilentListener()
        let service = try carriage(["one.acme.test"], to: [("127.0.0.1", silent.listener.port)])
        try relay.route([("one", service)])
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(clientHello("one.acme.test"))
        try eventually("its connection is counted") { relay.count(.connectionsOpened, "one") == 1 }
        let flow = try #require(try list(relay).flows.first)
        #expect(flow.stage == .dialling)
        #expect(flow.target == 0)
        #expect(flow.endpoint == nil)
    }

    @Test(arguments: [1, 2]) func `a service narrows the list, whichever workers have its flows`(workers: Int) throws {
        let relay = try RelayHarness(workers: workers)
        let (first, second) = (try TestListener(), try TestListener())
        try relay.route([
            ("one", try carriage(["one.acme.test"], to: [("127.0.0.1", first.port)])),
            ("two", try carriage(["two.acme.test"], to: [("127.0.0.1", second.port)])),
        ])
        let ones = try (0..<5).map { _ in try open(relay, first) }
        let twos = try (0..<3).map { _ in try open(relay, second, "two.acme.test") }
        #expect(try list(relay).matching == 8)
        let (matching, flows) = try list(relay, service: "two")
        #expect(matching == 3)
        #expect(try Set(flows.compactMap(\.client)) == Set(twos.map { try local($0.client) }))
        #expect(try list(relay, service: "one").matching == UInt64(ones.count))
    }

    @Test func `a client behind a trusted sender is the one that it names, for filters too`() throws {
        let relay = try RelayHarness()
        let listener = try TestListener()
        let service = try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)], accept: true)
        try relay.route([("one", service)], trusted: ["127.0.0.0/8"])
        let flows = try ["192.0.2.1", "192.0.2.200", "203.0.113.1"].map { client in
            try open(relay, listener, header: "PROXY TCP4 \(client) 198.51.100.7 50000 443\r\n")
        }
        let (matching, found) = try list(relay, client: "192.0.2.0/25")
        #expect(matching == 1)
        #expect(found.map(\.client) == [try TransportAddress("192.0.2.1:50000")])
        #expect(found.map(\.called) == [try TransportAddress("198.51.100.7:443")])
        #expect(try list(relay, client: "192.0.2.0/24").matching == 2)
        #expect(try list(relay, service: "one", client: "203.0.113.1").matching == 1)
        #expect(try list(relay, client: "127.0.0.0/8").matching == 0)
        #expect(try list(relay, client: "::/0").matching == 0)
        #expect(flows.count == 3)
    }

    @Test func `of more flows than are wanted the oldest are listed, and all are counted`() throws {
        let (relay, listener) = try RelayHarness.single()
        let flows = try (0..<12).map { _ in try open(relay, listener) }
        let (matching, found) = try list(relay, limit: 5)
        #expect(matching == 12)
        // One after the other, so each in the place behind the one before.
        #expect(try found.compactMap(\.client) == flows.prefix(5).map { try local($0.client) })
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.age >= $1.age })
    }

    @Test func `a search goes on in slices, between which others are served`() throws {
        // More clients than are asked for in one slice, each of which keeps two descriptors and says one byte.
        let relay = try RelayHarness()
        let listener = try TestListener()
        let carriage = try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)])
        try relay.route(
            [("one", carriage)],
            limits: ServerLimits(
                clientConnections: .unlimited, newClientConnections: .unlimited, clientOpenings: .unlimited))
        let clients = try (0..<300).map { _ in
            let client = try TestConnection(port: relay.httpPort)
            try client.send("G")
            return client
        }
        try eventually("their flows") { relay.pool.flowsOpen == UInt64(clients.count) }
        let (matching, flows) = try list(relay, client: "127.0.0.1", limit: 290)
        #expect(matching == UInt64(clients.count))
        #expect(Set(flows.compactMap(\.client)).count == 290)
    }

    @Test func `a search for which nobody waits any more is dropped`() throws {
        let (relay, _) = try RelayHarness.single()
        let answers = try Mailbox<FlowFindings>(limit: 64)
        relay.pool.post(.list(FlowSearch(number: 1, limit: 1, deadline: 0, answers: answers)))
        // What a worker is told later it does later.
        #expect(try list(relay).matching == 0)
        #expect(answers.drain().isEmpty)
    }
}
