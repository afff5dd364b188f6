import Domain
import Syscalls
import Testing

@testable import DataPlane

/// What workers write down of flows, with real connections.
@Suite struct `A flow that is written down` {
    private let hello = clientHello("one.acme.test")
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"

    private func relay(
        _ flowLog: FlowLog, server: FlowLog = .standard, domains: [String] = ["one.acme.test"],
        settings: RelaySettings = RelaySettings()
    ) throws -> (RelayHarness, TestListener) {
        let relay = try RelayHarness(settings: settings)
        let listener = try TestListener()
        let service = try carriage(
            domains, to: [("127.0.0.1", listener.port)], forwardedFor: .off, flowLog: flowLog)
        try relay.route([("one", service)], flowLog: server)
        return (relay, listener)
    }

    private func next(_ relay: RelayHarness) throws -> FlowRecord {
        var record: FlowRecord?
        try eventually("a record") {
            record = relay.pool.records[0].takeFirst()
            return record != nil
        }
        return try #require(record)
    }

    /// Carries `up` and `down` and ends, both sides properly; the client's address.
    @discardableResult
    private func carry(_ relay: RelayHarness, _ listener: TestListener, up: String, down: String) throws -> String {
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello + Array(up.utf8))
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count + up.utf8.count)
        try endpoint.send(down)
        endpoint.shutdownWriting()
        _ = client.receiveAll()
        client.shutdownWriting()
        try eventually("the end") { relay.pool.flowsOpen == 0 }
        return Syscalls.Socket(number: client.descriptor).localAddress?.description ?? ""
    }

    @Test func `tells who, where to, by which rule, how much, how long, and how it ended`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1))
        let client = try carry(relay, listener, up: "hello", down: "good evening")
        let record = try next(relay)
        #expect(record.event == .end && record.ending == nil)
        #expect(record.service == relay.slot(of: "one") && record.generation == 1)
        #expect(record.client?.description == client)
        #expect(record.called?.port == relay.httpsPort)
        #expect(record.name.description == "one.acme.test" && record.rule == .domain)
        #expect(record.endpoint?.description == "127.0.0.1:\(listener.port)" && record.target == 0)
        #expect(record.bytesUp == UInt64(hello.count + 5) && record.bytesDown == 12)
        #expect(record.connectedAfter >= 1 && record.answeredAfter >= record.connectedAfter)
        #expect(record.age >= UInt64(record.answeredAfter) - 1)
        #expect(!record.isHTTP && record.oneIn == 1)
        #expect(relay.pool.records[0].takeFirst() == nil)
    }

    @Test func `tells a wildcard, and a default service`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1), domains: ["*.acme.test"])
        try carry(relay, listener, up: "", down: "x")
        #expect(try next(relay).rule == .wildcard)
        let other = try carriage(["other.test"], to: [("127.0.0.1", listener.port)], flowLog: FlowLog(oneIn: 1))
        try relay.route([("one", other)], defaults: ["127.0.0.1": "one"])
        try carry(relay, listener, up: "", down: "x")
        let record = try next(relay)
        #expect(record.rule == .address && record.name.description == "one.acme.test")
    }

    @Test func `tells of plain HTTP the requests and the last status`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1))
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        let endpoint = try listener.accept()
        for status in ["200 OK", "404 Not Found"] {
            _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
            try endpoint.send("HTTP/1.1 \(status)\r\nContent-Length: 2\r\n\r\nok")
            _ = try client.receive(untilSuffix: "ok")
            if status == "200 OK" { try client.send(get) }
        }
        client.shutdownWriting()
        endpoint.shutdownWriting()
        let record = try next(relay)
        #expect(record.isHTTP && record.requests == 2 && record.status == 404)
        #expect(record.bytesUp == UInt64(2 * get.utf8.count))
    }

    @Test func `tells what ended it, when that was not both sides`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1))
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        endpoint.reset()
        #expect(client.receive() == .reset)
        #expect(try next(relay).ending == .endpointReset)
    }

    @Test func `that no endpoint takes says so, and names none`() throws {
        let relay = try RelayHarness()
        try relay.route([
            ("one", try carriage(["one.acme.test"], to: [("127.0.0.1", 1)], flowLog: FlowLog(oneIn: 1)))
        ])
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get)
        #expect(client.receiveText().hasPrefix("HTTP/1.1 502 "))
        let record = try next(relay)
        #expect(record.ending == .endpointUnreachable && record.endpoint == nil && record.target == nil)
        #expect(record.status == 502 && record.connectedAfter == 0)
    }

    @Test func `reached no service, and its server writes all down`() throws {
        let (relay, _) = try relay(.standard, server: FlowLog(oneIn: 1))
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(clientHello("nobody.test"))
        _ = client.receiveAll()
        let record = try next(relay)
        #expect(record.service == ServiceSlot.unrouted && record.ending == .nameUnknown && record.rule == .none)
        #expect(record.client?.address.description == "127.0.0.1")
        #expect(record.bytesUp == UInt64(clientHello("nobody.test").count))
    }

    @Test(arguments: [false, true])
    func `comes through a trusted sender and reaches no service is of the client that the sender names`(isHTTP: Bool)
        throws
    {
        let relay = try RelayHarness()
        try relay.route([], trusted: ["127.0.0.0/8"], flowLog: FlowLog(oneIn: 1))
        let client = try TestConnection(port: isHTTP ? relay.httpPort : relay.httpsPort)
        let header = Array("PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n".utf8)
        let request = Array("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n".utf8)
        try client.send(header + (isHTTP ? request : clientHello("nobody.test")))
        _ = client.receiveAll()
        let record = try next(relay)
        #expect(record.client?.description == "198.51.100.7:4711" && record.called?.description == "192.0.2.1:443")
        #expect(record.name.description == "nobody.test" && record.ending == .nameUnknown)
    }

    @Test func `has a line at each interval while it lasts`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1, interval: 1))
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        for _ in 0..<2 {
            let record = try next(relay)
            #expect(record.event == .open && record.ending == nil && record.bytesUp == UInt64(hello.count))
            #expect(record.age >= 900)
        }
        withExtendedLifetime((client, endpoint)) {}
    }

    @Test func `is of a service that wants it, and no other is`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 0), server: FlowLog(oneIn: 1))
        try carry(relay, listener, up: "", down: "x")
        #expect(relay.pool.records[0].takeFirst() == nil, "the service's own word counts before the server's")
        let service = try carriage(
            ["one.acme.test"], to: [("127.0.0.1", listener.port)], flowLog: FlowLog(oneIn: 1))
        try relay.route([("one", service)])
        try carry(relay, listener, up: "", down: "x")
        #expect(try next(relay).service == relay.slot(of: "one"))
    }

    @Test func `is one of several, by lot`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 4))
        for _ in 0..<200 { try carry(relay, listener, up: "", down: "x") }
        var count = 0
        while let record = relay.pool.records[0].takeFirst() {
            #expect(record.oneIn == 4)
            count += 1
        }
        // 50 are expected; fewer than 10 or more than 120 come up less than once in a thousand million runs.
        #expect((10...120).contains(count), "\(count)")
    }

    @Test func `is counted as lost when nobody takes what is written`() throws {
        let ring = try RecordRing<Int32>(capacity: 4)
        for number in 0..<4 as Range<Int32> { #expect(ring.append(number)) }
        #expect(!ring.append(4))
        #expect(ring.takeFirst() == 0)
        #expect(ring.append(5))
        #expect((0..<5).map { _ in ring.takeFirst() } == [1, 2, 3, 5, nil])
    }

    @Test func `that is open when the process ends is said to be cut by that`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1))
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        relay.stop()
        #expect(client.receive() == .reset)
        #expect(try next(relay).event == .stopped)
        #expect(relay.pool.records[0].takeFirst() == nil)
    }

    @Test func `that goes on in another process is said to, and is written down there as well`() throws {
        let (relay, listener) = try relay(FlowLog(oneIn: 1))
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        _ = try endpoint.receive(exactly: hello.count)
        var flows = relay.pool.park().flows
        #expect(try next(relay).event == .parked)
        let (following, _) = try self.relay(FlowLog(oneIn: 1))
        for index in flows.indices { flows[index].flow.service = "one" }
        following.pool.adopt(flows, slots: ["one": following.slot(of: "one")])
        try endpoint.send("x")
        #expect(try client.receive(exactly: 1) == [UInt8(ascii: "x")])
        client.shutdownWriting()
        endpoint.shutdownWriting()
        let record = try next(following)
        #expect(record.rule == .adopted && record.event == .end && record.bytesDown == 1)
        #expect(record.client?.address.description == "127.0.0.1")
    }
}
