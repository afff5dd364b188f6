import Domain
import Foundation
import Testing

@testable import Notices
@testable import Store

@Suite struct `The queue of alerts` {
    private let one = "https://one.test/hook"
    private let other = "https://other.test/hook"
    private let noon = Date(timeIntervalSince1970: 1_800_000_000)

    private func withStore(_ body: (Store, TestClock) async throws -> Void) async throws {
        let clock = TestClock()
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [], now: { clock.now })
            try await body(store, clock)
            try await store.close()
        }
    }

    @discardableResult
    private func raise(_ detail: String = "x", at date: Date, to urls: [String], in store: Store) async throws -> Alert
    {
        let body = Alert.members(server: try ServerName("za1"), failover: 12, detail: detail)
        return try await AlertQueue(store: store).enqueue(kind: .serverFailed, body: body, urls: urls, at: date)
    }

    @Test func `an alert says what happened to whom, and carries its id`() async throws {
        try await withStore { store, _ in
            let alert = try await raise("za1 is \"gone\"", at: noon, to: [one], in: store)
            #expect(
                alert.body
                    == #"{"id":1800000000000,"at":"2027-01-15T08:00:00.000Z","kind":"server.failed","server":"za1","failover":12,"#
                    + #""detail":"za1 is \"gone\""}"#)
            let due = try await AlertQueue(store: store).due(at: noon, limit: 8)
            #expect(due == [AlertDelivery(alert: alert, url: one, attempts: 0)])
            #expect(try await AlertQueue(store: store).waiting() == 1)
            for delivery in due { try await AlertQueue(store: store).delivered(delivery) }
            #expect(try await AlertQueue(store: store).waiting() == 0)
        }
    }

    @Test func `numbers grow, whatever was forgotten and whatever the clock says`() async throws {
        try await withStore { store, _ in
            let first = try await raise(at: noon, to: [], in: store)
            let second = try await raise(at: noon, to: [], in: store)
            let third = try await raise(at: noon - 3600, to: [], in: store)
            #expect([second.id, third.id] == [first.id + 1, first.id + 2])
            try await AlertQueue(store: store).prune(before: noon + 10)
            let fourth = try await raise(at: noon + 1, to: [], in: store)
            #expect(fourth.id == first.id + 1000)
        }
    }

    @Test func `of each URL the one that has waited longest is due, and none stands before another's`() async throws {
        try await withStore { store, _ in
            for number in 0..<20 { try await raise("\(number)", at: noon + Double(number), to: [one], in: store) }
            let last = try await raise(at: noon + 20, to: [one, other, other], in: store)
            #expect(try await AlertQueue(store: store).due(at: noon - 1, limit: 8) == [])
            let due = try await AlertQueue(store: store).due(at: noon + 30, limit: 8)
            #expect(due.map(\.url) == [one, other])
            #expect(due.map(\.alert.at) == [noon, noon + 20])
            #expect(due[1].alert == last)
            #expect(try await AlertQueue(store: store).due(at: noon + 30, limit: 1).map(\.url) == [one])
        }
    }

    @Test func `what has arrived at one receiver is still sent to the other`() async throws {
        try await withStore { store, _ in
            try await raise(at: noon, to: [one, other], in: store)
            let due = try await AlertQueue(store: store).due(at: noon, limit: 8)
            try await AlertQueue(store: store).delivered(due[0])
            #expect(try await AlertQueue(store: store).due(at: noon + 1e6, limit: 8) == [due[1]])
        }
    }

    @Test func `what failed waits for its time, with another attempt to its name`() async throws {
        try await withStore { store, _ in
            let alert = try await raise(at: noon, to: [one], in: store)
            let due = try await AlertQueue(store: store).due(at: noon, limit: 8)
            try await AlertQueue(store: store).failed(due[0], nextAt: noon + 2.5, error: "refused")
            #expect(try await AlertQueue(store: store).due(at: noon + 2, limit: 8) == [])
            #expect(try await AlertQueue(store: store).next(after: noon) == noon + 2.5)
            #expect(
                try await AlertQueue(store: store).due(at: noon + 2.5, limit: 8)
                    == [AlertDelivery(alert: alert, url: one, attempts: 1)])
            #expect(try await AlertQueue(store: store).next(after: noon + 2.5) == nil)
        }
    }

    @Test func `what is given up is entered in the audit trail, without what the URL may hide`() async throws {
        try await withStore { store, _ in
            let alert = try await raise(at: noon, to: [one], in: store)
            let due = try await AlertQueue(store: store).due(at: noon, limit: 8)
            try await AlertQueue(store: store).givenUp(due[0], error: "refused")
            #expect(try await AlertQueue(store: store).due(at: noon + 1e6, limit: 8) == [])
            let entry = try #require(try await store.auditTrail(before: nil, limit: 1).elements.first)
            #expect(entry.action == "alert.send" && entry.target == "https://one.test" && !entry.done)
            #expect(entry.detail == "give up alert \(alert.id) (server.failed): refused")
        }
    }

    @Test func `a restart finds what was not sent`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let first = try await Store.open(at: path, exceptions: [])
            let alert = try await raise(at: noon, to: [one], in: first)
            try await first.close()
            let second = try await Store.open(at: path, exceptions: [])
            #expect(try await AlertQueue(store: second).due(at: noon, limit: 8).map(\.alert) == [alert])
            try await second.close()
        }
    }

    @Test func `old alerts are forgotten, unless somebody waits for them`() async throws {
        try await withStore { store, _ in
            try await raise(at: noon, to: [one], in: store)
            let sent = try await AlertQueue(store: store).due(at: noon, limit: 8)
            try await AlertQueue(store: store).delivered(sent[0])
            let waiting = try await raise(at: noon + 1, to: [one], in: store)
            try await raise(at: noon + 100, to: [], in: store)
            try await AlertQueue(store: store).prune(before: noon + 50)
            let left = try await store.read { connection in
                try connection.rows("SELECT id FROM alerts ORDER BY id").map { try $0.integer(0) }
            }
            #expect(left.count == 2 && left.first == waiting.id)
            #expect(try await AlertQueue(store: store).due(at: noon + 1e6, limit: 8).map(\.alert) == [waiting])
        }
    }
}
