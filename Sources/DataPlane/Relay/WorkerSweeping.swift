import Domain
import Routing
import Syscalls

/// Deadlines. Instead of a timer for each flow, every flow is looked at once a second: a store per event, no timer to set or to cancel.
extension Worker {
    /// A quarter of the flows are looked at each time.
    static var sweepInterval: UInt64 { 250 }
    /// For how long a client is heard out after an answer of ours.
    private static var lingerTicks: UInt32 { 20 }

    mutating func sweep() {
        nextSweep = now &+ Worker.sweepInterval
        counters.set(UInt64(buffers.bytesOnLoan), .bytesBuffered)
        // Only one that has room: the kernel wakes one worker for a connection, and it should be one that takes it.
        if !isAccepting, now >= acceptAgain, !places.isFull { startAccepting() }
        let end = min(sweepPosition &+ places.used / 4 &+ 1, places.used)
        for flow in places.places(from: sweepPosition, to: end) where flows[flow].stage != .free { check(flow) }
        sweepPosition = end >= places.used ? 0 : end
    }

    private func ticks(_ duration: Duration) -> UInt32 {
        UInt32(clamping: max(1, duration.milliseconds / Worker.tickMilliseconds))
    }

    private mutating func check(_ flow: FlowIndex) {
        let age = tick &- flows[flow].lastActive
        switch flows[flow].stage {
        case .free, .dialling: break
        case .opening:
            guard age >= ticks(plan.settings.helloTimeout) else { return }
            let said = flows[flow].isHTTP ? exchanges[flow].request.count : halves[flow.client].pendingCount
            if said == 0 {
                note(.clientSilent, flow: flow)
                close(flow)
            } else {
                timeOutRequest(flow)
            }
        case .relaying:
            if flows[flow].isHTTP, exchanges[flow].request.stage == .head, exchanges[flow].request.count > 0,
                tick &- exchanges[flow].headSince >= ticks(plan.settings.helloTimeout)
            {
                return timeOutRequest(flow)
            }
            // Of plain HTTP a client's FIN is not read before the response has come, but is known of.
            let states = halves[flow.client].state.union(halves[flow.endpoint].state)
            let halfClosed = !states.isDisjoint(with: [.ended, .peerClosed, .shut, .deaf])
            if halfClosed, age >= ticks(plan.settings.halfCloseTimeout) {
                note(.halfCloseTimedOut, flow: flow)
                close(flow, reset: true)
            } else if age >= ticks(plan.settings.idleTimeout) {
                note(.idleTimedOut, flow: flow)
                close(flow, reset: true)
            }
        case .lingering:
            guard age >= Worker.lingerTicks else { return }
            // Whatever the client says to a closed socket is answered by a reset, so a slow one is heard out until it has taken everything.
            let isTaken = halves[flow.client].socket.unsentBytes <= 0
            if isTaken || age >= ticks(plan.settings.halfCloseTimeout) { close(flow, reset: flows[flow].resetsAtEnd) }
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
