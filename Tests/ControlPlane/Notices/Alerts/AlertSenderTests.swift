import Domain
import Foundation
import Logging
import Synchronization
import Testing

@testable import JSON
@testable import Notices
@testable import Store

@Suite(.timeLimit(.minutes(10))) struct `The sender of alerts` {
    private static let key = "key-of-the-hook"

    private static func sender(
        _ store: Store, to urls: @escaping @Sendable () -> [String], timeout: Duration = .seconds(3600),
        key: @escaping @Sendable (CredentialName) throws -> String = { _ in key }
    ) -> AlertSender {
        var logger = Logger(label: "test.alerts")
        logger.logLevel = .critical
        return AlertSender(
            AlertQueue(store: store),
            webhooks: { urls().compactMap { try? Webhook(url: $0, credential: CredentialName("hook-key")) } },
            key: key, timeout: timeout, jitter: { 0 }, logger: logger)
    }

    /// Gives `body` a store, and a sender that runs and sends to `receivers`.
    private func withSender(
        to receivers: AlertReceiver..., timeout: Duration = .seconds(3600),
        key: @escaping @Sendable (CredentialName) throws -> String = { _ in key },
        _ body: @escaping @Sendable (AlertSender, Store) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            let sender = Self.sender(store, to: { receivers.map(\.url) }, timeout: timeout, key: key)
            try await Self.listening(receivers[...]) {
                var logger = Logger(label: "test.alerts")
                logger.logLevel = .critical
                try await running([sender], logger) { try await body(sender, store) }
            }
            try await store.close()
        }
    }

    private static func listening(
        _ receivers: ArraySlice<AlertReceiver>, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        guard let first = receivers.first else { return try await body() }
        try await first.listen { try await listening(receivers.dropFirst(), body) }
    }

    /// What became of the only delivery to a receiver.
    private func outcome(_ store: Store) async throws -> (attempts: Int64, isOver: Bool, error: String?) {
        try await store.read { connection in
            let rows = try connection.rows("SELECT attempts, done_at, last_error FROM alert_deliveries")
            let row = try #require(rows.first)
            return (try row.integer(0), !row.isNull(1), row.isNull(2) ? nil : try row.text(2))
        }
    }

    @Test func `an alert arrives at once, whole, and signed`() async throws {
        let receiver = AlertReceiver()
        try await withSender(to: receiver) { sender, _ in
            await sender.raise(.serverFailed, server: try ServerName("za1"), detail: "za1 is down")
            try await eventually("it arrives") { receiver.calls.count == 1 }
            let call = receiver.calls[0]
            let members = try #require(call.json.object)
            #expect(members["kind"] == "server.failed" && members["server"] == "za1" && members["failover"] == .null)
            #expect(members["detail"] == "za1 is down")
            #expect(members["id"].map { "\($0)" } == call.id)
            #expect(call.headers[.contentType] == "application/json")
            let seconds = try #require(call.signature?.split(separator: ",").first?.dropFirst(2)).description
            let time = try #require(Double(seconds))
            #expect(abs(Date().timeIntervalSince1970 - time) < 60)
            let expected = AlertSignature.value(of: call.body, at: Date(timeIntervalSince1970: time), key: Self.key)
            #expect(call.signature == expected)
        }
    }

    @Test func `a receiver that fails twice gets it the third time, and then no more`() async throws {
        let receiver = AlertReceiver { $0 <= 2 ? .status(500, "not now") : .status(200, "ok") }
        try await withSender(to: receiver) { sender, store in
            await sender.raise(.failoverDecided, detail: "x")
            try await eventually("it has arrived") { try await outcome(store).isOver }
            let end = try await outcome(store)
            #expect(end.attempts == 3 && end.error == nil)
            #expect(try await AlertQueue(store: store).waiting() == 0)
            #expect(receiver.calls.count == 3)
            #expect(Set(receiver.calls.map(\.id)).count == 1 && Set(receiver.calls.map(\.body)).count == 1)
        }
    }

    @Test func `the reason of a failure is kept for the operator`() async throws {
        let receiver = AlertReceiver { _ in .status(400, "no such\nchannel") }
        try await withSender(to: receiver) { sender, store in
            await sender.raise(.serverFailed, detail: "x")
            try await eventually("it has failed") { try await outcome(store).attempts > 0 }
            #expect(try await outcome(store).error == "it answered 400: no such channel")
        }
    }

    @Test func `a receiver that is slow or dead holds up no other`() async throws {
        let (slow, quick) = (AlertReceiver { _ in .silence }, AlertReceiver())
        try await withSender(to: slow, quick) { sender, store in
            for number in 0..<5 { await sender.raise(.serverFailed, detail: "\(number)") }
            try await eventually("nothing waits but what is for the slow one") {
                try await AlertQueue(store: store).waiting() == 5
            }
            // One attempt at a time, and each only once.
            #expect(slow.calls.count == 1)
            #expect(quick.calls.count == 5 && Set(quick.calls.map(\.id)).count == 5)
            // And the stop waits for no receiver: the test has a time limit.
        }
    }

    @Test func `what is not answered in time has failed, and is tried again`() async throws {
        let receiver = AlertReceiver { $0 == 1 ? .silence : .status(200) }
        try await withSender(to: receiver, timeout: .milliseconds(300)) { sender, store in
            await sender.raise(.serverFailed, detail: "x")
            try await eventually("it has failed") { try await outcome(store).error?.hasPrefix("no answer in") == true }
            try await eventually("it has arrived") { try await outcome(store).isOver }
        }
    }

    @Test func `an answer without an end is an answer`() async throws {
        let receiver = AlertReceiver { $0 == 1 ? .flood(500) : .flood(200) }
        try await withSender(to: receiver) { sender, store in
            await sender.raise(.serverFailed, detail: "x")
            try await eventually("it has arrived") { try await outcome(store).isOver }
            #expect(try await outcome(store).attempts == 2)
        }
    }

    @Test func `a redirection is not followed`() async throws {
        let other = AlertReceiver()
        let receiver = AlertReceiver { _ in .status(307, location: other.url) }
        try await withSender(to: receiver) { sender, store in
            try await other.listen {
                await sender.raise(.serverFailed, detail: "x")
                try await eventually("it has failed") { try await outcome(store).error == "it answered 307" }
                #expect(other.calls.isEmpty)
            }
        }
    }

    @Test func `a key that cannot be read is a failure, and is read anew when it is there`() async throws {
        struct NoKey: Error, CustomStringConvertible { let description = "there is no credential hook-key" }
        let isThere = Mutex(false)
        let receiver = AlertReceiver()
        try await withSender(
            to: receiver,
            key: { _ in
                guard isThere.withLock({ $0 }) else { throw NoKey() }
                return Self.key
            }
        ) { sender, store in
            await sender.raise(.serverFailed, detail: "x")
            try await eventually("it has failed") { try await outcome(store).attempts > 0 }
            #expect(
                try await outcome(store).error == "its key cannot be read: there is no credential hook-key")
            #expect(receiver.calls.isEmpty)
            isThere.withLock { $0 = true }
            try await eventually("it has arrived") { try await outcome(store).isOver }
        }
    }

    @Test func `after a restart it is sent again, with the same id`() async throws {
        let receiver = AlertReceiver { $0 == 1 ? .silence : .status(200) }
        try await receiver.listen {
            try await withFolder { folder in
                var logger = Logger(label: "test.alerts")
                logger.logLevel = .critical
                for life in 1...2 {
                    let store = try await Store.open(at: folder + "/control.db", exceptions: [])
                    let sender = Self.sender(store, to: { [receiver.url] })
                    try await running([sender], logger) {
                        if life == 1 { await sender.raise(.serverFailed, detail: "x") }
                        try await eventually("it comes") { receiver.calls.count == life }
                        if life == 2 { try await eventually("it has arrived") { try await outcome(store).isOver } }
                    }
                    try await store.close()
                }
            }
        }
        #expect(receiver.calls.count == 2)
        #expect(receiver.calls[0].id != nil && receiver.calls[0].id == receiver.calls[1].id)
        #expect(receiver.calls[0].body == receiver.calls[1].body)
    }

    @Test func `what was raised while nobody sent is sent at the start`() async throws {
        let receiver = AlertReceiver()
        try await receiver.listen {
            try await withFolder { folder in
                let store = try await Store.open(at: folder + "/control.db", exceptions: [])
                let sender = Self.sender(store, to: { [receiver.url] })
                await sender.raise(.serverFailed, detail: "x")
                #expect(receiver.calls.isEmpty)
                var logger = Logger(label: "test.alerts")
                logger.logLevel = .critical
                try await running([sender], logger) { try await eventually("it comes") { receiver.calls.count == 1 } }
                try await store.close()
            }
        }
    }

    @Test func `a webhook that was taken away is not called any more`() async throws {
        let receiver = AlertReceiver()
        let urls = Mutex([String]())
        try await receiver.listen {
            try await withFolder { folder in
                let store = try await Store.open(at: folder + "/control.db", exceptions: [])
                let sender = Self.sender(store, to: { urls.withLock { $0 } })
                urls.withLock { $0 = [receiver.url] }
                await sender.raise(.serverFailed, detail: "x")
                urls.withLock { $0 = [] }
                var logger = Logger(label: "test.alerts")
                logger.logLevel = .critical
                try await running([sender], logger) {
                    try await eventually("it is given up") { try await outcome(store).isOver }
                }
                #expect(try await outcome(store).error == "it is no webhook any more")
                #expect(receiver.calls.isEmpty)
                try await store.close()
            }
        }
    }

    @Test func `an alert of yesterday is tried once more, and then given up`() async throws {
        let receiver = AlertReceiver { _ in .status(503) }
        try await withSender(to: receiver) { sender, store in
            _ = try await AlertQueue(store: store).enqueue(
                kind: .serverFailed, body: Alert.members(server: nil, failover: nil, detail: "x"), urls: [receiver.url],
                at: Date() - 100_000)
            sender.wake()
            try await eventually("it is given up") { try await outcome(store).isOver }
            #expect(receiver.calls.count == 1)
            let entry = try #require(try await store.auditTrail(before: nil, limit: 1).elements.first)
            #expect(entry.action == "alert.send" && entry.detail.contains("not taken in 1 attempts: it answered 503"))
        }
    }

    @Test func `an alert is stored although whoever raises it is cut off`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            let sender = Self.sender(store, to: { ["http://192.0.2.1/"] })
            let caller = Task {
                while !Task.isCancelled { await Task.yield() }
                await sender.raise(.failoverDecided, detail: "x")
            }
            caller.cancel()
            await caller.value
            #expect(try await store.read { try $0.rows("SELECT id FROM alerts").count } == 1)
            try await store.close()
        }
    }

    @Test func `what nobody has to be told of, or nobody is there to be told, is not stored`() async throws {
        try await withFolder { folder in
            let store = try await Store.open(at: folder + "/control.db", exceptions: [])
            await Self.sender(store, to: { ["http://192.0.2.1/"] }).raise(.serverSuspect, detail: "x")
            await Self.sender(store, to: { [] }).raise(.serverFailed, detail: "x")
            #expect(try await store.read { try $0.rows("SELECT id FROM alerts").count } == 0)
            try await store.close()
        }
    }
}
