import Foundation
import Synchronization
import Testing

@testable import Failover
@testable import Store

@Suite(.timeLimit(.minutes(10))) struct `The writer of the journal` {
    /// A journal whose transactions wait at a gate, and may fail.
    private final class GatedJournal: Sendable {
        private struct State {
            var saved: [[FailoverChange]] = []
            var failures: [StoreFailure] = []
        }
        private let state = Mutex(State())
        private let gate: AsyncStream<Void>
        private let opening: AsyncStream<Void>.Continuation

        init(failures: StoreFailure...) {
            state.withLock { $0.failures = failures }
            (gate, opening) = AsyncStream.makeStream()
        }

        /// Lets so many transactions end.
        func open(_ count: Int) { for _ in 0..<count { opening.yield() } }

        var saved: [[FailoverChange]] { state.withLock { $0.saved } }

        /// For each transaction, the details of its timeline entries.
        var details: [[String]] {
            saved.map { $0.flatMap { $0.steps.flatMap { $0.entries.map(\.detail) } } }
        }

        func save(_ changes: [FailoverChange]) async throws {
            let failure = state.withLock { state in
                state.saved.append(changes)
                return state.failures.isEmpty ? nil : state.failures.removeFirst()
            }
            for await _ in gate { break }
            if let failure { throw failure }
        }
    }

    private func step(_ detail: String) -> FailoverStep { .noting(.note, detail) }

    private let first: Failover
    private let second: Failover

    init() throws {
        let fleet = try SmallFleet("app", "shop")
        first = try fleet.failover(1, "app")
        second = try fleet.failover(2, "shop")
    }

    @Test func `steps that come while a transaction is under way are the next one, in their order`() async throws {
        let journal = GatedJournal()
        let writer = JournalWriter(stored: [first, second]) { try await journal.save($0) }
        let one = writer.store(step("one"), of: first)
        try await eventually("the first transaction has begun") { journal.saved.count == 1 }
        let waiting = [
            writer.store(step("two"), of: first), writer.store(step("three"), of: second),
            writer.store(step("four"), of: first),
        ]
        #expect(Set(waiting).count == 1, "they wait for the same transaction")
        journal.open(1)
        try await one.value
        try await eventually("the second transaction has begun") { journal.saved.count == 2 }
        journal.open(1)
        for transaction in waiting { try await transaction.value }
        #expect(journal.details == [["one"], ["two", "four", "three"]], "failover by failover, each in its order")
    }

    @Test func `none overtakes another: a transaction begins when the one before it has ended`() async throws {
        let journal = GatedJournal()
        let writer = JournalWriter(stored: [first]) { try await journal.save($0) }
        let one = writer.store(step("one"), of: first)
        try await eventually("the first transaction has begun") { journal.saved.count == 1 }
        let two = writer.store(step("two"), of: first)
        for _ in 0..<1000 { await Task.yield() }
        #expect(journal.saved.count == 1)
        journal.open(2)
        try await one.value
        try await two.value
        #expect(journal.details == [["one"], ["two"]])
    }

    @Test func `a failover is stored as its last step left it, with what it differs from`() async throws {
        let journal = GatedJournal()
        journal.open(9)
        let writer = JournalWriter(stored: [first]) { try await journal.save($0) }
        var failover = first
        for attempts in 1...2 {
            failover.zones[0].attempts = attempts
            try await writer.store(FailoverStep(), of: failover).value
        }
        let changes = journal.saved.flatMap { $0 }
        #expect(changes.map(\.failover.zones[0].attempts) == [1, 2])
        #expect(changes.map { $0.before?.zones[0].attempts } == [0, 1])
    }

    @Test func `a transaction that fails fails each of its steps, and the next one is compared with what is stored`()
        async throws
    {
        let journal = GatedJournal(failures: .other("the disk is full"))
        let writer = JournalWriter(stored: [first]) { try await journal.save($0) }
        var failover = first
        failover.zones[0].attempts = 1
        let failing = writer.store(step("one"), of: failover)
        journal.open(2)
        await #expect(throws: StoreFailure.self) { try await failing.value }
        try await writer.store(step("one again"), of: failover).value
        #expect(journal.saved.last?.first?.before == first, "nothing of it has been stored before")
        #expect(journal.details == [["one"], ["one again"]], "who made a step has it stored again")
    }

    @Test func `a decision that is stored is known; one that is not throws, and is not`() async throws {
        let journal = GatedJournal()
        journal.open(9)
        let (first, second) = (first, second)
        let writer = JournalWriter(stored: []) { try await journal.save($0) }
        _ = try await writer.begin { first }
        await #expect(throws: StoreFailure.self) { try await writer.begin { throw StoreFailure.constraint("taken") } }
        try await writer.store(FailoverStep(), of: first).value
        try await writer.store(FailoverStep(), of: second).value
        #expect(journal.saved.flatMap { $0 }.map(\.before) == [first, nil])
    }

    @Test func `a transaction is not broken off when who waits for it is cancelled`() async throws {
        let journal = GatedJournal()
        let (writer, first) = (JournalWriter(stored: [first]) { try await journal.save($0) }, first)
        let waiting = Task { try await writer.store(FailoverStep(), of: first).value }
        try await eventually("the transaction has begun") { journal.saved.count == 1 }
        waiting.cancel()
        journal.open(1)
        try await waiting.value
    }
}
