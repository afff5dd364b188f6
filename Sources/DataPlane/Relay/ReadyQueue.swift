import Syscalls

/// Halves that wait for their turn, in the order in which they came.
///
/// A half stands in at most one queue, and there once: its record says so (`Half.isQueued`), also when it is used anew.
/// So a queue has room for all, nothing is ever lost, and a turn that was meant for the record's former use does no
/// harm.
struct ReadyQueue: Sendable {
    private let places: Slab<Int32, HalfIndex>
    private var first: Int32 = 0
    private(set) var count: Int32 = 0

    init(flowLimit: Int) throws(SystemCallError) { places = try Slab(capacity: flowLimit * 2) }

    mutating func append(_ half: HalfIndex) {
        // An empty queue begins in front again, so that one that is short touches little memory.
        if count == 0 { first = 0 }
        places[wrapped(first &+ count)] = half
        count &+= 1
    }

    /// Puts a half before all others.
    mutating func prepend(_ half: HalfIndex) {
        first = first > 0 ? first &- 1 : places.capacity &- 1
        places[first] = half
        count &+= 1
    }

    /// Takes the half that has waited longest. There must be one.
    mutating func popFirst() -> HalfIndex {
        let half = places[first]
        first = wrapped(first &+ 1)
        count &-= 1
        return half
    }

    @inline(__always) private func wrapped(_ place: Int32) -> Int32 {
        place < places.capacity ? place : place &- places.capacity
    }
}
