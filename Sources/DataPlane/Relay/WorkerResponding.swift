import Domain
import Routing
import Syscalls

/// Plain HTTP: the responses of endpoints, and the ends of exchanges.
extension Worker {
    mutating func followResponse(_ flow: FlowIndex) -> Progress {
        let exchanges = exchanges
        let endpoint = flow.endpoint
        switch exchanges[flow].response.stage {
        case .body:
            return settle(endpoint, followBody(endpoint, &exchanges[flow].response)) ?? endResponse(flow)
        case .done, .last: return outliveRequest(flow)
        case .head: break
        }
        if exchanges[flow].request.stage == .last { return followLastResponse(flow) }
        while true {
            if exchanges[flow].response.count > 0, let progress = takeResponseHead(flow) { return progress }
            switch fill(endpoint, &exchanges[flow].response) {
            case .some: break
            case .nothing: return .waits
            case .ended:
                guard exchanges[flow].response.count == 0 else {
                    note(.endpointLeftEarly, flow: flow) { _ in "in the middle of a response head" }
                    self.answer(flow, .badResponse)
                    return .gone
                }
                halves[endpoint].state.insert(.ended)
                return .moves
            case .failed(let answer):
                fail(endpoint, answer)
                return .gone
            case .noMemory:
                cutForMemory(flow)
                return .gone
            }
        }
    }

    /// Takes a response head off the endpoint's inbox. Nil when it is not whole.
    private mutating func takeResponseHead(_ flow: FlowIndex) -> Progress? {
        let exchanges = exchanges
        let endpoint = flow.endpoint
        let inbox = exchanges[flow].response.inbox
        let (offset, count) = (Int(exchanges[flow].response.offset), Int(exchanges[flow].response.count))
        // As a request may have one before it, and for the same reason: a body with an end of line too many.
        let empty = inbox.withSpan(offset, count) { RequestHead.emptyLines($0) }
        if empty > 0 {
            skip(&exchanges[flow].response, empty)
            exchanges[flow].response.scanned = 0
            return .moves
        }
        // What nobody asked for (a time-out notice, most often) must not be taken for the answer to what is asked next
        // (RFC 9112 section 9.2). A client that hears nothing of it can ask again.
        if exchanges[flow].request.stage == .head { return refuseResponseUnasked(flow) }
        let isHEAD = exchanges[flow].isHEAD
        var scanned = Int(exchanges[flow].response.scanned)
        let outcome = inbox.withSpan(offset, count) {
            ResponseHead.inspect($0, scanned: &scanned, toHEAD: isHEAD)
        }
        exchanges[flow].response.scanned = Int32(scanned)
        let head: ResponseHead
        switch outcome {
        case .incomplete: return nil
        case .malformed: return refuseResponse(flow)
        case .head(let whole): head = whole
        }
        if let counter = ServiceCounter.responses(head.status) {
            counters.add(1, counter, service: flows[flow].service)
        }
        exchanges[flow].status = UInt16(truncatingIfNeeded: head.status)
        if head.switchesProtocols {
            guard exchanges[flow].wantsUpgrade, exchanges[flow].request.stage == .done else {
                return refuseResponse(flow)
            }
            exchanges[flow].request.begin(.untilClose, from: .client)
            exchanges[flow].response.begin(.untilClose, from: .endpoint)
            enqueue(flow.client)
        } else if head.isInterim {
            exchanges[flow].awaitsContinue = false
            // It is at work: the time until its answer begins anew.
            exchanges[flow].askedSince = tick
        } else {
            beginResponse(flow, head)
        }
        if !head.isInterim { exchanges[flow].answered = true }
        exchanges[flow].response.scanned = 0
        return settle(endpoint, passOn(flow, head, closing: !head.isInterim && exchanges[flow].closes))
    }

    /// Begins the response proper, and finds out whether it is the connection's last.
    private mutating func beginResponse(_ flow: FlowIndex, _ head: ResponseHead) {
        if head.closes { exchanges[flow].closes = true }
        if exchanges[flow].awaitsContinue {
            // Whether the body still comes is the client's choice now (RFC 9110 section 10.1.1), so what it sends next
            // could be read as a body by us and as a request by the endpoint. Nothing of it is passed on.
            exchanges[flow].closes = true
            exchanges[flow].request.stage = .last
        }
        // The end that `endExchange` will make, said while there is somebody to hear it.
        if isShuttingDown, exchanges[flow].request.count == 0 { exchanges[flow].closes = true }
        exchanges[flow].response.begin(head.framing, from: .endpoint, named: head.namedFields)
    }

    /// Hands a response head over: as it is, unless something in it has to change.
    private mutating func passOn(_ flow: FlowIndex, _ head: ResponseHead, closing: Bool) -> Following {
        let exchanges = exchanges
        let endpoint = flow.endpoint
        guard head.changes(closing: closing) else {
            return handOver(&exchanges[flow].response, head.length, endpoint)
        }
        let room = head.length &+ ResponseHead.longestGrowth
        let buffer = borrow(room, for: flow)
        guard buffer.exists else { return .noMemory }
        let response = exchanges[flow].response
        let written = response.inbox.withSpan(Int(response.offset), head.length) { source in
            buffer.withMutableSpan(0, room) { head.copy(source, closing: closing, into: &$0) }
        }
        halves[endpoint].pending = buffer
        halves[endpoint].pendingOffset = 0
        halves[endpoint].pendingCount = Int32(written ?? 0)
        precondition(written != nil, "a head grows by no more than was made room for")
        skip(&exchanges[flow].response, head.length)
        return .moves
    }

    mutating func refuseResponseUnasked(_ flow: FlowIndex) -> Progress {
        note(.responseMalformed, flow: flow) { _ in "it came without a request" }
        sayGoodbye(flow)
        return .gone
    }

    /// Answers in place of an endpoint whose response is none, or could end in two places (RFC 9112 section 6.3).
    private mutating func refuseResponse(_ flow: FlowIndex) -> Progress {
        note(.responseMalformed, flow: flow) { _ in "in its head" }
        answer(flow, .badResponse)
        return .gone
    }

    private mutating func endResponse(_ flow: FlowIndex) -> Progress {
        if exchanges[flow].request.stage == .done || exchanges[flow].request.stage == .last {
            return endExchange(flow, askedBy: flow.endpoint)
        }
        exchanges[flow].response.stage = .done
        return outliveRequest(flow)
    }

    /// Looks after an endpoint that has answered before the request was whole. When it has gone, the client is told so,
    /// and the rest of the request goes wherever it can.
    private mutating func outliveRequest(_ flow: FlowIndex) -> Progress {
        let endpoint = flow.endpoint
        guard !halves[endpoint].state.isDisjoint(with: [.peerClosed, .failed]) else { return .waits }
        exchanges[flow].closes = true
        halves[endpoint].state.insert(.ended)
        return .moves
    }

    /// Both messages have ended: the next request may come, unless this was the last.
    mutating func endExchange(_ flow: FlowIndex, askedBy half: HalfIndex) -> Progress {
        // The other direction has waited for this, and what it waits to read may have come long ago.
        enqueue(half.other)
        exchanges[flow].isHEAD = false
        exchanges[flow].response.stage = .head
        exchanges[flow].response.scanned = 0
        if exchanges[flow].closes || (isShuttingDown && exchanges[flow].request.count == 0) {
            exchanges[flow].request.stage = .last
        } else {
            exchanges[flow].request.stage = .head
            exchanges[flow].headSince = tick
        }
        return .moves
    }

    /// Whether the client waits for the response to its first request, and none of it has come.
    ///
    /// Only then an answer of ours is of use: on a connection that has carried requests before, a silent close lets the
    /// client try again.
    func owesFirstAnswer(_ flow: FlowIndex) -> Bool {
        guard flows[flow].isHTTP else { return false }
        let exchange = exchanges[flow]
        // An interim response is no answer, but must have passed whole before one of ours.
        return exchange.requests == 1 && !exchange.answered && exchange.request.stage != .head
            && halves[flow.endpoint].isDry
    }
}
