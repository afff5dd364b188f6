import Synchronization

/// By which a thread shows that it goes on: it counts its rounds, of which each takes no longer than a second unless
/// there is much to do.
final class Pulse: Sendable {
    private let beats = Atomic<UInt64>(0)

    /// A round has begun. On the thread itself.
    func beat() { beats.add(1, ordering: .relaxed) }

    /// How many rounds there have been; for anyone.
    var count: UInt64 { beats.load(ordering: .relaxed) }
}
