import Domain
import Syscalls

/// How a flow that relays comes to its end: an end that is passed on, a reset, or a half that takes nothing any more.
extension Worker {
    /// Passes the end of one direction on. False when that was the end of both, and the flow is gone.
    mutating func passEnd(_ source: HalfIndex) -> Bool {
        let sink = source.other
        if halves[sink].state.contains(.ended), halves[sink].isDry {
            closeFlow(of: source)
            return false
        }
        if !halves[sink].state.contains(.shut) {
            halves[sink].state.insert(.shut)
            if source.isEndpoint, owesFirstAnswer(source.flow) {
                note(.endpointLeftEarly, flow: source.flow)
                answer(source.flow, .badGateway)
                return false
            }
            if isTruncated(source) { note(source.isClient ? .requestTruncated : .responseTruncated, flow: source.flow) }
            halves[sink].socket.shutdownWriting()
            // A client that waits for its response may have ended its side long ago; from now on that is looked for.
            if halves[sink].passable == 0 { enqueue(sink) }
        }
        // It has said everything and takes nothing; so does the responder, to which a caller that stays would only keep
        // others from asking. What the other still says is for nobody.
        let isResponder = source.isEndpoint && flows[source.flow].service == ServiceSlot.monitor
        if isResponder || halves[source].state.contains(.deaf) {
            hearOut(sink)
            return false
        }
        // The same, and known without having told it anything: a reset behind its end. (With our own end behind it a
        // hang-up is no news.)
        guard halves[source].state.contains(.failed), !halves[source].state.contains(.shut) else { return true }
        note(source.isClient ? .clientReset : .endpointReset, flow: source.flow)
        hearOut(sink, thenReset: true)
        return false
    }

    /// Half `half` takes no more. It may have said something before it went (an endpoint's early answer to an upload
    /// that it did not want, a client's upload of which it wants no answer), and that still waits in its socket; behind
    /// it comes the end, which is a reset if this was one. False when the flow is gone.
    mutating func sendFailed(_ half: HalfIndex, _ answer: KernelAnswer) -> Bool {
        guard !halves[half].state.contains(.deaf) else { return fail(half, answer) }
        halves[half].state.insert(answer.meetsReset ? [.deaf, .readable, .wasReset] : [.deaf, .readable])
        halves[half].state.remove(.writable)
        let other = half.other
        if halves[other].pending.exists { buffers.give(&halves[other].pending) }
        halves[other].pendingOffset = 0
        halves[other].pendingCount = 0
        pipes.discard(&halves[other].pipe, of: flows[half.flow].service)
        halves[other].piped = 0
        return pump(half)
    }

    /// Ends a flow of which one connection has failed. What it said before is in the other's socket by now: that is
    /// delivered, and then the reset is passed on as a reset (invariant 13).
    @discardableResult
    mutating func fail(_ half: HalfIndex, _ answer: KernelAnswer) -> Bool {
        note(half.isClient ? .clientReset : .endpointReset, flow: half.flow) { _ in
            SystemCallError.text(of: answer.code)
        }
        if half.isEndpoint, owesFirstAnswer(half.flow) {
            self.answer(half.flow, .badGateway)
        } else {
            hearOut(half.other, thenReset: true)
        }
        return false
    }

    /// Whether a half has ended before the message has that it has begun. (A body that ends with the connection never
    /// is.)
    private func isTruncated(_ half: HalfIndex) -> Bool {
        guard flows[half.flow].isHTTP else { return false }
        let message = half.isClient ? exchanges[half.flow].request : exchanges[half.flow].response
        let isUnended = message.isChunked || (halves[half].passable != 0 && halves[half].passable != Half.unbounded)
        return message.stage == .body && isUnended
    }
}
