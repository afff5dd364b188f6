/// A binary heap of indexes by time.
struct DueQueue {
    private var heap: [(time: UInt64, index: Int32)] = []

    var first: UInt64? { heap.first?.time }

    mutating func insert(_ index: Int32, at time: UInt64) {
        heap.append((time, index))
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2].time > heap[child].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest, when its time has come.
    mutating func popFirst(before now: UInt64) -> (index: Int32, time: UInt64)? {
        guard let first = heap.first, first.time <= now, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && heap[child].time < heap[least].time {
                    least = child
                }
                if least == parent { break }
                heap.swapAt(parent, least)
                parent = least
            }
        }
        return (first.index, first.time)
    }
}
