import Domain
import Synchronization

@testable import DNS

/// A fake: a zone in memory, which keeps its conditions as a real provider does, and can be told to fail.
final class MemoryZone: DNSProvider {
    enum Trouble: Sendable {
        /// The change is refused, and not made.
        case refuses
        /// The change is made, and its answer is lost.
        case losesAnswer
        /// Nobody answers until the task is cancelled.
        case hangs
    }

    private struct State {
        var records: [DomainName: [RecordSet]] = [:]
        var troubles: [Trouble] = []
        var calls = 0
        var writes = 0
    }

    private let state = Mutex(State())

    init(_ records: [DomainName: [RecordSet]] = [:]) { state.withLock { $0.records = records } }

    subscript(name: DomainName) -> [RecordSet] {
        get { state.withLock { $0.records[name] ?? [] } }
        set { state.withLock { $0.records[name] = newValue } }
    }

    /// How many changes have been asked for.
    var calls: Int { state.withLock { $0.calls } }

    /// How many changes have been made.
    var writes: Int { state.withLock { $0.writes } }

    /// The next changes meet these, one each.
    func fail(_ troubles: Trouble...) { state.withLock { $0.troubles += troubles } }

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        state.withLock { state in Dictionary(uniqueKeysWithValues: names.map { ($0, state.records[$0] ?? []) }) }
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let trouble = state.withLock { state in
            state.calls += 1
            return state.troubles.isEmpty ? nil : state.troubles.removeFirst()
        }
        switch trouble {
        case .refuses?: throw DNSFailure(kind: .unavailable, reason: "it refuses at the moment")
        case .hangs?:
            try await Task.sleep(for: .seconds(3600))
            throw DNSFailure(kind: .unreachable, reason: "it does not answer", mayHaveHappened: true)
        case .losesAnswer?:
            _ = change(changes)
            throw DNSFailure(kind: .unreachable, reason: "the answer was lost", mayHaveHappened: true)
        case nil: return change(changes)
        }
    }

    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let present = try await present(changes.map(\.name))
        return changes.allSatisfy { (present[$0.name] ?? []).agrees(with: $0.expected) }
            ? .done : .conflict(present: present)
    }

    private func change(_ changes: [RecordChange]) -> ZoneOutcome {
        state.withLock { state in
            let present = Dictionary(uniqueKeysWithValues: changes.map { ($0.name, state.records[$0.name] ?? []) })
            guard changes.allSatisfy({ (present[$0.name] ?? []).agrees(with: $0.expected) }) else {
                return .conflict(present: present)
            }
            for change in changes { state.records[change.name] = change.wanted }
            state.writes += 1
            return .done
        }
    }
}
