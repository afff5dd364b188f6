import Domain
import Testing

@testable import DataPlane

@Suite struct `Preferred targets` {
    private let hello = clientHello("one.acme.test")
    private let relay: RelayHarness
    private let listeners: [TestListener]
    private let check: HealthCheck

    init() throws {
        var settings = RelaySettings()
        // Nobody waits here for an attempt to connect to be given up.
        settings.connectTimeout = .seconds(3600)
        relay = try RelayHarness(settings: settings)
        listeners = try (0..<3).map { _ in try TestListener() }
        check = try HealthCheck(kind: .tcp)
        try route([0, 1, 2])
    }

    /// Routes the service to these listeners, in this order.
    private func route(_ order: [Int], checked: Bool = true) throws {
        try route(ports: order.map { listeners[$0].port }, checked: checked)
    }

    private func route(ports: [UInt16], checked: Bool = true) throws {
        let hosts = ports.map { ("127.0.0.1", $0) }
        try relay.route([("one", try carriage(["one.acme.test"], to: hosts, check: checked ? check : nil))])
    }

    /// Whether a new connection arrives at this listener.
    private func reaches(_ index: Int) throws -> Bool {
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        return try listeners[index].accept().receive(exactly: hello.count) == hello
    }

    @Test func `a connection goes to the preferred target first, and to the others in their order after it`() throws {
        #expect(try reaches(0))
        try relay.prefer(2, of: "one")
        #expect(try reaches(2))
        #expect(relay.count(.fallbacksUsed, "one") == 1)
        // A fallback that the checks prefer is every connection's, and no incident.
        #expect(relay.count(.fallbackUsed) == 0)
        try relay.prefer(0, of: "one")
        #expect(try reaches(0))
    }

    @Test(arguments: [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] as [(Int32, [Int])])
    func `when the preferred target refuses, the first of the others takes over, and then the second`(
        preferred: Int32, others: [Int]
    ) throws {
        // Nobody listens on port 1.
        for dead in [[], [others[0]]] {
            var ports = listeners.map(\.port)
            for index in dead + [Int(preferred)] { ports[index] = UInt16(1 + index) }
            try route(ports: ports)
            try relay.prefer(preferred, of: "one")
            #expect(try reaches(dead.isEmpty ? others[0] : others[1]))
        }
        #expect(relay.count(.connectFailures, "one") == 0)
        let client = try TestConnection(port: relay.httpsPort)
        try route(ports: [1, 2, 3])
        try relay.prefer(preferred, of: "one")
        try client.send(hello)
        #expect(client.receive() == .reset)
        #expect(relay.count(.connectFailures, "one") == 1)
    }

    @Test func `the endpoint that takes over for a preferred fallback is no fallback`() throws {
        try route(ports: [listeners[0].port, 1])
        try relay.prefer(1, of: "one")
        #expect(try reaches(0))
        #expect(relay.count(.fallbacksUsed, "one") == 0)
        #expect(relay.count(.fallbackUsed) == 0)
    }

    @Test func `a changed endpoint begins with its first target, whatever was preferred before`() throws {
        try relay.prefer(2, of: "one")
        #expect(try reaches(2))
        try route([1, 0, 2])
        #expect(try reaches(1))
        // What was on its way for the former endpoint means nothing.
        try relay.prefer(2, of: "one", edition: 1)
        #expect(try reaches(1))
        try relay.prefer(1, of: "one")
        #expect(try reaches(0))
    }

    @Test func `a new table with the same targets keeps what is preferred`() throws {
        try relay.prefer(1, of: "one")
        try route([0, 1, 2])
        #expect(try reaches(1))
    }

    @Test func `an endpoint that is not checked any more begins with its first target`() throws {
        try relay.prefer(1, of: "one")
        try route([0, 1, 2], checked: false)
        #expect(try reaches(0))
        try route([0, 1, 2])
        #expect(try reaches(0))
    }

    @Test func `a preference for a target that is not there is none`() throws {
        try relay.prefer(3, of: "one")
        #expect(try reaches(0))
    }

    @Test func `a flow that waits for a preferred fallback goes to the endpoint that replaces both`() throws {
        let silent = try SilentListener()
        try route(ports: [1, 2, silent.listener.port])
        try relay.prefer(2, of: "one")
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        try route([1])
        #expect(try listeners[1].accept().receive(exactly: hello.count) == hello)
    }

    @Test func `a flow that waits for a preferred fallback stays with it while it is in the list`() throws {
        let relay = relay
        try relay.route(
            [
                (
                    "one",
                    try carriage(
                        ["one.acme.test"], to: [("127.0.0.1", 1), ("late.acme.test", listeners[0].port)], check: check)
                )
            ])
        try relay.prefer(1, of: "one")
        let client = try TestConnection(port: relay.httpsPort)
        try client.send(hello)
        try eventually("the dial") { relay.count(.connectionsOpened, "one") == 1 }
        try relay.prefer(0, of: "one")
        relay.learn("late.acme.test", ["127.0.0.1"])
        #expect(try listeners[0].accept().receive(exactly: hello.count) == hello)
    }
}
