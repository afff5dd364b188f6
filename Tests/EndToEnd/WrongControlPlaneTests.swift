import Domain
import Testing
import Wire

/// Invariants 1 to 3: what a control plane says may be nonsense, broken, old or somebody else's, and traffic never
/// notices.
@Suite(.realParts) struct `A wrong control plane` {
    /// What is in force when it goes wrong, and what follows when it is right again.
    private static let held: UInt64 = 5
    private static let next: UInt64 = 6
    private static let store = Incarnation(1)

    /// A data plane that carries traffic to the first of two sites, by a snapshot of a fake control plane.
    private final class Victim {
        let control: FakeControl
        let server: Server
        private let nginx: Nginx
        private let load: Load
        var session: FakeControl.Session

        init() throws {
            nginx = try Nginx("first", "second")
            control = try FakeControl()
            server = try Server("za1", channel: control.channel, flags: [])
            try server.launch()
            session = try control.awaitSession()
            try session.send(.snapshot(WireSnapshot(Victim.snapshot(of: server, held, to: nginx.first))))
            try session.awaitApplied(held)
            try server.awaitReady()
            load = try Load.requests(to: server, threads: 1)
            try load.awaitMore(20)
        }

        /// Brings all traffic to the second site, which nothing that is refused may do.
        func snapshot(
            _ version: UInt64 = next, of incarnation: Incarnation = store, for name: String = "za1"
        ) throws -> Snapshot {
            try Victim.snapshot(of: server, version, to: nginx.second, incarnation, name: name)
        }

        /// What is in force, or would be if it had another version.
        func former(_ version: UInt64 = held) throws -> Snapshot {
            try Victim.snapshot(of: server, version, to: nginx.first)
        }

        private static func snapshot(
            of server: Server, _ version: UInt64, to site: Nginx.Site, _ incarnation: Incarnation = store,
            name: String = "za1"
        ) throws -> Snapshot {
            let target = EndpointTarget(
                host: try EndpointHost(site.address), httpPort: try Port(Int(site.ports.http)),
                httpsPort: try Port(Int(site.ports.https)))
            let carriage = try Carriage(
                clientDomains: [ClientDomain("app.acme.test"), ClientDomain("*.shop.acme.test")],
                endpoint: Domain.Endpoint(target))
            let address = try Address(server.address)
            let settings = ServerSettings(
                server: try Domain.Server(
                    name: ServerName(name), region: RegionName("af-south-1"),
                    hostname: DomainName("za1.dfree.test"), addresses: [address]),
                policy: EndpointPolicy(exceptions: [try Prefix("127.0.0.0/8")], fleet: [address]))
            return try Snapshot(
                incarnation: incarnation, version: SnapshotVersion(version), settings: settings,
                services: [ServiceName("acme-app"): carriage])
        }

        /// Whoever answers next is the first site, and the snapshot in force is the one that was there before.
        func checkIsUnharmed(refusals: UInt64) throws {
            try load.awaitMore(20)
            let metrics = try server.metrics()
            #expect(metrics["ddirect_snapshot_version"] == held)
            #expect(metrics["ddirect_snapshots_refused_total"] == refusals)
            #expect(try HTTPResponse.get("/readyz", at: server.admin).status == 200)
        }

        /// A good snapshot is applied, and from then on the second site has the traffic; no request has failed.
        func recover() throws {
            let asked = now()
            try session.send(.snapshot(WireSnapshot(snapshot())))
            try session.awaitApplied(next)
            let applied = now()
            try load.awaitMore(20)
            let seen = load.stop()
            #expect(seen.failures.map(\.description) == [])
            #expect(seen.answers(to: asked) == ["first"])
            #expect(seen.answers(from: applied) == ["second"])
            let metrics = try server.metrics()
            #expect(metrics["ddirect_snapshot_version"] == next)
            #expect(metrics["ddirect_snapshot_refused_version"] == nil, "the refusal is over")
        }

        /// Waits until the data plane has hung up and come back, with what it had.
        func awaitReturn() throws {
            try session.awaitEnd()
            session = try control.awaitSession(after: session)
            #expect(try session.hello.holding == Hello.Holding(former()))
        }
    }

    // MARK: What is no snapshot

    enum Nonsense: CaseIterable {
        case noMessage, anotherProtocol, emptyFrame, frameTooLong, frameOfADataPlane

        func octets() throws -> [UInt8] {
            let longest = ChannelRules.longestFrameDown
            return switch self {
            case .noMessage: [0, 0, 0, 64] + [UInt8](repeating: 0xFF, count: 64)
            case .anotherProtocol: Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".utf8)
            case .emptyFrame: [0, 0, 0, 0]
            case .frameTooLong:
                stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: (longest + 1) >> $0) }
            case .frameOfADataPlane: try FrameEncoder(longestFrame: longest).encoded(.applied(SnapshotVersion(held)))
            }
        }

        /// What the data plane says about it in its log.
        var reason: String {
            switch self {
            case .noMessage: "a frame that is no valid message"
            case .anotherProtocol, .frameTooLong: "expected at most \(ChannelRules.longestFrameDown)"
            case .emptyFrame: "a frame of length 0"
            case .frameOfADataPlane: "a message that only a data plane sends"
            }
        }
    }

    @Test(arguments: Nonsense.allCases)
    func `whose frames are nonsense loses the session, and nothing else`(nonsense: Nonsense) throws {
        let victim = try Victim()
        try victim.session.send(octets: nonsense.octets())
        try victim.awaitReturn()
        try eventually("it is said: \(nonsense.reason)") { victim.server.log.contains(nonsense.reason) }
        try victim.checkIsUnharmed(refusals: 0)
        try victim.recover()
    }

    @Test func `that never says anything is left after three heartbeats`() throws {
        let victim = try Victim()
        victim.control.isSilent = true
        victim.session.end()
        let mute = try victim.control.awaitSession(after: victim.session)
        victim.session = mute
        try mute.awaitEnd()
        victim.control.isSilent = false
        try victim.awaitReturn()
        try eventually("it is said") { victim.server.log.contains("the control plane has been silent for") }
        try victim.checkIsUnharmed(refusals: 0)
        try victim.recover()
    }

    // MARK: Snapshots that are refused

    enum Fault: CaseIterable {
        case wrongDigest, inconsistent, older, ofAnotherStore, ofAnotherServer, fromAnUnknownBase

        /// What the refusal has to name.
        var reasons: [String] {
            switch self {
            case .wrongDigest: ["was announced"]
            case .inconsistent:
                ["app.acme.test", "*.shop.acme.test"].map {
                    "client domain \($0) belongs to both service acme-app and service acme-twin"
                }
            case .older: ["version 4 is older than 5"]
            case .ofAnotherStore: ["is of store 2, but this server's configuration is of store 1"]
            case .ofAnotherServer: ["version 6 is of server ie1, but this is server za1"]
            case .fromAnUnknownBase: ["the difference starts at version 3, but this server has 5"]
            }
        }
    }

    private func message(_ fault: Fault, to victim: Victim) throws -> WireSnapshot {
        let good = try victim.snapshot()
        var message = WireSnapshot(good)
        switch fault {
        case .wrongDigest: message.digest = WireSnapshot(try victim.former()).digest
        case .inconsistent:
            var twin = message.services[0]
            twin.name = "acme-twin"
            message.services.append(twin)
        case .older: message = WireSnapshot(try victim.snapshot(Self.held - 1))
        case .ofAnotherStore: message = WireSnapshot(try victim.snapshot(of: Incarnation(2)))
        case .ofAnotherServer: message = WireSnapshot(try victim.snapshot(for: "ie1"))
        case .fromAnUnknownBase:
            message = WireSnapshot(
                good.difference(from: try victim.former(3)), digest: good.digest, incarnation: good.incarnation)
        }
        return message
    }

    @Test(arguments: Fault.allCases)
    func `whose snapshot cannot be taken is told every reason, and nothing changes`(fault: Fault) throws {
        let victim = try Victim()
        let message = try message(fault, to: victim)
        try victim.session.send(.snapshot(message))
        let refusal = try victim.session.awaitRefusal()
        #expect(refusal.version == message.version)
        #expect(refusal.reasons.count == fault.reasons.count, "\(refusal.reasons)")
        for reason in fault.reasons {
            #expect(refusal.reasons.contains { $0.contains(reason) }, "\(reason) is not in \(refusal.reasons)")
        }
        try victim.checkIsUnharmed(refusals: 1)
        #expect(try victim.server.metric("ddirect_snapshot_refused_version") == message.version)
        #expect(!victim.session.isOver, "a refusal is an answer, and no reason to part")
        try victim.recover()
    }

    @Test func `that insists is refused each time, and heard when it is right`() throws {
        let victim = try Victim()
        for fault in Fault.allCases { try victim.session.send(.snapshot(message(fault, to: victim))) }
        let count = Fault.allCases.count
        try eventually("each is refused") { victim.session.refusals.count == count }
        try victim.checkIsUnharmed(refusals: UInt64(count))
        try victim.recover()
    }
}
