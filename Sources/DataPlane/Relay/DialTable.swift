import Syscalls

/// The dials of one worker: their records, and the list of those under way.
struct DialTable: Sendable {
    private let dials: Slab<DialIndex, Dial>
    /// Those under way, in no order; `Dial.position` is the way back.
    private let underWay: Slab<Int32, DialIndex>
    private var firstFree = DialIndex.none
    private var used: Int32 = 0
    private(set) var count: Int32 = 0

    /// There are as many records as flows, and a flow has one dial.
    init(limit: Int) throws(SystemCallError) {
        dials = try Slab(capacity: limit)
        underWay = try Slab(capacity: limit)
    }

    @inlinable subscript(_ index: DialIndex) -> Dial {
        @inline(__always) _read { yield dials[index] }
        @inline(__always) nonmutating _modify { yield &dials[index] }
    }

    /// A fresh dial for `flow`, on the list.
    mutating func claim(for flow: FlowIndex) -> DialIndex {
        let index: DialIndex
        if firstFree.exists {
            index = firstFree
            firstFree = dials[index].nextFree
        } else {
            index = DialIndex(used)
            used &+= 1
            dials[index] = Dial()
        }
        let generation = dials[index].generation
        dials[index] = Dial()
        dials[index].generation = generation
        dials[index].flow = flow
        dials[index].position = count
        underWay[count] = index
        count &+= 1
        return index
    }

    /// Takes a dial off the list. The last one of the list takes its position.
    mutating func give(_ index: DialIndex) {
        let last = underWay[count &- 1]
        underWay[dials[index].position] = last
        dials[last].position = dials[index].position
        count &-= 1
        dials[index].flow = .none
        dials[index].nextFree = firstFree
        firstFree = index
    }

    /// The dial at a position of the list.
    func at(_ position: Int32) -> DialIndex { underWay[position] }

    /// Whether `index` is the dial at `position`: false once it has ended.
    func isAt(_ position: Int32, _ index: DialIndex) -> Bool { position < count && underWay[position] == index }
}
