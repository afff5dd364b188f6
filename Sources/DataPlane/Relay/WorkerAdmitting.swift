import Domain
import Routing
import Syscalls

/// Limits: of this server on each client, before a byte is read, and of a service, as soon as it is known that a
/// connection is for it.
extension Worker {
    /// The second of the ledger's windows.
    private var second: UInt64 { now / 1000 }

    // MARK: Arriving

    /// Counts a connection for the client that has `address`. False when it was refused, and is closed.
    mutating func arrive(_ flow: FlowIndex, from address: Address) -> Bool {
        flows[flow].client = ledger.key(address)
        let limits = view.limits
        let isLimited = min(limits.clientConnections, limits.newClientConnections, limits.clientOpenings) != .max
        guard isLimited else { return true }
        guard let entry = ledger.enter(flows[flow].client, second: second, isOpening: true) else {
            counters.add(1, .clientsUntracked)
            return true
        }
        flows[flow].arrival = entry.place
        flows[flow].countsAsOpening = true
        let incident: Incident
        if entry.open > limits.clientConnections {
            incident = .clientLimitReached
        } else if entry.openings > limits.clientOpenings {
            incident = .openingsExceeded
        } else if entry.new > limits.newClientConnections {
            incident = .clientRateExceeded
        } else {
            return true
        }
        note(incident, flow: flow)
        close(flow, reset: true)
        return false
    }

    /// A connection has said where it wants to go.
    mutating func endOpening(_ flow: FlowIndex) {
        guard flows[flow].countsAsOpening else { return }
        flows[flow].countsAsOpening = false
        ledger.endOpening(flows[flow].arrival)
    }

    /// Counts a flow of an earlier process, which has refused it or not in its day.
    mutating func enroll(_ flow: FlowIndex, isOpening: Bool) {
        let asserted = flows[flow].hasAssertedAddresses
        guard !flows[flow].awaitsProxyHeader, let address = clientAddress(of: flow)?.address,
            asserted || !view.hasTrustedSenders || !view.isTrusted(address)
        else { return }
        flows[flow].client = ledger.key(address)
        if let entry = ledger.enter(flows[flow].client, second: second, isOpening: isOpening, isNew: false) {
            flows[flow].arrival = entry.place
            flows[flow].countsAsOpening = isOpening
        }
        guard flows[flow].service >= ServiceSlot.firstFree else { return }
        let key = ledger.key(flows[flow].client, service: flows[flow].service)
        if let entry = ledger.enter(key, second: second, isOpening: false, isNew: false) {
            flows[flow].membership = entry.place
        }
    }

    /// Takes a flow that ends off every list.
    mutating func strike(_ flow: FlowIndex) {
        endOpening(flow)
        if flows[flow].arrival >= 0 { ledger.leave(flows[flow].arrival) }
        flows[flow].arrival = ClientLedger.nowhere
        leaveService(flow)
        holding.remove(flow)
    }

    private mutating func leaveService(_ flow: FlowIndex) {
        if flows[flow].membership >= 0 { ledger.leave(flows[flow].membership) }
        flows[flow].membership = ClientLedger.nowhere
    }

    // MARK: Services

    /// Whether a flow may go on to its service's endpoint. False when it was refused, and is closed or answered.
    mutating func admit(_ flow: FlowIndex) -> Bool {
        let service = flows[flow].service
        guard service != ServiceSlot.monitor else { return true }
        guard isAffordable(flow) else {
            cutForMemory(flow)
            return false
        }
        let route = view.route(service)
        if route.access != AccessLists.open {
            guard let client = clientAddress(of: flow) else {
                close(flow)  // it has gone: it has no address any more
                return false
            }
            guard view.admits(client.address, to: route) else { return refuse(flow, .clientDenied, .forbidden) }
        }
        let limits = route.limits
        if limits.connections != .max, connections(of: service) > UInt64(limits.connections) {
            return refuse(flow, .serviceLimitReached, .overloaded)
        }
        if limits.newConnections != .max, ledger.arrived(at: service, second: second) > limits.newConnections {
            return refuse(flow, .serviceRateExceeded, .overloaded)
        }
        guard flows[flow].client != 0, min(limits.clientConnections, limits.newClientConnections) != .max else {
            return true
        }
        let key = ledger.key(flows[flow].client, service: service)
        guard let entry = ledger.enter(key, second: second, isOpening: false) else {
            counters.add(1, .clientsUntracked)
            return true
        }
        flows[flow].membership = entry.place
        if entry.open > limits.clientConnections { return refuse(flow, .clientLimitReached, .tooManyRequests) }
        if entry.new > limits.newClientConnections { return refuse(flow, .clientRateExceeded, .tooManyRequests) }
        return true
    }

    /// Connections of a service that are open, those that were refused left out: a sum over workers that go on
    /// meanwhile, so it may be off by the few that come and go in this moment.
    private func connections(of service: Int32) -> UInt64 {
        var sum: UInt64 = 0
        for index in 0..<plan.everyone.count {
            let worker = plan.everyone[index]
            let closed = worker.read(.connectionsClosed, service: service)
            sum &+= worker.read(.connectionsOpened, service: service)
            sum &+= worker.read(.connectionsAdopted, service: service)
            sum &-= closed
        }
        return sum > UInt64(Int64.max) ? 0 : sum
    }

    private mutating func refuse(_ flow: FlowIndex, _ incident: Incident, _ answer: HTTPAnswer) -> Bool {
        note(incident, flow: flow)
        // The answer may take its time to reach the client. Meanwhile the connection is in nobody's way.
        leaveService(flow)
        flows[flow].hasLeftService = true
        counters.add(1, .connectionsClosed, service: flows[flow].service)
        if flows[flow].isHTTP { self.answer(flow, answer) } else { close(flow, reset: true) }
        return false
    }

    // MARK: Slow clients

    /// Looks whether a client sends its hello or first head fast enough, of which `said` bytes have come.
    mutating func judgeOpeningPace(_ flow: FlowIndex, _ said: Int) {
        guard said > 0, view.limits.minimumRate > 0 else { return }
        // This look is the first that finds something: since then, at the earliest, a rate is asked for.
        guard flows[flow].measuredSince != 0 else {
            flows[flow].measuredSince = max(1, tick)
            return
        }
        judgeHeadPace(flow, said, since: flows[flow].measuredSince)
    }

    /// The same of a later head. False when the flow has been ended.
    @discardableResult
    mutating func judgeHeadPace(_ flow: FlowIndex, _ said: Int, since: UInt32) -> Bool {
        let age = UInt64(tick &- since) &* Worker.tickMilliseconds
        let grace = plan.settings.paceGrace.milliseconds
        guard age > grace, UInt64(said) &* 1000 < UInt64(view.limits.minimumRate) &* (age &- grace) else { return true }
        cutSlow(flow)
        return false
    }

    /// Looks whether a client sends the body of its request fast enough. False when the flow has been ended.
    mutating func judgeBodyPace(_ flow: FlowIndex) -> Bool {
        let exchanges = exchanges
        let rate = view.route(flows[flow].service).limits.minimumRate
        // An upgraded connection is no body (only that has no end), and who waits for leave to send one does not send.
        let isTunnel = max(exchanges[flow].request.left, halves[flow.client].passable) == Half.unbounded
        let isBody = exchanges[flow].request.stage == .body && !isTunnel
        let isSending = isBody && !exchanges[flow].awaitsContinue && halves[flow.client].isDry
        guard rate > 0, isSending, halves[flow.endpoint].state.contains(.writable), flows[flow].measuredSince != 0
        else {
            // It waits for the endpoint, or begins.
            flows[flow].measuredSince = rate > 0 && isSending ? max(1, tick) : 0
            exchanges[flow].heardBefore = flows[flow].bytesUp
            return true
        }
        let age = UInt64(tick &- flows[flow].measuredSince) &* Worker.tickMilliseconds
        guard age >= plan.settings.paceWindow.milliseconds else { return true }
        let heard = flows[flow].bytesUp &- exchanges[flow].heardBefore
        let isFast = heard >= UInt64(rate) &* age / 1000
        flows[flow].measuredSince = max(1, tick)
        exchanges[flow].heardBefore = flows[flow].bytesUp
        if !isFast { cutSlow(flow) }
        return isFast
    }

    private mutating func cutSlow(_ flow: FlowIndex) {
        note(.clientTooSlow, flow: flow)
        if isOpenToAnswer(flow) { answer(flow, .requestTimeout) } else { close(flow, reset: true) }
    }
}
