import Routing
import Syscalls

/// The ends of plain HTTP connections: answers of our own, and what a client says when nobody reads it any more.
extension Worker {
    /// Reads of what is thrown away before the other flows get their turn: a megabyte.
    private static var discardedReads: Int { 16 }
    /// For how long a peer is heard out that goes on sending: 30 s, in ticks. nginx has the same limit
    /// (lingering_time).
    static var longestHearing: UInt32 { 300 }

    /// Answers the client ourselves and lets the flow go.
    mutating func answer(_ flow: FlowIndex, _ answer: HTTPAnswer) {
        let client = flow.client
        countUnrouted(flow)
        abandonDial(of: flow)
        closeHalf(flow.endpoint, reset: false)
        if halves[client].pending.exists { buffers.give(&halves[client].pending) }
        halves[client].pendingCount = 0
        buffers.give(&exchanges[flow].request.inbox)
        buffers.give(&exchanges[flow].response.inbox)
        counters.add(1, .answers(answer.status), service: flows[flow].service)
        exchanges[flow].status = UInt16(truncatingIfNeeded: answer.status)
        let isHEAD = exchanges[flow].isHEAD
        let date = UTCTime(nanosecondsSince1970: Clock.realtimeNanoseconds).httpDate
        let count = scratch.withMutableSpan(0, HTTPAnswer.longest) {
            answer.write(toHEAD: isHEAD, date: date, into: &$0) ?? 0
        }
        let sent = halves[client].socket.send(scratch, at: 0, count: count)
        countDown(max(0, sent.value), flow)
        sayGoodbye(flow)
    }

    /// Ends the client's stream, and hears the client out.
    mutating func sayGoodbye(_ flow: FlowIndex) {
        halves[flow.client].socket.shutdownWriting()
        hearOut(flow.client)
    }

    /// Lets a flow go of which all that `half` will get is in its socket, and closes the other half. What the peer
    /// still sends is thrown away meanwhile: closing on bytes that nobody has read would reset the connection, and with
    /// it go bytes that are on their way.
    ///
    /// With `thenReset` the connection ends with a reset, as soon as the peer has acknowledged everything (RFC 9293
    /// section 3.10.7.4 lets a reset overtake what was sent before it).
    mutating func hearOut(_ half: HalfIndex, thenReset: Bool = false) {
        let flow = half.flow
        closeHalf(half.other, reset: false)
        flows[flow].stage = .lingering
        flows[flow].endpointLingers = half.isEndpoint
        flows[flow].resetsAtEnd = thenReset
        flows[flow].lastActive = tick
        flows[flow].measuredSince = tick
        flows[flow].awaited = 0
        if thenReset, halves[half].socket.unsentBytes <= 0 { return close(flow, reset: true) }
        register(half)
        // Its end may have come before, and is not reported twice.
        halves[half].state.insert(.readable)
        discardInput(flow)
    }

    /// Who is heard out of a flow that lingers.
    func lingerer(_ flow: FlowIndex) -> HalfIndex { flows[flow].endpointLingers ? flow.endpoint : flow.client }

    /// Reads and forgets what a peer still sends of which nobody wants to hear.
    mutating func discardInput(_ flow: FlowIndex) {
        let half = lingerer(flow)
        switch discard(half) {
        case .everything: return
        // Its end is no reason to drop what it has not taken yet.
        case .ended where halves[half].socket.unsentBytes > 0: return
        case .ended, .failed: close(flow, reset: flows[flow].resetsAtEnd)
        // A reset now could overtake our last words; the sweep ends this when the peer's system has them.
        case .aTurn: enqueue(half)
        }
    }

    /// Lets go of a flow that lingers, as the process ends. What its peer has not taken yet the kernel goes on
    /// delivering: unless it is reset, or something is left unread.
    mutating func abandonLingering(_ flow: FlowIndex) {
        let half = lingerer(flow)
        _ = discard(half)
        close(flow, reset: flows[flow].resetsAtEnd && halves[half].socket.unsentBytes <= 0)
    }

    /// Closes the connections that wait between two requests.
    mutating func closeIdleExchanges() {
        for flow in places.places() where flows[flow].stage == .relaying && flows[flow].isHTTP {
            let exchange = exchanges[flow]
            let isDry = halves[flow.client].isDry && halves[flow.endpoint].isDry
            // One whose next request has crossed with the end is served first.
            let isSilent = !halves[flow.client].state.contains(.readable)
            if exchange.request.stage == .head, exchange.request.count == 0, isDry, isSilent {
                close(flow)
            }
        }
    }

    /// Looks after a client from which no request is taken at present.
    ///
    /// Nothing is read before the response has ended, so a client that has only ended its side still gets all of it.
    /// After the last response its input is thrown away: closing on bytes that nobody has read would reset the
    /// connection, and cut the response off.
    mutating func followSilence(_ flow: FlowIndex) -> Progress {
        let client = flow.client
        let isOver = exchanges[flow].request.stage == .last && exchanges[flow].response.stage == .head
        guard isOver || halves[client].state.contains(.shut) else {
            // Without a FIN of ours a hang-up means that the connection is no more: nobody is left to take the
            // response.
            guard halves[client].state.contains(.failed) else { return .waits }
            // What it has asked for is delivered all the same.
            hearOut(flow.endpoint, thenReset: true)
            return .gone
        }
        switch discard(client) {
        case .everything: return .waits
        case .ended:
            halves[client].state.insert(.ended)
            return .moves
        case .failed(let answer):
            fail(client, answer)
            return .gone
        case .aTurn:
            // It goes on sending: the others have their turn, and it is heard out within limits.
            if isOver, halves[flow.endpoint].isDry {
                halves[client].state.insert(.shut)
                sayGoodbye(flow)
                return .gone
            }
            enqueue(client)
            return .waits
        }
    }

    /// Looks after an endpoint whose last response has passed. What it says behind that is for nobody.
    mutating func followLastResponse(_ flow: FlowIndex) -> Progress {
        let (client, endpoint) = (flow.client, flow.endpoint)
        if !halves[client].state.contains(.shut) {
            // The client need not wait until the endpoint closes (RFC 9112 section 9.6). The endpoint is left to close
            // first, as it keeps the port for a while who does; unless there is no time.
            if isShuttingDown {
                sayGoodbye(flow)
                return .gone
            }
            halves[client].state.insert(.shut)
            halves[client].socket.shutdownWriting()
            enqueue(client)
        }
        let exchanges = exchanges
        skip(&exchanges[flow].response, Int(exchanges[flow].response.count))
        switch discard(endpoint) {
        case .everything: return .waits
        case .ended:
            halves[endpoint].state.insert(.ended)
            return .moves
        case .failed(let answer):
            // A reset behind the response is no reason to keep the client from reading it.
            note(.endpointReset, flow: flow) { _ in SystemCallError.text(of: answer.code) }
        case .aTurn: break  // it does not end by itself
        }
        hearOut(flow.client)
        return .gone
    }

    // MARK: Throwing away

    private enum Discarded {
        /// All that has come so far.
        case everything
        /// All that will come: the peer has ended its side.
        case ended
        case failed(KernelAnswer)
        /// As much as the other flows wait for. There may be more.
        case aTurn
    }

    /// Reads and forgets what a peer says.
    private mutating func discard(_ half: HalfIndex) -> Discarded {
        for _ in 0..<Worker.discardedReads {
            guard halves[half].state.contains(.readable) else { return .everything }
            let answer = halves[half].socket.receive(into: scratch, at: 0, upTo: Int(scratch.capacity))
            if answer.wouldBlock {
                halves[half].state.remove(.readable)
                return .everything
            }
            guard answer.value > 0 else { return answer.isError ? .failed(answer) : .ended }
            flows[half.flow].lastActive = tick
            if half.isClient { countUp(answer.value, half.flow) }
        }
        return .aTurn
    }
}
