import Domain
import Glibc
import Testing

@testable import DataPlane

/// What every worker has to be told, and each of them does.
///
/// Which worker takes a connection is the kernel's choice. So each has room for a few flows only, and a test opens as
/// many as all have room for: then none of them is without its share.
@Suite struct `Several workers` {
    private typealias Pair = (client: TestConnection, endpoint: TestConnection)

    private static let count = 3
    private static let roomOfEach = 4
    private static let room = count * roomOfEach
    /// Every worker's share of something that happened to each flow.
    private static let even = [UInt64](repeating: UInt64(roomOfEach), count: count)

    private let hello = clientHello("one.acme.test")
    private let get = "GET / HTTP/1.1\r\nHost: one.acme.test\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func makeRelay(count: Int = Self.count, room: Int = Self.roomOfEach) throws -> RelayHarness {
        var settings = RelaySettings()
        settings.flowLimit = room
        return try RelayHarness(workers: count, settings: settings)
    }

    private func route(_ relay: RelayHarness, to host: String = "127.0.0.1", _ listener: TestListener) throws {
        let service = try carriage(["one.acme.test"], to: [(host, listener.port)], forwardedFor: .off)
        try relay.route([("one", service)])
    }

    /// One flow by TLS.
    private func open(_ relay: RelayHarness, _ listener: TestListener) throws -> Pair {
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        let endpoint = try listener.accept()
        #expect(try endpoint.receive(exactly: hello.count) == hello)
        return (client, endpoint)
    }

    /// As many flows as there is room for, one after the other.
    private func fill(_ relay: RelayHarness, _ listener: TestListener) throws -> [Pair] {
        var flows: [Pair] = []
        for _ in 0..<Self.room { flows.append(try open(relay, listener)) }
        #expect(relay.flowsByWorker == Self.even)
        return flows
    }

    /// A byte to and fro on each flow.
    private func expectPassing(_ flows: [Pair]) throws {
        for flow in flows {
            try flow.client.send("?")
            #expect(try flow.endpoint.receive(exactly: 1) == Array("?".utf8))
            try flow.endpoint.send("!")
            #expect(try flow.client.receive(exactly: 1) == Array("!".utf8))
        }
    }

    @Test func `a new table is every worker's as soon as each has said so, and breaks no flow of any`() throws {
        let relay = try makeRelay()
        let (first, second) = (try TestListener(), try TestListener())
        try route(relay, first)
        let flows = try fill(relay, first)
        try route(relay, second)
        try expectPassing(flows)
        for flow in flows { flow.client.reset() }
        try relay.expectIdle()
        // One that a worker still sent to the first would be waited for in vain.
        try expectPassing(try fill(relay, second))
    }

    @Test func `an address that becomes known is every worker's`() throws {
        let relay = try makeRelay()
        let listener = try TestListener()
        try route(relay, to: "late.acme.test", listener)
        var clients: [TestConnection] = []
        for number in 1...Self.room {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(hello)
            clients.append(client)
            try eventually("dial \(number)") { relay.count(.connectionsOpened, "one") == UInt64(number) }
        }
        #expect(relay.flowsByWorker == Self.even)
        relay.learn("late.acme.test", ["127.0.0.1"])
        for _ in clients {
            #expect(try listener.accept().receive(exactly: hello.count) == hello)
        }
        #expect(relay.count(.connectFailures, "one") == 0)
    }

    @Test func `an operator's drain is every worker's, and so is its end`() throws {
        let relay = try makeRelay()
        let listener = try TestListener()
        try route(relay, listener)
        var clients: [TestConnection] = []
        for number in 1...Self.room {
            let client = try TestConnection(port: relay.httpsPort)
            try client.send(Array(hello.prefix(50)))
            clients.append(client)
            try eventually("flow \(number)") { relay.pool.flowsOpen == UInt64(number) }
        }
        #expect(relay.flowsByWorker == Self.even)
        try relay.drain(true)
        for client in clients {
            try client.send(Array(hello.dropFirst(50)))
            #expect(client.receive() == .reset)
        }
        #expect(relay.pool.counters.map { $0.read(Incident.drainRefused) } == Self.even)
        try relay.expectIdle()
        try relay.drain(false)
        let flows = try fill(relay, listener)
        // Those that are open when a drain begins are left alone.
        try relay.drain(true)
        try expectPassing(flows)
    }

    @Test func `a shutdown leaves every worker's flows alone until they end, and refuses new connections`() throws {
        let relay = try makeRelay()
        let listener = try TestListener()
        try route(relay, listener)
        let flows = try fill(relay, listener)
        try relay.shutDown()
        for port in [relay.httpPort, relay.httpsPort] {
            #expect(throws: NotInTime.self) { try TestConnection(port: port) }
        }
        try expectPassing(flows)
        for flow in flows {
            flow.client.shutdownWriting()
            #expect(flow.endpoint.receive() == .end)
            flow.endpoint.shutdownWriting()
            #expect(flow.client.receive() == .end)
        }
        try relay.expectIdle()
    }

    @Test func `a shutdown ends the exchanges that are idle, and the others once they are answered`() throws {
        let relay = try makeRelay()
        let listener = try TestListener()
        try route(relay, listener)
        var flows: [Pair] = []
        for number in 0..<Self.room {
            let client = try TestConnection(port: relay.httpPort)
            try client.send(get)
            let endpoint = try listener.accept()
            #expect(try endpoint.receive(exactly: get.utf8.count) == Array(get.utf8))
            if number.isMultiple(of: 2) {
                try endpoint.send(ok)
                #expect(try client.receive(exactly: ok.utf8.count) == Array(ok.utf8))
            }
            flows.append((client, endpoint))
        }
        #expect(relay.flowsByWorker == Self.even)
        try relay.shutDown()
        for (number, flow) in flows.enumerated() {
            if !number.isMultiple(of: 2) {
                try flow.endpoint.send(ok)
                let last = ok.replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n")
                #expect(try flow.client.receive(exactly: last.utf8.count) == Array(last.utf8))
            }
            #expect(flow.client.receive() == .end)
            #expect(flow.endpoint.receive() == .end)
        }
        try relay.expectIdle()
    }

    @Test func `what is carried is the sum over all workers`() throws {
        let relay = try makeRelay()
        let listener = try TestListener()
        try route(relay, listener)
        let flows = try fill(relay, listener)
        try expectPassing(flows)
        for flow in flows { flow.client.reset() }
        try relay.expectIdle()
        #expect(relay.count(.connectionsOpened, "one") == UInt64(Self.room))
        #expect(relay.count(.connectionsClosed, "one") == UInt64(Self.room))
        #expect(relay.count(.bytesUp, "one") == UInt64(Self.room * (hello.count + 1)))
        #expect(relay.count(.bytesDown, "one") == UInt64(Self.room))
        #expect(relay.pool.counters.map { $0.read(WorkerCounter.accepted) } == Self.even)
    }

    /// Waits until each worker has swept again, and so has taken up its listeners again if it had let go of them.
    private func awaitSweeps(_ relay: RelayHarness) throws {
        let before = relay.pool.counters.map { $0.read(WorkerCounter.rounds) }
        try eventually("further rounds of each") {
            zip(relay.pool.counters, before).allSatisfy { $0.read(WorkerCounter.rounds) >= $1 + 3 }
        }
    }

    @Test func `long connections are shared, although the kernel would wake the same worker for each`() throws {
        let relay = try makeRelay(count: 2, room: 1000)
        let listener = try TestListener()
        try route(relay, listener)
        var flows: [Pair] = []
        // Where other work keeps a worker from running, the other takes its share, and it gets the next ones for that.
        while flows.count < 200 || (!isEven(relay) && flows.count < 800) { flows.append(try open(relay, listener)) }
        #expect(isEven(relay), "\(relay.flowsByWorker)")
        try expectPassing(flows)
    }

    @Test func `connections that come at once are shared as well`() throws {
        let relay = try makeRelay(count: 2, room: 1000)
        let listener = try TestListener()
        try route(relay, listener)
        var flows: [(TestConnection, TestConnection)] = []
        while flows.count < 200 || (!isEven(relay) && flows.count < 800) {
            let clients = try (0..<50).map { _ in try TestConnection(port: relay.httpsPort) }
            for client in clients { try client.send(hello) }
            for client in clients { flows.append((client, try listener.accept())) }
        }
        #expect(isEven(relay), "\(relay.flowsByWorker)")
    }

    /// No worker has a tenth less than another.
    private func isEven(_ relay: RelayHarness) -> Bool {
        let open = relay.flowsByWorker.sorted()
        return (open.first ?? 0) * 10 >= (open.last ?? 0) * 9
    }

    @Test func `what a stuck worker leaves waiting is taken by one that has more flows already`() throws {
        let relay = try makeRelay(count: 2, room: 1000)
        let listener = try TestListener()
        try route(relay, listener)
        let stuck = relay.pool.counters[1]
        relay.keepBusy(1, times: 400)
        try eventually("the worker's last round") {
            let before = stuck.read(WorkerCounter.rounds)
            usleep(300_000)
            return stuck.read(WorkerCounter.rounds) == before
        }
        let before = stuck.read(WorkerCounter.rounds)
        var flows: [Pair] = []
        while flows.count < 40 { flows.append(try open(relay, listener)) }
        // All of them are the other's, unless the machine is so slow that it was over before.
        if stuck.read(WorkerCounter.rounds) == before { #expect(relay.flowsByWorker == [40, 0]) }
    }

    @Test func `a connection for which a full worker was woken is taken by one that has room`() throws {
        let relay = try makeRelay(count: 2, room: 1)
        let listener = try TestListener()
        try route(relay, listener)
        let first = try open(relay, listener)
        try awaitSweeps(relay)
        let second = try open(relay, listener)
        #expect(relay.flowsByWorker == [1, 1])
        try awaitSweeps(relay)
        second.client.reset()
        try eventually("the end of the second") { relay.pool.flowsOpen == 1 }
        // The kernel wakes one waiter for a connection, the longest-waiting first; if one that is full waited, nobody
        // would wake the other.
        let late = try TestConnection(port: relay.httpsPort)
        try late.send(hello)
        try eventually("the late flow") { relay.pool.flowsOpen == 2 }
        withExtendedLifetime(first) {}
    }
}
