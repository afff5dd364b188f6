import Domain
import Foundation
import Testing

@testable import DNS
@testable import Failover
@testable import JSON
@testable import Notices
@testable import Store

@Suite struct `Failovers in the store` {
    private let noon = Date(timeIntervalSince1970: 1_800_000_000)

    /// A failover of the service app with a zone for each of so many names.
    private func draft(zones: Int) throws -> FailoverDraft {
        let (za1, ie1, app) = (try ServerName("za1"), try ServerName("ie1"), try ServiceName("app"))
        return FailoverDraft(
            kind: .manual, server: za1, reason: "a test", author: "ann",
            moves: [Failover.Move(service: app, from: za1, to: ie1)],
            zones: try (0..<zones).map { number in
                let name = try DomainName("app.z\(number).test")
                let change = RecordChange(name: name, expected: [Laboratory.before], wanted: [Laboratory.after])
                return Failover.ZoneWork(
                    zone: try DomainName("z\(number).test"),
                    records: [Failover.SteeredRecord(service: app, change: change)])
            })
    }

    private func withStore(_ body: (Store, _ path: String) async throws -> Void) async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            try await store.furnish()
            try await body(store, folder + "/control.db")
        }
    }

    private func begin(zones: Int, in store: Store) async throws -> Failover {
        let news = FailoverNews(kind: .failoverDecided, detail: "a test")
        let entry = TimelineEntry(at: noon, kind: .decision, detail: "a test")
        return try await FailoverJournal(store: store).begin(try draft(zones: zones), [entry], news, at: noon)
    }

    private func rowsWritten(_ store: Store, by body: () async throws -> Void) async throws -> Int64 {
        let count = { @Sendable (connection: SQLConnection) throws -> Int64 in
            try connection.rows("SELECT total_changes()").first?.integer(0) ?? 0
        }
        let before = try await store.write { try count($0) } ?? 0
        try await body()
        return (try await store.write { try count($0) } ?? 0) - before
    }

    @Test func `are read as they were stored, whatever they have many of`() async throws {
        try await withStore { store, _ in
            let begun = try await begin(zones: 12, in: store)
            var failover = begun
            failover.stage = .writing
            failover.zones[11].attempts = 2
            failover.zones[3].detail = "REFUSED"
            failover.moves[0].state = .written
            failover.traffic.append(Failover.Traffic(service: failover.moves[0].service, toTarget: 3))
            try await FailoverJournal(store: store).save([FailoverChange(failover: failover, before: begun, steps: [])])
            #expect(try await FailoverJournal(store: store).failover(begun.id)?.failover.document == failover.document)
            #expect(try await FailoverJournal(store: store).records().underWay.map(\.document) == [failover.document])
            #expect(
                try await FailoverJournal(store: store).failovers(before: nil, limit: 9).elements.map(\.document) == [
                    failover.document
                ])
            try await store.close()
        }
    }

    @Test func `of many zones those that have changed are written, and no others`() async throws {
        try await withStore { store, _ in
            let begun = try await begin(zones: 500, in: store)
            var failover = begun
            failover.zones[123].attempts = 1
            let written = try await rowsWritten(store) {
                try await FailoverJournal(store: store).save([
                    FailoverChange(failover: failover, before: begun, steps: [])
                ])
            }
            #expect(written == 2, "the failover's own row, and the zone's")
            #expect(try await FailoverJournal(store: store).failover(begun.id)?.failover.document == failover.document)
            try await store.close()
        }
    }

    @Test func `steps that come together are all in the timeline, in their order`() async throws {
        try await withStore { store, _ in
            let failover = try await begin(zones: 1, in: store)
            let steps = ["one", "two", "three"].map {
                FailoverStep(entries: [TimelineEntry(at: noon, kind: .note, detail: $0)])
            }
            try await FailoverJournal(store: store).save([
                FailoverChange(failover: failover, before: failover, steps: steps)
            ])
            let timeline = try #require(try await FailoverJournal(store: store).failover(failover.id)).timeline
            #expect(timeline.map { $0.object?["detail"] } == ["a test", "one", "two", "three"])
            try await store.close()
        }
    }

    @Test func `of the time when each was one document are taken as they are`() async throws {
        try await withStore { store, path in
            let failover = try await begin(zones: 12, in: store)
            let document = JSONValue.object(failover.document).description
            _ = try await store.write { connection in
                try connection.execute("UPDATE failovers SET document = ?", [.text(document)])
                try connection.executeScript(
                    "DROP TABLE failover_parts; DROP TABLE probe_keys; DELETE FROM migrations WHERE number > 5;")
                return true
            }
            try await store.close()
            let new = try await Store.open(at: path, exceptions: [])
            #expect(try await FailoverJournal(store: new).failover(failover.id)?.failover.document == failover.document)
            #expect(try await FailoverJournal(store: new).records().underWay.map(\.document) == [failover.document])
            try await new.close()
        }
    }
}
