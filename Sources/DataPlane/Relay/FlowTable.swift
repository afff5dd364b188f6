import Routing
import Syscalls

/// Every flow of one worker: the records, and which of them are free.
struct FlowTable: Sendable {
    let flows: Slab<FlowIndex, Flow>
    let halves: Slab<HalfIndex, Half>
    /// Only those of plain HTTP are ever touched.
    let exchanges: Slab<FlowIndex, Exchange>
    /// Only those behind a trusted sender are ever touched.
    let asserted: Slab<FlowIndex, AssertedAddresses>
    /// How far a hello has been looked at. Only those of hellos that come in pieces are ever touched.
    let hellos: Slab<FlowIndex, HandshakeRecords>

    /// Only those of flows that are written down are ever touched.
    let facts: Slab<FlowIndex, FlowFacts>

    private var firstFree = FlowIndex.none
    /// Places that a flow has ever had; those behind have never been touched.
    private(set) var used: Int32 = 0
    /// Flows that are open.
    private(set) var open: Int32 = 0

    init(limit: Int) throws(SystemCallError) {
        flows = try Slab(capacity: limit)
        halves = try Slab(capacity: limit * 2)
        exchanges = try Slab(capacity: limit)
        asserted = try Slab(capacity: limit)
        hellos = try Slab(capacity: limit)
        facts = try Slab(capacity: limit)
    }

    var capacity: Int32 { flows.capacity }
    var isFull: Bool { open >= capacity }

    /// A free place, its records fresh, or nil when the limit is reached.
    mutating func claim() -> FlowIndex? {
        let flow: FlowIndex
        if firstFree.exists {
            flow = firstFree
            firstFree = flows[flow].nextFree
        } else if used < capacity {
            flow = FlowIndex(used)
            used &+= 1
            halves[flow.client] = Half()
            halves[flow.endpoint] = Half()
        } else {
            return nil
        }
        flows[flow] = Flow()
        open &+= 1
        return flow
    }

    /// Takes a place back. Its halves hold nothing any more.
    mutating func give(_ flow: FlowIndex) {
        flows[flow].stage = .free
        flows[flow].nextFree = firstFree
        firstFree = flow
        open &-= 1
    }

    /// The places from `start` up to `end` that have been used, for a look at each.
    @inline(__always) func places(from start: Int32 = 0, to end: Int32 = .max) -> FlowPlaces {
        FlowPlaces(place: start, end: min(end, used))
    }
}

/// Places of a table one after the other, the free ones among them.
struct FlowPlaces: Sequence, IteratorProtocol {
    fileprivate var place: Int32
    fileprivate let end: Int32

    @inline(__always) mutating func next() -> FlowIndex? {
        guard place < end else { return nil }
        defer { place &+= 1 }
        return FlowIndex(place)
    }
}
