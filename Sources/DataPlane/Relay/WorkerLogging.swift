import Domain
import Routing
import Syscalls

/// The flow log: which flows are written down, and what is remembered of them. Of the others nothing is.
extension Worker {
    /// A connection has come from `peer`. That is remembered where connections are written down that reach no service:
    /// once one has been reset, nobody can say any more who it was.
    func rememberCaller(_ flow: FlowIndex, _ peer: TransportAddress?) {
        guard view.flowLog.oneIn > 0 else { return }
        begin(flow, from: peer)
    }

    private func begin(_ flow: FlowIndex, from peer: TransportAddress?) {
        facts[flow] = FlowFacts()
        facts[flow].client = peer
        facts[flow].called = halves[flow.client].socket.localAddress
        // As exactly as it is known: most flows are written down, if at all, in the round in which they come.
        facts[flow].openedAt =
            flows[flow].openedAt == tick ? now : now &- UInt64(tick &- flows[flow].openedAt) &* Worker.tickMilliseconds
        flows[flow].hasFacts = true
    }

    /// Milliseconds since a flow that is written down was accepted; at least 1.
    func age(_ flow: FlowIndex) -> UInt32 { UInt32(clamping: max(1, now &- facts[flow].openedAt)) }

    /// A flow has become its service's, by the name that was just read unless it is said by what else.
    @inline(__always) mutating func considerLogging(_ flow: FlowIndex, by rule: FlowRecord.Rule? = nil) {
        guard view.route(flows[flow].service).flowLog.oneIn > 0 else { return }
        beginLogging(flow, rule)
    }

    @inline(never) private mutating func beginLogging(_ flow: FlowIndex, _ rule: FlowRecord.Rule?) {
        let sampling = view.route(flows[flow].service).flowLog
        guard isDrawn(oneIn: sampling.oneIn) else { return }
        if !flows[flow].hasFacts { begin(flow, from: halves[flow.client].socket.peerAddress) }
        rememberAsserted(flow)
        flows[flow].isLogged = true
        facts[flow].oneIn = sampling.oneIn
        facts[flow].rule = rule ?? view.rule(for: name)
        if rule == nil { facts[flow].name = name }
        facts[flow].interval = sampling.interval &* UInt32(1000 / Worker.tickMilliseconds)
        facts[flow].nextLine = tick &+ facts[flow].interval
    }

    /// One in so many, by lot: a count would follow the pattern in which flows come.
    private mutating func isDrawn(oneIn: UInt32) -> Bool {
        guard oneIn > 1 else { return oneIn == 1 }
        // xorshift64 (Marsaglia 2003).
        lot ^= lot << 13
        lot ^= lot >> 7
        lot ^= lot << 17
        return lot % UInt64(oneIn) == 0
    }

    /// An endpoint has accepted.
    func rememberEndpoint(_ flow: FlowIndex, _ peer: TransportAddress, target: Int32) {
        guard flows[flow].isLogged else { return }
        facts[flow].endpoint = peer
        facts[flow].target = target
        facts[flow].connectedAfter = age(flow)
    }

    /// Writes a flow down that ends, if it is one of those that are.
    mutating func logEnd(_ flow: FlowIndex, _ event: FlowRecord.Event = .end) {
        if flows[flow].isLogged { return writeDown(flow, event) }
        guard flows[flow].service == ServiceSlot.unrouted, isDrawn(oneIn: view.flowLog.oneIn) else { return }
        facts[flow].oneIn = view.flowLog.oneIn
        rememberAsserted(flow)
        writeDown(flow, event)
    }

    /// A client has asked for a name that no service has.
    func rememberName(_ flow: FlowIndex) {
        if flows[flow].hasFacts { facts[flow].name = name }
    }

    private func rememberAsserted(_ flow: FlowIndex) {
        guard flows[flow].hasAssertedAddresses else { return }
        facts[flow].client = asserted[flow].source
        facts[flow].called = asserted[flow].destination
    }

    /// Writes a flow down that this process cuts as it ends.
    mutating func logStop(_ flow: FlowIndex) {
        guard flows[flow].hasFacts else { return }
        logEnd(flow, .stopped)
        flows[flow].hasFacts = false
    }

    /// Writes a line about a flow that lasts, when one is due.
    func logProgress(_ flow: FlowIndex) {
        guard facts[flow].interval > 0, Int32(bitPattern: tick &- facts[flow].nextLine) >= 0 else { return }
        facts[flow].nextLine &+= facts[flow].interval
        writeDown(flow, .open)
    }

    private func writeDown(_ flow: FlowIndex, _ event: FlowRecord.Event) {
        let (facts, state) = (facts[flow], flows[flow])
        let record = FlowRecord(
            event: event, isHTTP: state.isHTTP, rule: facts.rule, oneIn: facts.oneIn, service: state.service,
            generation: view.generation, time: Clock.realtimeNanoseconds, client: facts.client, called: facts.called,
            name: facts.name, endpoint: facts.endpoint, target: facts.target, age: now &- facts.openedAt,
            connectedAfter: facts.connectedAfter, answeredAfter: facts.answeredAfter, bytesUp: state.bytesUp,
            bytesDown: state.bytesDown, requests: state.isHTTP ? exchanges[flow].requests : 0,
            status: state.isHTTP ? exchanges[flow].status : 0, ending: state.ending)
        if !plan.records.append(record) { counters.add(1, .flowRecordsLost) }
    }
}
