import Domain
import Routing
import Syscalls

/// Connecting to endpoints: addresses raced as RFC 8305 says, fallbacks in order, the endpoint policy at each address.
extension Worker {
    /// Until the next address is tried although the last has not failed (RFC 8305 section 8: 250 ms).
    private static var attemptDelay: UInt64 { 250 }
    /// For how long a flow waits for the first answer about its endpoint's name.
    private static var namePatience: UInt64 { 5000 }
    /// What one address gets while others wait for their turn: a SYN, and another after a second.
    private static var sharedPatience: UInt64 { 1100 }

    /// Between two looks at the dials under way, of which there may be thousands while an endpoint is down.
    static var tendInterval: UInt64 { 20 }

    /// The budget of a target, all its addresses together.
    private var connectMilliseconds: UInt64 { plan.settings.connectTimeout.milliseconds }

    mutating func startDial(_ flow: FlowIndex) {
        rotation &+= 1
        let index = dials.claim(for: flow)
        dials[index].first = preferredTarget(flows[flow].service, view.route(flows[flow].service))
        dials[index].rotation = rotation
        dials[index].startedAt = now
        flows[flow].dial = index
        flows[flow].stage = .dialling
        // An endpoint that is silent is not waited for on behalf of a client that has gone.
        register(flow.client)
        attemptNext(index)
    }

    /// Takes a dial off the list, and closes the rival if there still is one.
    private mutating func endDial(_ index: DialIndex) {
        if dials[index].rival.exists { closeRival(index) }
        flows[dials[index].flow].dial = .none
        dials.give(index)
    }

    mutating func abandonDial(of flow: FlowIndex) {
        if flows[flow].dial.exists { endDial(flows[flow].dial) }
    }

    private mutating func closeRival(_ index: DialIndex) {
        dials[index].rival.close()
        dials[index].rival = .none
        // 22 bits stand in the tag, beside the 32 of the index and the kind.
        dials[index].generation = (dials[index].generation &+ 1) & 0x3F_FFFF
    }

    /// Starts an attempt at the next address of the present target or, when there is none left and none under way, of
    /// the next target.
    private mutating func attemptNext(_ index: DialIndex) {
        let flow = dials[index].flow
        let endpoint = flow.endpoint
        guard !halves[endpoint].socket.exists || !dials[index].rival.exists else { return }
        while true {
            let route = view.route(flows[flow].service)
            guard route.targetCount > 0 else {
                note(.serviceGone, flow: flow)
                return refuse(flow, .badGateway)
            }
            guard dials[index].target < route.targetCount else { return failDial(index) }
            let target = view.target(route, Int(place(index)))
            let port = flows[flow].isHTTP ? target.httpPort : target.httpsPort
            if dials[index].name != target.name || dials[index].port != port {
                dials[index].name = target.name
                dials[index].port = port
                beginTarget(index)
            }
            let isUnderWay = halves[endpoint].socket.exists || dials[index].rival.exists
            var peer: TransportAddress?
            if target.name == .monitor {
                if dials[index].candidate == 0 {
                    peer = flows[flow].isHTTP ? plan.responder.http : plan.responder.https
                }
            } else {
                // In place: a record has room for many addresses.
                let status = names[target.name.index].status
                if names[target.name.index].tenant != target.name.tenant || status == .unknown {
                    guard !isUnderWay else { return }
                    if !dials[index].waitsForName {
                        dials[index].waitsForName = true
                        dials[index].nameDeadline = now &+ Worker.namePatience
                        // So that its turn comes before those of names that nobody waits for.
                        plan.doubts.post(target.name)
                    }
                    return
                }
                if dials[index].targetDeadline == 0 { dials[index].targetDeadline = now &+ connectMilliseconds }
                if status == .unresolved {
                    note(.endpointUnresolved, flow: flow)
                } else if let candidate = nextCandidate(index, target.name, port) {
                    if candidate.isForbidden {
                        dials[index].sawForbidden = true
                        counters.add(1, .addressesForbidden, service: flows[flow].service)
                        note(.endpointForbidden, flow: flow) { _ in "address \(candidate.address)" }
                        continue
                    }
                    peer = TransportAddress(candidate.address, port: port)
                }
            }
            dials[index].waitsForName = false
            guard let peer else {
                // No address left here. Those under way may still succeed; only then the next target has its turn.
                dials[index].nextAttempt = .max
                if isUnderWay { return }
                if target.name != .monitor { plan.doubts.post(target.name) }
                nextTarget(index)
                continue
            }
            if target.name == .monitor {
                dials[index].candidate &+= 1
                dials[index].targetDeadline = now &+ connectMilliseconds
            }
            switch attempt(index, peer, target.name) {
            case .underWay: return
            case .failed: continue
            case .ownFault:
                // Another address would fare no better. What is under way may still succeed.
                dials[index].nextAttempt = .max
                return isUnderWay ? () : refuse(flow, .overloaded)
            }
        }
    }

    private enum Attempt {
        case underWay
        /// The endpoint's fault, or that of the way there.
        case failed
        /// This process or machine lacks something: no fault of an endpoint, and nothing for its record.
        case ownFault
    }

    /// Starts one attempt.
    private mutating func attempt(_ index: DialIndex, _ peer: TransportAddress, _ name: NameSlot) -> Attempt {
        let endpoint = dials[index].flow.endpoint
        let opened = Socket.open(peer.address.family)
        guard !opened.isError else {
            dials[index].lastCode = opened.code
            dials[index].failedPeer = peer
            guard opened.isExhaustion else { return .failed }
            haveExhausted(opened, flow: dials[index].flow)
            return .ownFault
        }
        let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
        socket.delayAcknowledgement()
        var answer = KernelAnswer(0)
        if name != .monitor { answer = bindSource(socket, peer.address.family, turn: dials[index].rotation) }
        if !answer.isError { answer = socket.connect(to: KernelAddress(peer)) }
        guard !answer.isError || answer.inProgress else {
            socket.close()
            attemptFailed(index, peer, answer)
            return answer.isAddressUnavailable ? .ownFault : .failed
        }
        let rest = max(now, dials[index].targetDeadline)
        let deadline = othersWait(index, name) ? min(rest, now &+ Worker.sharedPatience) : rest
        let events: EpollEvents = [.readable, .writable, .peerClosed, .urgent, .edgeTriggered]
        if halves[endpoint].socket.exists {
            dials[index].rival = socket
            dials[index].rivalPeer = peer
            dials[index].rivalDeadline = deadline
            let generation = UInt64(dials[index].generation) << 32
            let tag = Tag.rival | generation | UInt64(UInt32(bitPattern: index.place))
            guard watch(socket, events, tag, index) else {
                dials[index].rival = .none
                return .ownFault
            }
            // Two at a time: the next address waits until one of them has failed.
            dials[index].nextAttempt = .max
        } else {
            halves[endpoint].socket = socket
            halves[endpoint].state = [.connecting, .registered]
            dials[index].firstPeer = peer
            dials[index].firstDeadline = deadline
            guard watch(socket, events, tag(endpoint), index) else {
                halves[endpoint].socket = .none
                halves[endpoint].state = []
                return .ownFault
            }
            dials[index].nextAttempt = dials[index].rival.exists ? .max : now &+ Worker.attemptDelay
        }
        return .underWay
    }

    /// Has epoll report on an attempt's socket. False when it does not, and the socket is closed.
    private mutating func watch(_ socket: Socket, _ events: EpollEvents, _ tag: UInt64, _ index: DialIndex) -> Bool {
        let answer = epoll.add(socket.number, events, tag: tag)
        guard answer.isError else { return true }
        note(.watchRefused, flow: dials[index].flow) { _ in SystemCallError.text(of: answer.code) }
        dials[index].lastCode = answer.code
        socket.close()
        return false
    }

    /// Takes in what epoll says about a flow's first attempt.
    mutating func handleAttempt(_ flow: FlowIndex, _ events: EpollEvents) {
        let index = flows[flow].dial
        guard index.exists else { return }
        let endpoint = flow.endpoint
        if !events.isDisjoint(with: [.error, .hangUp]) {
            let outcome = halves[endpoint].socket.connectOutcome
            if outcome.isError {
                attemptFailed(index, dials[index].firstPeer, outcome)
                closeHalf(endpoint, reset: false)
                return attemptNext(index)
            }
        }
        if events.contains(.writable) { connected(index, events) }
    }

    /// Takes in what epoll says about the rival of a first attempt.
    mutating func handleRival(_ tag: UInt64) {
        let index = DialIndex(Int32(truncatingIfNeeded: tag & 0xFFFF_FFFF))
        guard dials[index].rival.exists, UInt64(dials[index].generation) == (tag >> 32) & 0x3F_FFFF else { return }
        let outcome = dials[index].rival.connectOutcome
        if outcome.isError {
            attemptFailed(index, dials[index].rivalPeer, outcome)
            closeRival(index)
            return attemptNext(index)
        }
        // The rival has won: it takes the place of the first attempt, and its events are the half's from now on.
        let endpoint = dials[index].flow.endpoint
        let winner = dials[index].rival
        dials[index].rival = .none
        dials[index].firstPeer = dials[index].rivalPeer
        dials[index].generation = (dials[index].generation &+ 1) & 0x3F_FFFF
        closeHalf(endpoint, reset: false)
        halves[endpoint].socket = winner
        halves[endpoint].state = [.connecting, .registered]
        epoll.modify(
            winner.number, [.readable, .writable, .peerClosed, .urgent, .edgeTriggered], tag: self.tag(endpoint))
        connected(index, [.writable, .readable])
    }

    /// Remembers why an attempt came to nothing; the next dials of that address come after others.
    private mutating func attemptFailed(_ index: DialIndex, _ peer: TransportAddress, _ answer: KernelAnswer) {
        dials[index].lastCode = answer.code
        dials[index].failedPeer = peer
        if answer.isAddressUnavailable {
            // The fault is on this side.
            note(.localPortsExhausted, flow: dials[index].flow) { _ in "endpoint \(peer)" }
        } else {
            failures.failed(peer, now: now)
        }
    }

    /// An attempt has taken too long.
    private mutating func attemptTimedOut(_ index: DialIndex, _ peer: TransportAddress) {
        dials[index].sawTimeout = true
        dials[index].failedPeer = peer
        failures.failed(peer, now: now)
    }

    /// An endpoint has accepted: the flow begins to relay.
    private mutating func connected(_ index: DialIndex, _ events: EpollEvents) {
        let flow = dials[index].flow
        let place = place(index)
        if place > 0 {
            counters.add(1, .fallbacksUsed, service: flows[flow].service)
            // One that the checks prefer took it in its turn, and not in another's place.
            if dials[index].target > 0 { note(.fallbackUsed, flow: flow) { _ in "fallback \(place)" } }
        }
        let peer = dials[index].firstPeer
        if dials[index].name != .monitor { failures.connected(peer) }
        counters.observe(.connect, milliseconds: now &- dials[index].startedAt, service: flows[flow].service)
        endDial(index)
        let client = flow.client
        let endpoint = flow.endpoint
        halves[endpoint].state.formIntersection([.urgent, .failed])
        halves[endpoint].state.formUnion([.registered, .armedOut, .writable])
        // Said here, and not when the request was read: attempts that have failed since took their record along.
        if flows[flow].isHTTP { halves[endpoint].passable = 0 }
        if events.contains(.peerClosed) { halves[endpoint].state.insert(.peerClosed) }
        flows[flow].stage = .relaying
        flows[flow].lastActive = tick
        flows[flow].connectedAt = max(1, UInt32(truncatingIfNeeded: now))
        flows[flow].awaited = 0
        flows[flow].ending = nil
        rememberEndpoint(flow, peer, target: place)
        let route = view.route(flows[flow].service)
        if route.sendProxyProtocol != .off, !prependProxyHeader(flow, route.sendProxyProtocol) { return }
        guard pump(client) else { return }
        if !events.isDisjoint(with: [.readable, .peerClosed]) {
            halves[endpoint].state.insert(.readable)
            _ = pump(endpoint)
        }
    }

    private mutating func failDial(_ index: DialIndex) {
        let flow = dials[index].flow
        let code = dials[index].lastCode
        let timedOut = dials[index].sawTimeout && code == 0
        counters.add(1, .connectFailures, service: flows[flow].service)
        let (sawForbidden, peer) = (dials[index].sawForbidden, dials[index].failedPeer)
        note(timedOut ? .endpointTimedOut : .endpointUnreachable, flow: flow) { _ in
            if code != 0 { return "\(peer): \(SystemCallError.text(of: code))" }
            if timedOut { return "\(peer), the last of those tried" }
            return sawForbidden ? "forbidden by the endpoint policy" : ""
        }
        refuse(flow, timedOut ? .gatewayTimeout : .badGateway)
    }

    /// Ends a flow that gets no endpoint: with an answer where one would be understood.
    private mutating func refuse(_ flow: FlowIndex, _ answer: HTTPAnswer) {
        if flows[flow].isHTTP { self.answer(flow, answer) } else { close(flow, reset: true) }
    }

    /// Looks after the dials under way: names that have become known, attempts that took too long, addresses whose turn
    /// has come.
    mutating func tendDials() {
        nextTend = now &+ Worker.tendInterval
        var position: Int32 = 0
        while position < dials.count {
            let index = dials.at(position)
            tend(index)
            // One that ended has been replaced by the last of the list, which is looked at next.
            if dials.isAt(position, index) { position &+= 1 }
        }
    }

    private mutating func tend(_ index: DialIndex) {
        let flow = dials[index].flow
        if dials[index].waitsForName {
            if now >= dials[index].nameDeadline {
                note(.endpointUnresolved, flow: flow) { _ in "no answer in \(Worker.namePatience) ms" }
                dials[index].waitsForName = false
                nextTarget(index)
            }
            return attemptNext(index)
        }
        if dials[index].targetDeadline != 0, now >= dials[index].targetDeadline { return giveUpTarget(index) }
        var isNext = now >= dials[index].nextAttempt
        if dials[index].rival.exists, now >= dials[index].rivalDeadline {
            attemptTimedOut(index, dials[index].rivalPeer)
            closeRival(index)
            isNext = true
        }
        if halves[flow.endpoint].socket.exists, now >= dials[index].firstDeadline {
            attemptTimedOut(index, dials[index].firstPeer)
            closeHalf(flow.endpoint, reset: false)
            isNext = true
        }
        if isNext { attemptNext(index) }
    }

    /// The time of a target is over, however many addresses it has: the next one has its turn.
    private mutating func giveUpTarget(_ index: DialIndex) {
        let endpoint = dials[index].flow.endpoint
        if dials[index].rival.exists {
            attemptTimedOut(index, dials[index].rivalPeer)
            closeRival(index)
        }
        if halves[endpoint].socket.exists {
            attemptTimedOut(index, dials[index].firstPeer)
            closeHalf(endpoint, reset: false)
        }
        if dials[index].name != .monitor { plan.doubts.post(dials[index].name) }
        nextTarget(index)
        attemptNext(index)
    }

    /// Has the dials under way look at the new table: one whose target has changed or gone begins anew, so that nobody
    /// waits for an endpoint that was changed because it does not answer, and nobody reaches one that the service has
    /// no longer.
    mutating func redirectDials() {
        for position in 0..<dials.count {
            let index = dials.at(position)
            let flow = dials[index].flow
            let route = view.route(flows[flow].service)
            if max(dials[index].target, dials[index].first) < route.targetCount {
                let target = view.target(route, Int(place(index)))
                let port = flows[flow].isHTTP ? target.httpPort : target.httpsPort
                if dials[index].name == target.name, dials[index].port == port { continue }
            }
            closeHalf(flow.endpoint, reset: false)
            if dials[index].rival.exists { closeRival(index) }
            dials[index].target = 0
            dials[index].first = preferredTarget(flows[flow].service, route)
            beginTarget(index)
            dials[index].waitsForName = false
            dials[index].nextAttempt = now
        }
        nextTend = now
    }
}

extension Duration {
    /// Whole milliseconds; 0 for what is negative.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) &* 1000 &+ UInt64(max(0, attoseconds) / 1_000_000_000_000_000)
    }
}
