import Syscalls

/// Which flow: its place in a worker's tables.
struct FlowIndex: SlabIndex, Hashable {
    let place: Int32

    @inline(__always) init(_ place: Int32) { self.place = place }

    /// No flow.
    static var none: FlowIndex { FlowIndex(-1) }
    @inline(__always) var exists: Bool { place >= 0 }

    @inline(__always) var client: HalfIndex { HalfIndex(place &* 2) }
    @inline(__always) var endpoint: HalfIndex { HalfIndex(place &* 2 &+ 1) }
}

/// Which half of which flow. Halves 2i (the client's) and 2i + 1 (the endpoint's) make flow i.
struct HalfIndex: SlabIndex, Hashable {
    let place: Int32

    @inline(__always) init(_ place: Int32) { self.place = place }

    /// No half.
    static var none: HalfIndex { HalfIndex(-1) }

    @inline(__always) var flow: FlowIndex { FlowIndex(place >> 1) }
    @inline(__always) var other: HalfIndex { HalfIndex(place ^ 1) }
    @inline(__always) var isClient: Bool { place & 1 == 0 }
    @inline(__always) var isEndpoint: Bool { place & 1 == 1 }
}

/// Which dial under way.
struct DialIndex: SlabIndex, Hashable {
    let place: Int32

    @inline(__always) init(_ place: Int32) { self.place = place }

    /// No dial.
    static var none: DialIndex { DialIndex(-1) }
    @inline(__always) var exists: Bool { place >= 0 }
}
