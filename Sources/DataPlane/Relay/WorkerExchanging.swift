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

    /// What became of following a body. Whoever holds a message does not close its flow: that would take the record
    /// from under it.
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
                countUp(Int(exchanges[flow].request.lastRead), flow)
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

    /// Takes a request head off the client's inbox and makes it what the endpoint is to read. `.waits` when it is not
    /// whole.
    private mutating func takeRequestHead(_ flow: FlowIndex) -> Progress {
        let exchanges = exchanges
        let client = flow.client
        guard passOverEmptyLines(flow) else {
            refuse(flow, .badRequestLine)
            return .gone
        }
        guard exchanges[flow].request.count > 0 else { return .waits }
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
            refuse(flow, refusal)
            return .gone
        case .head(let whole):
            head = whole
        }
        exchanges[flow].isHEAD = head.isHEAD
        let isFirst = flows[flow].stage == .opening
        let found = serviceForName(flow)
        if head.namesTwoHosts {
            inbox.withSpan(offset, head.length) { head.readHostField($0, into: &name) }
            guard serviceForName(flow) == found else {
                refuse(flow, .otherHost)
                return .gone
            }
        }
        guard let service = found, isFirst || service == flows[flow].service else {
            if isFirst { rememberName(flow) }
            note(isFirst ? .nameUnknown : .otherHostOnConnection, flow: flow) { "host \($0.name)" }
            answer(flow, .misdirected)
            return .gone
        }
        if isFirst {
            assign(flow, to: service, received: Int(exchanges[flow].request.count))
        } else if let progress = refuseUnasked(flow) {
            return progress
        }
        if let answer = head.finalAnswer {
            self.answer(flow, answer)
            return .gone
        }
        guard passOn(flow, head) else { return .gone }
        // Nothing is held for a request that waits for its response.
        skip(&exchanges[flow].request, head.length)
        exchanges[flow].request.scanned = 0
        exchanges[flow].request.begin(head.framing, from: .client, named: head.namedFields)
        exchanges[flow].emptyLines = 0
        exchanges[flow].awaitsContinue = head.expectsContinue && head.framing != .none
        exchanges[flow].wantsUpgrade = head.wantsUpgrade
        exchanges[flow].closes = head.closes
        exchanges[flow].answered = false
        exchanges[flow].askedSince = tick
        exchanges[flow].requests &+= 1
        counters.add(1, .requests, service: service)
        if isFirst {
            halves[client].passable = 0
            depart(flow)
            return .gone
        }
        return .moves
    }

    /// Ends a flow whose endpoint has said something behind its last response. Nobody has asked for it, and once the
    /// next request is passed on it would be taken for the answer to that (RFC 9112 section 9.2). Nil when there is
    /// nothing.
    ///
    /// The endpoint's own turn may come only later, so its socket is looked at here, when there is any news of it.
    private mutating func refuseUnasked(_ flow: FlowIndex) -> Progress? {
        let exchanges = exchanges
        if exchanges[flow].response.count == 0 {
            switch fill(flow.endpoint, &exchanges[flow].response) {
            // Of its end its own turn will tell: the client may try elsewhere what it has asked for.
            case .some, .nothing, .ended: break
            case .failed(let answer):
                fail(flow.endpoint, answer)
                return .gone
            case .noMemory:
                cutForMemory(flow)
                return .gone
            }
        }
        let response = exchanges[flow].response
        guard response.count > 0 else { return nil }
        let empty = response.inbox.withSpan(Int(response.offset), Int(response.count)) { RequestHead.emptyLines($0) }
        if empty > 0 { skip(&exchanges[flow].response, empty) }
        guard exchanges[flow].response.count > 0 else { return nil }
        return refuseResponseUnasked(flow)
    }

    /// Passes over empty lines at the front of the client's inbox. False when there are more than a client sends.
    private mutating func passOverEmptyLines(_ flow: FlowIndex) -> Bool {
        let exchanges = exchanges
        let request = exchanges[flow].request
        let count = request.inbox.withSpan(Int(request.offset), Int(request.count)) { RequestHead.emptyLines($0) }
        guard count > 0 else { return true }
        guard Int(exchanges[flow].emptyLines) &+ count / 2 <= RequestHead.mostEmptyLines else { return false }
        exchanges[flow].emptyLines &+= UInt8(count / 2)
        exchanges[flow].request.scanned = 0
        skip(&exchanges[flow].request, count)
        // On a connection that has a service they were counted as they came.
        if flows[flow].stage == .opening { countUp(count, flow) }
        return true
    }

    private mutating func refuse(_ flow: FlowIndex, _ refusal: RequestHead.Refusal) {
        note(.requestRefused, flow: flow) { _ in refusal.sentence }
        if let answer = refusal.answer { self.answer(flow, answer) } else { close(flow, reset: true) }
    }

    /// What the endpoint of a flow's service is told of the client; nil when the client has gone, and has no address
    /// any more.
    private mutating func forwarding(_ flow: FlowIndex) -> Forwarding? {
        let exchanges = exchanges
        let route = view.route(flows[flow].service)
        let addressing: ForwardedFor =
            switch route.forwardedFor {
            case .append: .append
            case .replace: .replace
            case .off: .off
            }
        let fields: ForwardedFields =
            switch route.forwardedFields {
            case .keep: .keep
            case .strip: .strip
            case .set: .set
            }
        if exchanges[flow].clientCount == 0, addressing != .off || fields == .set {
            guard let client = clientAddress(of: flow)?.address else { return nil }
            var text = InlineArray<40, UInt8>(repeating: 0)
            var span = text.mutableSpan
            exchanges[flow].clientCount = Int32(client.write(into: &span) ?? 0)
            exchanges[flow].client = text
        }
        guard fields == .set else { return Forwarding(addressing, fields: fields) }
        let called =
            flows[flow].hasAssertedAddresses ? asserted[flow].destination : halves[flow.client].socket.localAddress
        guard let called else { return nil }
        return Forwarding(addressing, fields: fields, port: called.port)
    }

    /// Puts the head at the front of the inbox, as the endpoint is to read it, into the client half's pending bytes.
    /// False when the flow was closed.
    private mutating func passOn(_ flow: FlowIndex, _ head: RequestHead) -> Bool {
        let exchanges = exchanges
        guard let forwarding = forwarding(flow) else {
            close(flow)
            return false
        }
        let request = exchanges[flow].request
        let text = exchanges[flow].client
        let textCount = Int(exchanges[flow].clientCount)
        let room = head.longestCopy(forwarding: forwarding, client: textCount)
        let buffer = borrow(room, for: flow)
        guard buffer.exists else {
            cutForMemory(flow)
            return false
        }
        let written = request.inbox.withSpan(Int(request.offset), head.length) { source in
            buffer.withMutableSpan(0, room) { output in
                head.copy(
                    source, forwarding: forwarding, client: text.span.extracting(first: textCount), into: &output)
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
}
