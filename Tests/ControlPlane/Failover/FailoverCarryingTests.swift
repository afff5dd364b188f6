import Domain
import Foundation
import Logging
import Testing

@testable import ControlPlane

/// A fleet in a real store, a zone in memory, and control planes that come and go.
private struct Laboratory: Sendable {
    let bench: Bench
    let zone = MemoryZone()
    let name: DomainName
    static let before = RecordSet(.cname, timeToLive: 5, values: ["za1.dfree.test"])
    static let after = RecordSet(.cname, timeToLive: 5, values: ["ie1.dfree.test"])

    static func run(_ body: @escaping @Sendable (Laboratory) async throws -> Void) async throws {
        try await Bench.run { bench in
            for (name, address) in [("za1", "127.0.0.11"), ("ie1", "127.0.0.12")] {
                try await bench.expect(
                    201, "/servers",
                    #"{"name":"\#(name)","region":"r","hostname":"\#(name).dfree.test","addresses":["\#(address)"]}"#)
            }
            try await bench.expect(201, "/customers", #"{"name":"acme"}"#)
            try await bench.expect(
                201, "/zones",
                #"{"name":"acme.test","provider":{"kind":"command","path":"/nowhere"},"authorities":["127.0.0.1:53"]}"#)
            try await bench.expect(
                201, "/services",
                #"{"name":"acme-app","customer":"acme","clientDomains":["app.acme.test"],"endpoint":{"host":"origin.acme.example"},"primary":"za1","standbys":["ie1"],"dns":[{"zone":"acme.test","name":"app.acme.test","kind":"cname","ttl":5}]}"#
            )
            let laboratory = Laboratory(bench: bench, name: try DomainName("app.acme.test"))
            laboratory.zone[laboratory.name] = [before]
            try await body(laboratory)
        }
    }

    /// A control plane, as it would be after a start: it knows what the store knows.
    func controlPlane() async throws -> FailoverService {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (zone, name) = (zone, name)
        return try await FailoverService(
            FailoverService.Surroundings(
                store: bench.store, publisher: bench.publisher, prober: ControlPlane.Prober(logger: logger),
                provider: { _ in zone },
                authorities: { _ in
                    [AuthoritativeServer(address: TransportAddress(Address(ipv4: 0x7F00_0001), port: 53))]
                },
                ask: { _, _, _ in .records(zone[name]) }, tell: { _, _, _, _ in }),
            logger: logger)
    }

    /// Runs a control plane while `body` runs, and kills it then: whatever it was about.
    func withRunning(_ service: FailoverService, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await body()
            group.cancelAll()
        }
    }

    func order(_ service: FailoverService) async throws -> FailoverID {
        try await service.run(
            try ServerName("za1"), reason: "a test", author: "ann", returnsAfter: nil, force: true
        ).id
    }

    func stored(_ id: FailoverID) async throws -> Failover {
        let found = try await bench.store.failover(id)
        return try #require(found).failover
    }

    /// Waits until the failover, as it is stored, is as it is wanted.
    func await(_ id: FailoverID, _ condition: (Failover) -> Bool) async throws -> Failover {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let failover = try await stored(id)
            if condition(failover) { return failover }
            guard ContinuousClock.now < deadline else { throw NotYet(failover: failover) }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    struct NotYet: Error { let failover: Failover }
}

extension Bench {
    fileprivate func expect(_ status: Int, _ path: String, _ body: String) async throws {
        let answer = try await post(path, body)
        #expect(answer.status == status, "\(path): \(answer.text)")
    }
}

@Suite(.timeLimit(.minutes(2))) struct `Carrying out a failover` {
    @Test func `the record is written once, verified, and the service is where it went`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                let failover = try await laboratory.await(id) { $0.stage == .following }
                #expect(failover.moves.map(\.state) == [.written])
                #expect(failover.zones.first?.verifiedAt != nil)
                #expect(failover.zones.first?.authorities.first?.agreesAt != nil)
            }
            #expect(laboratory.zone[laboratory.name] == [Laboratory.after])
            #expect(laboratory.zone.writes == 1)
            let records = try await laboratory.bench.store.failoverRecords()
            #expect(records.placements.values.map(\.server.text) == ["ie1"])
            #expect(records.decisions.isEmpty)
        }
    }

    @Test func `killed right after the decision, the next control plane carries it out`() async throws {
        try await Laboratory.run { laboratory in
            let first = try await laboratory.controlPlane()
            let id = try await laboratory.order(first)
            #expect(try await laboratory.stored(id).stage == .decided)
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(id) { $0.stage == .following }
            }
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `killed when the change was made and nobody knew, the next one finds it made and does not repeat it`()
        async throws
    {
        try await Laboratory.run { laboratory in
            laboratory.zone.fail(.losesAnswer, .hangs)
            let first = try await laboratory.controlPlane()
            try await laboratory.withRunning(first) {
                let id = try await laboratory.order(first)
                _ = try await laboratory.await(id) { $0.zones.first?.attempts == 1 }
            }
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(FailoverID(number: 1)) { $0.stage == .following }
            }
            #expect(laboratory.zone.writes == 1)
            #expect(laboratory.zone[laboratory.name] == [Laboratory.after])
        }
    }

    @Test func `killed while the change was asked for and not made, the next one makes it`() async throws {
        try await Laboratory.run { laboratory in
            laboratory.zone.fail(.hangs)
            let first = try await laboratory.controlPlane()
            try await laboratory.withRunning(first) {
                let id = try await laboratory.order(first)
                _ = try await laboratory.await(id) { $0.zones.first?.isInDoubt == true }
            }
            #expect(laboratory.zone.writes == 0)
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(FailoverID(number: 1)) { $0.stage == .following }
            }
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `a provider that refuses for a while is asked until it does not`() async throws {
        try await Laboratory.run { laboratory in
            laboratory.zone.fail(.refuses, .refuses)
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                let failover = try await laboratory.await(id) { $0.stage == .following }
                #expect(failover.zones.first?.attempts == 3)
            }
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `what somebody else has written meanwhile is left as it is, and the decision ends`() async throws {
        try await Laboratory.run { laboratory in
            let foreign = RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])
            let service = try await laboratory.controlPlane()
            // Decided when the record was still ours.
            let id = try await laboratory.order(service)
            laboratory.zone[laboratory.name] = [foreign]
            try await laboratory.withRunning(service) {
                let failover = try await laboratory.await(id) { $0.stage.isOver }
                #expect(failover.stage == .conflicted)
                #expect(failover.moves.map(\.state) == [.conflict])
            }
            #expect(laboratory.zone[laboratory.name] == [foreign])
            #expect(laboratory.zone.writes == 0)
            let records = try await laboratory.bench.store.failoverRecords()
            #expect(records.decisions.isEmpty)
            #expect(records.placements.isEmpty)
        }
    }

    @Test func `two decisions about one service cannot be in force`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            _ = try await laboratory.order(service)
            await #expect(throws: FailoverRefusal.self) { try await laboratory.order(service) }
            // Nor by another process that knows nothing of it but what the store says.
            let other = try await laboratory.controlPlane()
            await #expect(throws: FailoverRefusal.self) { try await laboratory.order(other) }
        }
    }

    @Test func `while the fleet is frozen an order is refused, and says by whom`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            try await service.freeze(Freeze(since: Date(), until: Date() + 60, reason: "maintenance", author: "bob"))
            let refusal = await #expect(throws: FailoverRefusal.self) { try await laboratory.order(service) }
            #expect(refusal?.reason.contains("frozen by bob") == true)
            let next = try await laboratory.controlPlane()
            await #expect(throws: FailoverRefusal.self) { try await laboratory.order(next) }
        }
    }
}

@Suite(.timeLimit(.minutes(2))) struct `A service that has been moved` {
    private func moved(_ body: @escaping @Sendable (Laboratory) async throws -> Void) async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                _ = try await laboratory.await(id) { $0.stage == .following }
            }
            try await body(laboratory)
        }
    }

    @Test func `cannot lose the server that devices are led to`() async throws {
        try await moved { laboratory in
            let answer = try await laboratory.bench.patch("/services/acme-app", #"{"standbys":[]}"#)
            #expect(answer.status == 409)
            #expect(answer.text.contains("led to server ie1 since failover 1"))
        }
    }

    @Test func `and deleted is nowhere: one of its name that comes later begins at its primary`() async throws {
        try await moved { laboratory in
            let answer = try await laboratory.bench.delete("/services/acme-app")
            #expect(answer.status == 204)
            let records = try await laboratory.bench.store.failoverRecords()
            #expect(records.placements.isEmpty)
        }
    }
}
