import Domain
import Routing
import Syscalls

/// Flows that outlive the process: handed to the next one, or taken from the last.
extension Worker {
    /// What of a half's state is about the stream. The rest is about this process: what epoll knows of it, what waits
    /// in which queue.
    private static var lasting: Half.State {
        [.peerClosed, .ended, .shut, .bulk, .sentOnce, .withoutDelay, .urgent, .failed, .deaf, .wasReset]
    }

    // MARK: Parking

    /// Every flow that can go on elsewhere. Their descriptors stay open, and are no longer this worker's to close.
    mutating func park() -> [MovingFlow] {
        var departing: [MovingFlow] = []
        for flow in places.places() {
            // Its endpoint is this process, which ends.
            if flows[flow].stage != .free, flows[flow].service == ServiceSlot.monitor {
                close(flow)
                continue
            }
            let stage: ParkedFlow.Stage
            switch flows[flow].stage {
            case .free: continue
            case .lingering:
                departing.append(leaveLingering(flow))
                continue
            case .opening: stage = .opening
            case .dialling: stage = .dialling
            case .relaying: stage = .relaying
            }
            if flows[flow].hasFacts { logEnd(flow, .parked) }
            abandonDial(of: flow)
            if stage == .dialling { closeHalf(flow.endpoint, reset: false) }
            var parked = ParkedFlow()
            parked.stage = stage
            parked.awaitsProxyHeader = flows[flow].awaitsProxyHeader
            parked.idle = tick &- flows[flow].lastActive
            if flows[flow].hasAssertedAddresses {
                parked.source = asserted[flow].source
                parked.destination = asserted[flow].destination
            }
            parked.client = leave(flow.client)
            parked.endpoint = leave(flow.endpoint)
            if flows[flow].isHTTP { parked.exchange = leave(exchanges[flow]) }
            departing.append(
                MovingFlow(
                    flow: parked, client: halves[flow.client].socket, endpoint: halves[flow.endpoint].socket,
                    slot: flows[flow].service))
            strike(flow)
            places.give(flow)
            counters.add(1, .flowsClosed)
        }
        return departing
    }

    /// What lingers has been told everything, but may not have taken it yet: bytes before a reset, or an answer to a
    /// client that is still sending.
    private mutating func leaveLingering(_ flow: FlowIndex) -> MovingFlow {
        if flows[flow].hasFacts { logEnd(flow, .parked) }
        let half = lingerer(flow)
        var parked = ParkedFlow()
        parked.stage = .lingering
        parked.endpointLingers = flows[flow].endpointLingers
        parked.resetsAtEnd = flows[flow].resetsAtEnd
        parked.idle = tick &- flows[flow].lastActive
        parked.client.state = halves[half].state.intersection(Worker.lasting).rawValue
        let moving = MovingFlow(
            flow: parked, client: halves[half].socket, endpoint: .none, slot: flows[flow].service)
        strike(flow)
        places.give(flow)
        counters.add(1, .flowsClosed)
        return moving
    }

    private func leave(_ half: HalfIndex) -> ParkedFlow.Half {
        var parked = ParkedFlow.Half()
        parked.state = halves[half].state.intersection(Worker.lasting).rawValue
        parked.passable = halves[half].passable
        parked.pending = octets(halves[half].pending, halves[half].pendingOffset, halves[half].pendingCount)
        if halves[half].piped > 0 { parked.piped = halves[half].pipe.drained(Int(halves[half].piped)) }
        return parked
    }

    private func octets(_ buffer: Buffer, _ offset: Int32, _ count: Int32) -> [UInt8] {
        guard count > 0, buffer.exists else { return [] }
        return buffer.withSpan(Int(offset), Int(count)) { span in span.indices.map { span[$0] } }
    }

    private func leave(_ exchange: Exchange) -> ParkedFlow.Exchange {
        var parked = ParkedFlow.Exchange()
        parked.request = leave(exchange.request)
        parked.response = leave(exchange.response)
        parked.isHEAD = exchange.isHEAD
        parked.wantsUpgrade = exchange.wantsUpgrade
        parked.awaitsContinue = exchange.awaitsContinue
        parked.closes = exchange.closes
        parked.answered = exchange.answered
        parked.requests = exchange.requests
        return parked
    }

    private func leave(_ message: Exchange.Message) -> ParkedFlow.Message {
        var parked = ParkedFlow.Message()
        parked.stage = message.stage.rawValue
        parked.isChunked = message.isChunked
        parked.inbox = octets(message.inbox, message.offset, message.count)
        parked.scanned = UInt32(clamping: message.scanned)
        parked.left = message.left
        parked.chunks = message.chunked.position
        return parked
    }

    // MARK: Adopting

    /// Goes on with a flow of another process. One that cannot be is closed, with resets, and counted.
    mutating func adopt(_ arriving: MovingFlow) {
        guard let flow = takeFlow() else {
            note(.flowLimitReached) { "limit \($0.places.capacity)" }
            for socket in arriving.sockets { socket.reset() }
            return
        }
        let exchanges = exchanges
        let parked = arriving.flow
        let client = flow.client
        let endpoint = flow.endpoint
        if parked.stage == .lingering { return adoptLingering(flow, arriving) }
        halves[client].socket = arriving.client
        halves[endpoint].socket = arriving.endpoint
        flows[flow].isHTTP = parked.exchange != nil
        if parked.exchange != nil { exchanges[flow] = Exchange() }
        flows[flow].awaitsProxyHeader = parked.awaitsProxyHeader
        flows[flow].lastActive = tick &- parked.idle
        flows[flow].service = arriving.slot
        if arriving.slot != ServiceSlot.unrouted { counters.add(1, .connectionsAdopted, service: arriving.slot) }
        // From here on `close` takes back whatever has been handed out.
        flows[flow].stage = .relaying
        if let source = parked.source, let destination = parked.destination {
            flows[flow].hasAssertedAddresses = true
            asserted[flow] = AssertedAddresses(source: source, destination: destination)
        }
        // By TLS nothing is followed, so everything may pass.
        enroll(flow, isOpening: parked.stage == .opening)
        if arriving.slot != ServiceSlot.unrouted { considerLogging(flow, by: .adopted) }
        memoryCulprit = arriving.slot
        let isFollowed = parked.exchange != nil
        guard isFollowed || (parked.client.passable == Half.unbounded && parked.endpoint.passable == Half.unbounded),
            restore(client, parked.client), restore(endpoint, parked.endpoint),
            parked.exchange.map({ restore($0, &exchanges[flow], flow) }) ?? true
        else {
            return cutForMemory(flow)
        }
        switch parked.stage {
        case .opening:
            flows[flow].stage = .opening
            readOpening(flow)
            if flows[flow].stage == .opening { register(client) }
        case .dialling:
            startDial(flow)
        case .relaying:
            register(client)
            register(endpoint)
            if pump(client) { _ = pump(endpoint) }
        case .lingering: break  // has been dealt with
        }
    }

    private mutating func adoptLingering(_ flow: FlowIndex, _ arriving: MovingFlow) {
        flows[flow].service = arriving.slot
        if arriving.slot != ServiceSlot.unrouted { counters.add(1, .connectionsAdopted, service: arriving.slot) }
        flows[flow].endpointLingers = arriving.flow.endpointLingers
        let half = lingerer(flow)
        halves[half].socket = arriving.client
        halves[half].state = Half.State(rawValue: arriving.flow.client.state).intersection(Worker.lasting)
        hearOut(half, thenReset: arriving.flow.resetsAtEnd)
    }

    private mutating func restore(_ half: HalfIndex, _ parked: ParkedFlow.Half) -> Bool {
        halves[half].state = Half.State(rawValue: parked.state).intersection(Worker.lasting)
        // Whether there is anything to read, or room to write, the next call tells.
        halves[half].state.formUnion(halves[half].state.contains(.deaf) ? .readable : [.readable, .writable])
        halves[half].passable = parked.passable
        // What was in a pipe goes on as a buffer: an unprivileged process gets only so many large pipes, and all flows
        // come at once.
        let octets = parked.pending + parked.piped
        guard octets.count <= Worker.mostRestored else { return false }
        if !octets.isEmpty {
            guard let buffer = buffer(with: octets, for: half.flow) else { return false }
            halves[half].pending = buffer
            halves[half].pendingCount = Int32(octets.count)
        }
        return true
    }

    /// What one direction can have held: a pipe, or a buffer. Earlier releases had pipes of 1 MiB, and their flows are
    /// taken over too.
    private static var mostRestored: Int { max(1 << 20, Int(PipePool.capacity)) + Int(BufferPool.large) }

    private mutating func buffer(with octets: [UInt8], for flow: FlowIndex) -> Buffer? {
        let buffer = borrow(octets.count, for: flow)
        guard buffer.exists else { return nil }
        buffer.copy(from: octets.span, to: 0)
        return buffer
    }

    private mutating func restore(
        _ parked: ParkedFlow.Exchange, _ exchange: inout Exchange, _ flow: FlowIndex
    ) -> Bool {
        exchange.isHEAD = parked.isHEAD
        exchange.wantsUpgrade = parked.wantsUpgrade
        exchange.awaitsContinue = parked.awaitsContinue
        exchange.closes = parked.closes
        exchange.answered = parked.answered
        exchange.requests = parked.requests
        exchange.headSince = tick
        exchange.askedSince = tick
        return restore(parked.request, .client, &exchange.request, flow)
            && restore(parked.response, .endpoint, &exchange.response, flow)
    }

    private mutating func restore(
        _ parked: ParkedFlow.Message, _ sender: ChunkedBody.Sender, _ message: inout Exchange.Message, _ flow: FlowIndex
    ) -> Bool {
        guard let stage = Exchange.Message.Stage(rawValue: parked.stage),
            let chunked = ChunkedBody(from: sender, at: parked.chunks), parked.scanned <= parked.inbox.count,
            parked.inbox.count <= Int(BufferPool.large)
        else { return false }
        message.stage = stage
        message.isChunked = parked.isChunked
        message.chunked = chunked
        message.left = parked.left
        message.scanned = Int32(parked.scanned)
        if !parked.inbox.isEmpty {
            guard let buffer = buffer(with: parked.inbox, for: flow) else { return false }
            message.inbox = buffer
            message.count = Int32(parked.inbox.count)
        }
        return true
    }
}
