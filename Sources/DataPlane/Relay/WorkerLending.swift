import Routing
import Syscalls

/// Lending buffers to flows, and who gives way when there is none left.
///
/// Hellos and first heads have memory of their own. All else is on the account of a service: a tenant whose clients do
/// not read meets its own limit, and when the services together have reached theirs, the one that holds the most gives
/// way to the others.
extension Worker {
    /// Flows that are cut for one buffer: of the smallest there are as many in a large one, and one more.
    private static var mostCuts: Int { 18 }
    /// Flows of a service that are looked at to find its largest.
    private static var mostCompared: Int { 32 }
    /// The same, with those that have given back what they held.
    private static var mostVisited: Int { 256 }

    /// How much to read at a time, since all of it may have to be kept.
    @inline(__always) func mostToRead(_ source: HalfIndex) -> Int {
        let holder = flows[source.flow].service
        if buffers.accounts.isScarce(for: holder) {
            // What may still become a whole hello is worth the larger buffer.
            return Int(holder == BufferAccounts.openings ? BufferPool.middle : BufferPool.small)
        }
        // A sink that had no room once will have none again: about half of the last read stays here then.
        return Int(halves[source.other].state.contains(.wasFull) ? BufferPool.middle : BufferPool.large)
    }

    /// A buffer of at least `count` bytes for a flow, or none when it is for this flow to give way: then `cutForMemory`
    /// ends it.
    mutating func borrow(_ count: Int, for flow: FlowIndex) -> Buffer {
        let holder = flows[flow].service
        if !buffers.accounts.hasRoom(BufferPool.capacity(for: count), for: holder) {
            guard makeRoom(BufferPool.capacity(for: count), for: flow) else { return Buffer() }
        }
        holding.add(flow, of: holder)
        return buffers.lend(count, for: holder)
    }

    /// Gives the `count` bytes of a buffer one of the next size. False when that is not to be had.
    mutating func enlarge(
        _ buffer: inout Buffer, _ count: Int, upTo most: Int32 = BufferPool.large, for flow: FlowIndex
    ) -> Bool {
        let capacity = buffer.capacity
        let isSmall = capacity < BufferPool.middle
        guard capacity < most, isSmall || !buffers.accounts.isScarce(for: flows[flow].service) else {
            memoryCulprit = flows[flow].service
            return false
        }
        // Beyond the largest of the pool twice as much each time, so that the copying stays linear. Hardly any hello
        // gets there.
        let next =
            isSmall ? BufferPool.middle : capacity < BufferPool.large ? BufferPool.large : min(capacity &* 2, most)
        let larger = borrow(Int(next), for: flow)
        guard larger.exists else { return false }
        larger.copy(count, from: buffer, at: 0, to: 0)
        buffers.give(&buffer)
        buffer = larger
        return true
    }

    /// Puts what a flow holds on the account of its service, which is known by now.
    mutating func settleLoans(_ flow: FlowIndex) {
        let service = flows[flow].service
        let (client, exchanges) = (flow.client, exchanges)
        buffers.move(&halves[client].pending, to: service)
        if flows[flow].isHTTP { buffers.move(&exchanges[flow].request.inbox, to: service) }
        if held(by: flow) > 0 { holding.add(flow, of: service) }
    }

    /// Whether the account of a flow's service, and that of all services, is within its limit: if need be after others
    /// have given way.
    mutating func isAffordable(_ flow: FlowIndex) -> Bool {
        buffers.accounts.hasRoom(0, for: flows[flow].service) || makeRoom(0, for: flow)
    }

    /// Has whoever holds the most give way until `count` bytes may be lent to a flow. False when that would be this
    /// flow itself.
    private mutating func makeRoom(_ count: Int, for flow: FlowIndex) -> Bool {
        let holder = flows[flow].service
        for _ in 0..<Worker.mostCuts {
            let culprit = buffers.accounts.culprit(count, for: holder)
            memoryCulprit = culprit
            guard let victim = largestFlow(of: culprit), victim != flow else { return false }
            note(.buffersExhausted, flow: victim, service: culprit)
            close(victim, reset: true)
            if buffers.accounts.hasRoom(count, for: holder) { return true }
        }
        return false
    }

    /// The flow of a service that holds the most, of those that have held something longest.
    private func largestFlow(of service: Int32) -> FlowIndex? {
        var found: FlowIndex?
        var most = 0
        var compared = 0
        var visited = 0
        var flow = holding.first(of: service)
        while flow.exists, compared < Worker.mostCompared, visited < Worker.mostVisited {
            let next = holding.next(after: flow)
            let held = held(by: flow)
            if held == 0 { holding.remove(flow) } else { compared &+= 1 }
            if held > most {
                most = held
                found = flow
            }
            visited &+= 1
            flow = next
        }
        return found
    }

    /// Bytes that are lent to a flow.
    private func held(by flow: FlowIndex) -> Int {
        var sum = Int(halves[flow.client].pending.capacity) &+ Int(halves[flow.endpoint].pending.capacity)
        if flows[flow].isHTTP {
            sum &+= Int(exchanges[flow].request.inbox.capacity) &+ Int(exchanges[flow].response.inbox.capacity)
        }
        return sum
    }

    /// Ends a flow for which there is no memory, which counts for the service that has made it necessary: with an
    /// answer, if the client waits for one and none has begun.
    mutating func cutForMemory(_ flow: FlowIndex) {
        note(.buffersExhausted, flow: flow, service: memoryCulprit)
        if isOpenToAnswer(flow) { answer(flow, .overloaded) } else { close(flow, reset: true) }
    }

    /// Whether an answer of ours would be understood as that to the client's present request.
    func isOpenToAnswer(_ flow: FlowIndex) -> Bool {
        guard flows[flow].isHTTP, !flows[flow].awaitsProxyHeader else { return false }
        if flows[flow].stage == .opening || owesFirstAnswer(flow) { return true }
        let exchange = exchanges[flow]
        return flows[flow].stage == .relaying && exchange.request.stage == .head && exchange.response.stage == .head
            && halves[flow.endpoint].isDry && halves[flow.client].isDry && !halves[flow.client].state.contains(.shut)
    }
}
