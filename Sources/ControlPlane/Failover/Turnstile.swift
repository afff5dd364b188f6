/// Lets a number of calls in at a time. The others wait, in the order in which they came.
actor Turnstile {
    private let places: Int
    private var inside = 0
    private var waiting: [(id: UInt64, turn: CheckedContinuation<Void, any Error>)] = []
    private var lastID: UInt64 = 0

    init(places: Int) { self.places = places }

    /// Does `work` when there is a place. Throws a `CancellationError` when it is cancelled before.
    func pass<Answer: Sendable>(_ work: @Sendable () async throws -> Answer) async throws -> Answer {
        try await enter()
        defer { leave() }
        return try await work()
    }

    private func enter() async throws {
        try Task.checkCancellation()
        guard inside == places else {
            inside += 1
            return
        }
        lastID += 1
        let id = lastID
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiting.append((id, $0)) }
        } onCancel: {
            // It has been waiting by then: until it did, nobody else was here.
            Task { await self.giveUp(id) }
        }
    }

    /// The place goes to the first one that waits.
    private func leave() {
        if waiting.isEmpty { inside -= 1 } else { waiting.removeFirst().turn.resume() }
    }

    private func giveUp(_ id: UInt64) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting.remove(at: index).turn.resume(throwing: CancellationError())
    }
}
