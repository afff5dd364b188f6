import Domain
import Routing
import Syscalls

/// Deadlines. Instead of a timer for each flow, every flow is looked at once a second: a store per event, no timer to
/// set or to cancel.
extension Worker {
    /// A quarter of the flows are looked at each time.
    static var sweepInterval: UInt64 { 250 }
    /// For how long a peer is heard out that says nothing more: 5 s, as nginx has it (lingering_timeout), in ticks. A
    /// reset on the heels of our last words could reach a slow device before it has read them.
    private static var lingerTicks: UInt32 { 50 }
    /// A half-closed flow without an event is asked for its progress from its second second on.
    private static var firstLook: UInt32 { 10 }

    mutating func sweep() {
        nextSweep = now &+ Worker.sweepInterval
        counters.set(UInt64(buffers.accounts.bytesLent), .bytesBuffered)
        counters.set(UInt64(dials.count), .dialsUnderWay)
        // Only one that has room: the kernel wakes one worker for a connection, and it should be one that takes it.
        if !isAccepting, now >= acceptAgain, !places.isFull { startAccepting() }
        let end = min(sweepPosition &+ places.used / 4 &+ 1, places.used)
        for flow in places.places(from: sweepPosition, to: end) where flows[flow].stage != .free { sweep(flow) }
        sweepPosition = end >= places.used ? 0 : end
    }

    private func ticks(_ duration: Duration) -> UInt32 {
        UInt32(clamping: max(1, duration.milliseconds / Worker.tickMilliseconds))
    }

    private mutating func sweep(_ flow: FlowIndex) {
        if flows[flow].isLogged { logProgress(flow) }
        let age = tick &- flows[flow].lastActive
        switch flows[flow].stage {
        case .free, .dialling: break
        case .opening:
            let said = flows[flow].isHTTP ? exchanges[flow].request.count : halves[flow.client].pendingCount
            guard age >= ticks(plan.settings.helloTimeout) else { return judgeOpeningPace(flow, Int(said)) }
            if said == 0 {
                note(.clientSilent, flow: flow)
                close(flow)
            } else {
                timeOutRequest(flow)
            }
        case .relaying: sweepRelaying(flow, age)
        case .lingering: sweepLingering(flow, age)
        }
    }

    private mutating func sweepRelaying(_ flow: FlowIndex, _ age: UInt32) {
        // Not at its beginning: most flows are over before their first look, and save these calls.
        if !halves[flow.endpoint].state.contains(.guarded) {
            halves[flow.endpoint].state.insert(.guarded)
            halves[flow.endpoint].socket.noticeVanishing()
        }
        if flows[flow].isHTTP {
            let request = exchanges[flow].request
            if request.stage == .head, request.count > 0,
                tick &- exchanges[flow].headSince >= ticks(plan.settings.helloTimeout)
            {
                return timeOutRequest(flow)
            }
            if request.stage == .head, request.count > 0,
                !judgeHeadPace(flow, Int(request.count), since: exchanges[flow].headSince)
            {
                return
            }
            guard judgeBodyPace(flow) else { return }
            if isOverdue(flow, age) {
                note(.responseTimedOut, flow: flow)
                return answer(flow, .gatewayTimeout)
            }
        }
        let isHalfClosed = isHalfClosed(flow)
        let idle = ticks(plan.settings.idleTimeout)
        guard isHalfClosed ? age >= Worker.firstLook : age >= idle / 2 else { return }
        guard !hasDelivered(flow) else {
            flows[flow].lastActive = tick
            return
        }
        if isHalfClosed, !isOwed(flow), age >= ticks(plan.settings.halfCloseTimeout) {
            note(.halfCloseTimedOut, flow: flow)
            close(flow, reset: true)
        } else if age >= idle {
            note(.idleTimedOut, flow: flow)
            close(flow, reset: true)
        }
    }

    /// Whether an endpoint has let a client wait for its answer for too long: to a request that it has whole, to one
    /// whose body it is asked for (`Expect`), or to one whose body it does not take.
    private mutating func isOverdue(_ flow: FlowIndex, _ age: UInt32) -> Bool {
        let exchange = exchanges[flow]
        guard !exchange.answered, exchange.response.stage == .head, halves[flow.endpoint].isDry else { return false }
        let patience = ticks(plan.settings.responseTimeout)
        switch exchange.request.stage {
        case .head, .last: return false
        case .done:
            let waited = tick &- exchange.askedSince
            guard waited >= patience / 2 else { return false }
            // The request is whole in our socket. What the endpoint has not taken of it yet it cannot answer.
            guard halves[flow.endpoint].socket.unsentBytes > 0, hasDelivered(flow) else { return waited >= patience }
            exchanges[flow].askedSince = tick
            flows[flow].lastActive = tick
            return false
        case .body where exchange.awaitsContinue: return tick &- exchange.askedSince >= patience
        case .body:
            guard !halves[flow.endpoint].state.contains(.writable), age >= patience else { return false }
            guard hasDelivered(flow) else { return true }
            flows[flow].lastActive = tick
            return false
        }
    }

    private mutating func sweepLingering(_ flow: FlowIndex, _ age: UInt32) {
        guard age >= Worker.lingerTicks || tick &- flows[flow].measuredSince >= Worker.longestHearing else { return }
        // Whatever a peer says to a closed socket is answered by a reset, so a slow one is heard out until it has taken
        // everything.
        if halves[lingerer(flow)].socket.unsentBytes <= 0 {
            close(flow, reset: flows[flow].resetsAtEnd)
        } else if hasDelivered(flow) {
            flows[flow].lastActive = tick &- Worker.lingerTicks
        } else if age >= ticks(plan.settings.idleTimeout) {
            close(flow, reset: flows[flow].resetsAtEnd)
        }
    }

    // MARK: What is owed

    /// Whether one side has ended, or can take nothing more, and the other has not. Of plain HTTP a client's FIN is not
    /// read before the response has come, but is known of.
    private func isHalfClosed(_ flow: FlowIndex) -> Bool {
        let states = halves[flow.client].state.union(halves[flow.endpoint].state)
        return !states.isDisjoint(with: [.ended, .peerClosed, .shut, .deaf])
    }

    /// Whether the peers have acknowledged something since the last look. No event tells of it, since what is on its
    /// way is the kernel's.
    private mutating func hasDelivered(_ flow: FlowIndex) -> Bool {
        let sum = max(0, halves[flow.client].socket.unsentBytes) &+ max(0, halves[flow.endpoint].socket.unsentBytes)
        let unsent = UInt32(clamping: sum)
        defer { flows[flow].awaited = unsent }
        return unsent != flows[flow].awaited
    }

    /// Whether somebody still waits for something, in a flow that one side has ended: for bytes on their way, or for
    /// the answer to a request. `hasDelivered` has just looked.
    private func isOwed(_ flow: FlowIndex) -> Bool {
        if flows[flow].awaited > 0 || !halves[flow.client].isDry || !halves[flow.endpoint].isDry { return true }
        guard halves[flow.endpoint].state.isDisjoint(with: [.ended, .peerClosed, .deaf]),
            halves[flow.client].state.isDisjoint(with: [.deaf, .failed])
        else { return false }
        guard flows[flow].isHTTP else { return true }
        switch exchanges[flow].request.stage {
        case .body, .done: return true
        case .head, .last: return exchanges[flow].response.stage == .body
        }
    }

    private mutating func timeOutRequest(_ flow: FlowIndex) {
        note(.requestTimedOut, flow: flow)
        if flows[flow].isHTTP, !flows[flow].awaitsProxyHeader {
            answer(flow, .requestTimeout)
        } else {
            close(flow, reset: true)
        }
    }
}
