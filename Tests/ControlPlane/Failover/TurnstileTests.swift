import Synchronization
import Testing

@testable import Failover

@Suite(.timeLimit(.minutes(10))) struct `A turnstile` {
    private final class Counts: Sendable {
        let counts = Mutex((now: 0, most: 0, all: 0))
    }

    @Test func `lets no more in than there are places, and everybody in the end`() async throws {
        let turnstile = Turnstile(places: 3)
        let inside = Counts()
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    try await turnstile.pass {
                        inside.counts.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        // Until all places have been taken once.
                        while inside.counts.withLock({ $0.most < 3 }) { await Task.yield() }
                        inside.counts.withLock {
                            $0.now -= 1
                            $0.all += 1
                        }
                    }
                }
            }
        }
        #expect(inside.counts.withLock { $0 } == (0, 3, 50))
    }

    @Test func `is left by whoever fails, and by whoever gives up waiting`() async throws {
        struct Broken: Error {}
        let turnstile = Turnstile(places: 1)
        await #expect(throws: Broken.self) { try await turnstile.pass { throw Broken() } }
        let (opened, open) = AsyncStream<Void>.makeStream()
        let (entered, enters) = AsyncStream<Void>.makeStream()
        let first = Task {
            try await turnstile.pass {
                enters.finish()
                for await _ in opened {}
            }
        }
        for await _ in entered {}
        let second = Task { try await turnstile.pass {} }
        let third = Task { try await turnstile.pass { 3 } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        open.finish()
        try await first.value
        #expect(try await third.value == 3)
    }
}
