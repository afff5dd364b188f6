import Syscalls

/// Which flows of each service hold buffers, in the order in which they came to have one.
///
/// A flow enters when it is lent a buffer. It stays when it has given it back, until somebody looks for those who hold
/// one, or it ends: giving back is what happens all the time.
struct HoldingFlows: Sendable {
    /// Neighbours as place + 1; 0 for none.
    private struct Link: BitwiseCopyable {
        var next: Int32
        var previous: Int32
        /// Its service's slot + 1; 0 for one that is not listed.
        var holder: Int32

        var isListed: Bool { holder > 0 }
        var service: Int32 { holder &- 1 }
    }

    private struct Ends: BitwiseCopyable {
        var first: Int32
        var last: Int32
    }

    private let links: Slab<FlowIndex, Link>
    private let ends: Slab<Int32, Ends>

    init(flows: Int, services: Int) throws(SystemCallError) {
        links = try Slab(capacity: flows)
        ends = try Slab(capacity: services)
    }

    /// Lists a flow as one of `service`, at the end.
    func add(_ flow: FlowIndex, of service: Int32) {
        if links[flow].isListed {
            guard links[flow].service != service else { return }
            remove(flow)
        }
        let last = ends[service].last
        links[flow] = Link(next: 0, previous: last, holder: service &+ 1)
        if last > 0 {
            links[FlowIndex(last &- 1)].next = flow.place &+ 1
        } else {
            ends[service].first = flow.place &+ 1
        }
        ends[service].last = flow.place &+ 1
    }

    func remove(_ flow: FlowIndex) {
        let link = links[flow]
        guard link.isListed else { return }
        if link.previous > 0 {
            links[FlowIndex(link.previous &- 1)].next = link.next
        } else {
            ends[link.service].first = link.next
        }
        if link.next > 0 {
            links[FlowIndex(link.next &- 1)].previous = link.previous
        } else {
            ends[link.service].last = link.previous
        }
        links[flow].holder = 0
    }

    /// The one that has been listed longest, or none.
    func first(of service: Int32) -> FlowIndex { FlowIndex(ends[service].first &- 1) }

    func next(after flow: FlowIndex) -> FlowIndex { FlowIndex(links[flow].next &- 1) }
}
