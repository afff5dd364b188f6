import Synchronization

/// Stores decisions and the steps of failovers, in the order in which they are made.
///
///     step ─▶ waiting ─┐
///     step ─▶ waiting ─┼─▶ one transaction, begun when the one before it has ended ─▶ stored
///     step ─▶ waiting ─┘
///
/// A failover of hundreds of zones makes as many steps at a time, and each transaction waits for the disk once.
final class JournalWriter: Sendable {
    private struct State: Sendable {
        /// The failovers under way as the store has them. Only what differs is written.
        var stored: [FailoverID: Failover]
        /// Steps that no transaction has taken yet, each with its failover as the step left it.
        var waiting: [(failover: Failover, step: FailoverStep)] = []
        /// The transaction that will take the waiting steps.
        var next: Task<Void, any Error>?
        /// The newest transaction. The one after it waits for its end, so that none overtakes another.
        var last: Task<Void, any Error>?
    }

    private let state: Mutex<State>
    private let save: @Sendable ([FailoverChange]) async throws -> Void

    /// `stored` are the failovers under way at the start; `save` stores changes in one transaction.
    init(stored: [Failover], save: @escaping @Sendable ([FailoverChange]) async throws -> Void) {
        state = Mutex(State(stored: Dictionary(stored.map { ($0.id, $0) }) { first, _ in first }))
        self.save = save
    }

    /// Has a new failover stored by `decision`, and knows it from then on.
    func begin(_ decision: @escaping @Sendable () async throws -> Failover) async throws -> Failover {
        // In a task of its own: a shutdown cancels the caller, and must not break off the transaction.
        let failover = try await Task { try await decision() }.value
        state.withLock { $0.stored[failover.id] = failover }
        return failover
    }

    /// Has a step stored, with its failover as it is now. Answers the transaction that stores it. When the transaction
    /// throws, nothing of the step is stored, and its owner has it stored again.
    ///
    /// Not `async`, so that steps wait in the order in which their owner made them, whatever the priority of its tasks.
    func store(_ step: FailoverStep, of failover: Failover) -> Task<Void, any Error> {
        state.withLock { state in
            state.waiting.append((failover, step))
            if let next = state.next { return next }
            let previous = state.last
            // In a task of its own, as above.
            let transaction = Task {
                _ = await previous?.result
                try await self.storeWaiting()
            }
            state.next = transaction
            state.last = transaction
            return transaction
        }
    }

    private func storeWaiting() async throws {
        let changes = state.withLock { state in
            let waiting = state.waiting
            state.waiting = []
            state.next = nil
            return Dictionary(grouping: waiting, by: \.failover.id).sorted { $0.key < $1.key }.compactMap { id, steps in
                steps.last.map { newest in
                    FailoverChange(failover: newest.failover, before: state.stored[id], steps: steps.map(\.step))
                }
            }
        }
        try await save(changes)
        state.withLock { state in
            for change in changes {
                state.stored[change.failover.id] = change.failover.stage.isOver ? nil : change.failover
            }
        }
    }
}
