import Domain
import Routing
import Syscalls

/// Plain HTTP: requests and responses followed, one exchange at a time.
extension Worker {
    /// What became of looking at the next bytes of a direction.
    enum Progress {
        /// There is something to pass on, or the direction has ended.
        case moves
        /// Nothing to do until more comes, or the other direction is done.
        case waits
        /// The flow is closed, or has only an answer of ours to deliver.
        case gone
    }

    enum Fill {
        case some, nothing, ended, failed(KernelAnswer), noMemory
    }

    /// What became of following a body. Whoever holds a message does not close its flow: that would take the record from under it.
    enum Following {
        case moves, waits, ended, malformed, failed(KernelAnswer), noMemory
    }

    /// Reads what the first request says, and routes by it.
    mutating func readFirstRequest(_ flow: FlowIndex) {
        let exchanges = exchanges
        while true {
            switch fill(flow.client, &exchanges[flow].request) {
            case .some: break
            case .nothing: return
            case .ended, .failed:
                note(.clientLeftEarly, flow: flow)
                return close(flow)
            case .noMemory: return cutForMemory(flow)
            }
            if flows[flow].awaitsProxyHeader {
                let request = exchanges[flow].request
                guard let used = readProxyHeader(flow, request.inbox, Int(request.offset), Int(request.count)) else {
                    return
                }
                exchanges[flow].request.offset &+= Int32(used)
                exchanges[flow].request.count &-= Int32(used)
                if flows[flow].awaitsProxyHeader { continue }
            }
            guard exchanges[flow].request.count > 0 else { continue }
            if takeRequestHead(flow) != .waits { return }
        }
    }

    /// Looks at the next bytes of a direction whose passable ones have passed.
    mutating func follow(_ source: HalfIndex) -> Progress {
        source.isClient ? followRequest(source.flow) : followResponse(source.flow)
    }

    // MARK: Requests

    private mutating func followRequest(_ flow: FlowIndex) -> Progress {
        let exchanges = exchanges
        let client = flow.client
        switch exchanges[flow].request.stage {
        case .body:
            return settle(client, followBody(client, &exchanges[flow].request)) ?? endRequest(flow)
        case .done, .last:
            return followSilence(flow)
        case .head: break
        }
        while true {
            if exchanges[flow].request.count > 0 {
                let progress = takeRequestHead(flow)
                if progress != .waits { return progress }
            } else if exchanges[flow].request.inbox.exists {
                buffers.give(&exchanges[flow].request.inbox)
                exchanges[flow].request.offset = 0
            }
            let wasEmpty = exchanges[flow].request.count == 0
            switch fill(client, &exchanges[flow].request) {
            case .some:
                if wasEmpty { exchanges[flow].headSince = tick }
                counters.add(UInt64(exchanges[flow].request.lastRead), .bytesUp, service: flows[flow].service)
            case .nothing: return .waits
            case .ended:
                guard wasEmpty else {
                    note(.clientLeftEarly, flow: flow) { _ in "in the middle of a request head" }
                    close(flow)
                    return .gone
                }
                halves[client].state.insert(.ended)
                return .moves
            case .failed(let answer):
                fail(client, answer)
                return .gone
            case .noMemory:
                cutForMemory(flow)
                return .gone
            }
        }
    }

    /// Takes a request head off the client's inbox and makes it what the endpoint is to read. `.waits` when it is not whole.
    private mutating func takeRequestHead(_ flow: FlowIndex) -> Progress {
        let exchanges = exchanges
        let client = flow.client
        let inbox = exchanges[flow].request.inbox
        let offset = Int(exchanges[flow].request.offset)
        var scanned = Int(exchanges[flow].request.scanned)
        let outcome = inbox.withSpan(offset, Int(exchanges[flow].request.count)) {
            RequestHead.inspect($0, scanned: &scanned, host: &name)
        }
        exchanges[flow].request.scanned = Int32(scanned)
        let head: RequestHead
        switch outcome {
        case .incomplete:
            return .waits
        case .refused(let refusal):
            note(.requestRefused, flow: flow) { _ in refusal.sentence }
            if let answer = refusal.answer { self.answer(flow, answer) } else { close(flow, reset: true) }
            return .gone
        case .head(let whole):
            head = whole
        }
        exchanges[flow].isHEAD = head.isHEAD
        let isFirst = flows[flow].stage == .opening
        guard let service = serviceForName(flow), isFirst || service == flows[flow].service else {
            note(isFirst ? .nameUnknown : .otherHostOnConnection, flow: flow) { "host \($0.name)" }
            answer(flow, .misdirected)
            return .gone
        }
        if isFirst { assign(flow, to: service, received: Int(exchanges[flow].request.count)) }
        guard passOn(flow, head) else { return .gone }
        exchanges[flow].request.offset &+= Int32(head.length)
        exchanges[flow].request.count &-= Int32(head.length)
        exchanges[flow].request.scanned = 0
        if exchanges[flow].request.count == 0 {
            // Nothing is held for a request that waits for its response.
            buffers.give(&exchanges[flow].request.inbox)
            exchanges[flow].request.offset = 0
        }
        exchanges[flow].request.begin(head.framing, from: .client)
        exchanges[flow].awaitsContinue = head.expectsContinue && head.framing != .none
        exchanges[flow].wantsUpgrade = head.wantsUpgrade
        exchanges[flow].closes = head.closes
        exchanges[flow].answered = false
        exchanges[flow].requests &+= 1
        counters.add(1, .requests, service: service)
        if isFirst {
            halves[client].passable = 0
            depart(flow)
            return .gone
        }
        return .moves
    }

    /// Puts the head at the front of the inbox, with the device's address added, into the client half's pending bytes. False when the flow was closed.
    private mutating func passOn(_ flow: FlowIndex, _ head: RequestHead) -> Bool {
        let exchanges = exchanges
        let mode: ForwardedFor
        let route = view.route(flows[flow].service)
        switch route.forwardedFor {
        case .append: mode = .append
        case .replace: mode = .replace
        case .off: mode = .off
        }
        if exchanges[flow].clientCount == 0, mode != .off {
            guard let client = clientAddress(of: flow)?.address else {
                close(flow)  // it has gone: it has no address any more
                return false
            }
            var text = InlineArray<40, UInt8>(repeating: 0)
            var span = text.mutableSpan
            exchanges[flow].clientCount = Int32(client.write(into: &span) ?? 0)
            exchanges[flow].client = text
        }
        let room = head.length + RequestHead.longestGrowth + Address.longestText + 2
        let buffer = borrow(room, for: flow)
        guard buffer.exists else {
            cutForMemory(flow)
            return false
        }
        let request = exchanges[flow].request
        let text = exchanges[flow].client
        let textCount = Int(exchanges[flow].clientCount)
        let written = request.inbox.withSpan(Int(request.offset), head.length) { source in
            buffer.withMutableSpan(0, room) { output in
                head.copy(source, forwardedFor: mode, client: text.span.extracting(first: textCount), into: &output)
            }
        }
        let client = flow.client
        halves[client].pending = buffer
        halves[client].pendingOffset = 0
        halves[client].pendingCount = Int32(written ?? 0)
        precondition(written != nil, "a head grows by no more than was made room for")
        return true
    }

    private mutating func endRequest(_ flow: FlowIndex) -> Progress {
        if exchanges[flow].response.stage == .done { return endExchange(flow, askedBy: flow.client) }
        exchanges[flow].request.stage = .done
        exchanges[flow].askedSince = tick
        return .waits
    }

    // MARK: Responses

    private mutating func followResponse(_ flow: FlowIndex) -> Progress {
        let exchanges = exchanges
        let endpoint = flow.endpoint
        switch exchanges[flow].response.stage {
        case .body:
            return settle(endpoint, followBody(endpoint, &exchanges[flow].response)) ?? endResponse(flow)
        case .done, .last: return outliveRequest(flow)
        case .head: break
        }
        if exchanges[flow].request.stage == .last, !halves[endpoint.other].state.contains(.shut) {
            // The last response has passed, and the client need not wait until the endpoint closes (RFC 9112 section 9.6). The endpoint is
            // left to close first, as it keeps the port for a while who does; unless there is no time.
            if isShuttingDown {
                sayGoodbye(flow)
                return .gone
            }
            halves[endpoint.other].state.insert(.shut)
            halves[endpoint.other].socket.shutdownWriting()
            enqueue(endpoint.other)
        }
        while true {
            if exchanges[flow].response.count > 0, let progress = takeResponseHead(flow) { return progress }
            switch fill(endpoint, &exchanges[flow].response) {
            case .some: break
            case .nothing: return .waits
            case .ended:
                guard exchanges[flow].response.count == 0 else {
                    passBlindly(flow)  // it broke off within a head: the client may make of it what it can
                    return .moves
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
        // What nobody asked for (a time-out notice, most often) is the connection's last word.
        if exchanges[flow].request.stage == .head || exchanges[flow].request.stage == .last {
            passBlindly(flow)
            return .moves
        }
        let isHEAD = exchanges[flow].isHEAD
        var scanned = Int(exchanges[flow].response.scanned)
        let outcome = exchanges[flow].response.inbox.withSpan(
            Int(exchanges[flow].response.offset), Int(exchanges[flow].response.count)
        ) { ResponseHead.inspect($0, scanned: &scanned, toHEAD: isHEAD) }
        exchanges[flow].response.scanned = Int32(scanned)
        switch outcome {
        case .incomplete:
            return nil
        case .malformed:
            passBlindly(flow)
        case .head(let head):
            exchanges[flow].answered = true
            if head.isInterim {
                exchanges[flow].awaitsContinue = false
                exchanges[flow].response.scanned = 0
                return settle(flow.endpoint, handOver(&exchanges[flow].response, head.length, flow.endpoint))
            }
            if head.switchesProtocols {
                guard exchanges[flow].wantsUpgrade, exchanges[flow].request.stage == .done else {
                    passBlindly(flow)
                    return .moves
                }
                exchanges[flow].request.begin(.untilClose, from: .client)
                exchanges[flow].response.begin(.untilClose, from: .endpoint)
                enqueue(flow.client)
                return .moves
            }
            if head.closes { exchanges[flow].closes = true }
            if exchanges[flow].awaitsContinue {
                // Whether the body still comes is the client's choice now (RFC 9110 section 10.1.1), so what it sends next could be read as a
                // body by us and as a request by the endpoint. Nothing of it is passed on.
                exchanges[flow].closes = true
                exchanges[flow].request.stage = .last
            }
            exchanges[flow].response.scanned = 0
            exchanges[flow].response.begin(head.framing, from: .endpoint)
            return settle(flow.endpoint, handOver(&exchanges[flow].response, head.length, flow.endpoint))
        }
        return .moves
    }

    /// Passes everything that the endpoint still sends as it is, and takes no further request.
    private mutating func passBlindly(_ flow: FlowIndex) {
        exchanges[flow].answered = true
        exchanges[flow].closes = true
        if exchanges[flow].request.stage != .body { exchanges[flow].request.stage = .last }
        exchanges[flow].response.begin(.untilClose, from: .endpoint)
    }

    private mutating func endResponse(_ flow: FlowIndex) -> Progress {
        if exchanges[flow].request.stage == .done || exchanges[flow].request.stage == .last {
            return endExchange(flow, askedBy: flow.endpoint)
        }
        exchanges[flow].response.stage = .done
        return outliveRequest(flow)
    }

    /// Looks after an endpoint that has answered before the request was whole. When it has gone, the client is told so, and the rest of
    /// the request goes wherever it can.
    private mutating func outliveRequest(_ flow: FlowIndex) -> Progress {
        let endpoint = flow.endpoint
        guard !halves[endpoint].state.isDisjoint(with: [.peerClosed, .failed]) else { return .waits }
        exchanges[flow].closes = true
        halves[endpoint].state.insert(.ended)
        return .moves
    }

    /// Both messages have ended: the next request may come, unless this was the last.
    private mutating func endExchange(_ flow: FlowIndex, askedBy half: HalfIndex) -> Progress {
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
    /// Only then an answer of ours is of use: on a connection that has carried requests before, a silent close lets the client try again.
    func owesFirstAnswer(_ flow: FlowIndex) -> Bool {
        guard flows[flow].isHTTP else { return false }
        let exchange = exchanges[flow]
        return exchange.requests == 1 && !exchange.answered && exchange.request.stage != .head
    }
}
