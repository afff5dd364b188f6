import Syscalls

/// Halves that are to be pumped again after the other events of this round, by their tags.
struct ReadyQueue: Sendable {
    private let tags: Slab<Int32, UInt64>
    private(set) var count: Int32 = 0

    /// A half may stand in the queue twice: a stale entry of its record's former use beside the present one.
    init(flowLimit: Int) throws(SystemCallError) { tags = try Slab(capacity: flowLimit * 4) }

    /// False when there is no room, which more than two entries of each half would take.
    mutating func append(_ tag: UInt64) -> Bool {
        guard count < tags.capacity else { return false }
        tags[count] = tag
        count &+= 1
        return true
    }

    @inline(__always) subscript(_ position: Int32) -> UInt64 { tags[position] }

    /// Drops the first `taken` tags. Those behind move to the front, and wait for the next round.
    mutating func dropFirst(_ taken: Int32) {
        var moved: Int32 = 0
        while taken &+ moved < count {
            tags[moved] = tags[taken &+ moved]
            moved &+= 1
        }
        count = moved
    }
}
