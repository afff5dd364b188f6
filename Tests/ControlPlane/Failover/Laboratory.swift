import Domain
import Foundation
import Logging
import Synchronization
import Testing

@testable import DNS
@testable import Failover
@testable import JSON
@testable import Notices
@testable import Probing
@testable import Store

/// A fleet in a real store, a zone in memory, and control planes that come and go.
final class Laboratory: Sendable {
    let bench: Bench
    /// acme.test, and another one, acme.example.
    let zone = MemoryZone()
    let other = MemoryZone()
    /// What was told as an event: its kind, and what was said.
    let told = Mutex([(kind: FleetEvent.Kind, detail: String)]())
    let name: DomainName
    let secondName: DomainName
    static let before = RecordSet(.cname, timeToLive: 5, values: ["za1.dfree.test"])
    static let after = RecordSet(.cname, timeToLive: 5, values: ["ie1.dfree.test"])

    private init(_ bench: Bench) throws {
        self.bench = bench
        name = try DomainName("app.acme.test")
        secondName = try DomainName("www.acme.test")
        zone[name] = [Laboratory.before]
        zone[secondName] = [Laboratory.before]
        other[try DomainName("www.acme.example")] = [Laboratory.before]
    }

    /// A service that `bindings` steer: `app` and `www` in acme.test, `example` for www.acme.example.
    static func run(
        _ bindings: [String] = ["app"], _ body: @escaping @Sendable (Laboratory) async throws -> Void
    ) async throws {
        let names = [
            "app": "acme.test:app.acme.test", "www": "acme.test:www.acme.test",
            "example": "acme.example:www.acme.example",
        ]
        let dns = bindings.map { binding -> String in
            let parts = (names[binding] ?? "").split(separator: ":")
            return #"{"zone":"\#(parts[0])","name":"\#(parts[1])","kind":"cname","ttl":5}"#
        }.joined(separator: ",")

        try await Bench.run { bench in
            for (name, address) in [("za1", "127.0.0.11"), ("ie1", "127.0.0.12")] {
                try await bench.expect(
                    201, "/servers",
                    #"{"name":"\#(name)","region":"r","hostname":"\#(name).dfree.test","addresses":["\#(address)"]}"#)
            }
            try await bench.expect(201, "/customers", #"{"name":"acme"}"#)
            for zone in ["acme.test", "acme.example"] {
                try await bench.expect(
                    201, "/zones",
                    #"{"name":"\#(zone)","provider":{"kind":"command","command":"nowhere"},"authorities":["127.0.0.1:53"]}"#
                )
            }
            try await bench.expect(
                201, "/services",
                #"{"name":"acme-app","customer":"acme","clientDomains":["app.acme.test"],"endpoint":{"host":"origin.acme.example"},"primary":"za1","standbys":["ie1"],"dns":[\#(dns)]}"#
            )
            let laboratory = try Laboratory(bench)
            try await body(laboratory)
        }
    }

    /// A control plane, as it would be after a start: it knows what the store knows.
    func controlPlane() async throws -> FailoverService {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (zone, other) = (zone, other)
        return try await FailoverService(
            FailoverService.Surroundings(
                store: bench.store, journal: FailoverJournal(store: bench.store),
                orderRows: StandingOrderRows(store: bench.store), publisher: bench.publisher,
                prober: ControlVantage(logger: logger),
                probeKeys: try await ProbeKeys.stored(in: bench.store),
                provider: { $0.name.text == "acme.test" ? zone : other },
                authorities: { _ in
                    [AuthoritativeServer(address: TransportAddress(Address(ipv4: 0x7F00_0001), port: 53))]
                },
                ask: { _, name, _ in .records(name.text.hasSuffix(".example") ? other[name] : zone[name]) },
                tell: { kind, _, detail in self.told.withLock { $0.append((kind, detail)) } },
                announce: { kind, _, detail in self.told.withLock { $0.append((kind, detail)) } }),
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

    /// Has alerts kept for a webhook, at which nobody sends any.
    func addWebhook() async throws {
        let answer = try await bench.patch(
            "/settings", #"{"webhooks":[{"url":"https://alerts.test/x","credential":"hook-key"}]}"#)
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// The alerts about failovers that stand in the store, the oldest first.
    var alerts: [String] {
        get async throws {
            try await bench.store.read { connection in
                try connection.rows("SELECT kind, body FROM alerts ORDER BY id").compactMap { row in
                    let failover = try JSONValue(stored: row.text(1)).object?["failover"] ?? .null
                    return failover == .null ? nil : "\(try row.text(0)) of \(failover)"
                }
            }
        }
    }

    /// Of the service that there is: the server to which a failover has brought it.
    var placement: String? {
        get async throws { try await FailoverJournal(store: bench.store).placements().values.first?.server.text }
    }

    func stored(_ id: FailoverID) async throws -> Failover {
        let found = try await FailoverJournal(store: bench.store).failover(id)
        return try #require(found).failover
    }

    func said(_ kind: FleetEvent.Kind) -> [String] { told.withLock { $0.filter { $0.kind == kind }.map(\.detail) } }

    /// Waits until the failover, as it is stored, is as it is wanted.
    func await(_ id: FailoverID, _ condition: (Failover) -> Bool) async throws -> Failover {
        let deadline = ContinuousClock.now + patience
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
