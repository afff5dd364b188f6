import Domain
import Routing
import Syscalls

/// Accepting, and reading what a connection says first.
extension Worker {
    /// Connections taken from one listener before the other events are looked at again.
    static var acceptBatch: Int { 64 }
    /// For how long nothing is accepted once descriptors have run out.
    private static var exhaustionPause: UInt64 { 100 }
    private static var deferralTicks: UInt32 { UInt32(Socket.deferralSeconds) * 1000 / UInt32(Worker.tickMilliseconds) }

    /// For how long listeners are left to the other workers at the most, in milliseconds. They may be busy, or stuck: a
    /// new connection waits for no longer than that because of us.
    private static var yieldMilliseconds: UInt64 { 20 }
    /// Between two looks whether the others have caught up.
    static var yieldInterval: UInt64 { 5 }
    /// Connections taken from one listener after the longest time. Enough where another worker is stuck (800 a second),
    /// and too few to matter where it is just about to run.
    private static var lateBatch: Int { 16 }

    mutating func startAccepting() {
        guard !isAccepting, !isShuttingDown else { return }
        isAccepting = true
        isYielding = false
        for index in plan.listeners.indices {
            let tag = Tag.listener | UInt64(index)
            let answer = epoll.add(plan.listeners[index].socket.number, [.readable, .exclusive], tag: tag)
            if answer.isError {
                note(.watchRefused) { _ in "a listener: \(SystemCallError.text(of: answer.code))" }
                return pauseAccepting(until: now &+ Worker.exhaustionPause)
            }
        }
    }

    /// Leaves new connections to the kernel's queue, and to the other workers, until `startAccepting`.
    mutating func pauseAccepting(until time: UInt64) {
        acceptAgain = max(time, isAccepting ? 0 : acceptAgain)
        isYielding = false
        guard isAccepting else { return }
        isAccepting = false
        for index in plan.listeners.indices { epoll.remove(plan.listeners[index].socket.number) }
    }

    /// Lets go of the listeners for good; whoever opened them closes them.
    mutating func leaveListeners() {
        isShuttingDown = true
        pauseAccepting(until: .max)
        counters.set(1, .listenersLeft)
    }

    /// Whether this worker has clearly more flows open than the mean, so that the next connection should be another's.
    private mutating func hasExcess() -> Bool {
        guard !plan.fellows.isAlone else { return false }
        // The others' counters are in other cores' caches: they are looked at once a millisecond, and before it
        // matters.
        if now != meanTaken { lookAround() }
        guard isAboveMean(by: Fellows.slack(meanOpen)) else { return false }
        lookAround()
        return isAboveMean(by: Fellows.slack(meanOpen))
    }

    private mutating func lookAround() {
        meanOpen = plan.fellows.meanOpen()
        meanTaken = now
    }

    private func isAboveMean(by slack: Int) -> Bool { Int(places.open) > meanOpen &+ slack }

    /// Leaves the listeners to the other workers: until we have no more than the mean, or for a moment.
    private mutating func yieldListeners() {
        pauseAccepting(until: now &+ Worker.yieldMilliseconds)
        isYielding = true
    }

    /// Comes back to the listeners when it is time. When that is the longest time, some of those who wait there are
    /// taken, however many flows we have: the others have had their chance.
    mutating func considerReturn() {
        if now != meanTaken { lookAround() }
        let isLate = now >= acceptAgain
        guard isLate || !isAboveMean(by: 0) else { return }
        isYielding = false
        // The first flow that closes takes a full worker back.
        guard !places.isFull else { return acceptAgain = now }
        startAccepting()
        guard isLate else { return }
        for index in plan.listeners.indices { accept(index, upTo: Worker.lateBatch) }
    }

    /// Takes the connections that wait at a listener, up to our share of them; or up to a number, whatever our share
    /// is.
    mutating func accept(_ index: Int, upTo most: Int? = nil) {
        guard isAccepting else { return }
        let listener = plan.listeners[index]
        var peer = KernelAddress()
        for _ in 0..<(most ?? Worker.acceptBatch) {
            guard !places.isFull else {
                note(.flowLimitReached) { "limit \($0.places.capacity)" }
                // The first flow that closes makes room: there is no need to wait longer.
                pauseAccepting(until: now)
                return
            }
            let answer = listener.socket.accept(from: &peer)
            if answer.isError {
                if answer.isExhaustion { haveExhausted(answer, flow: nil) }
                // Anything else (nothing left, or a client that is gone already) ends the batch.
                return
            }
            guard let flow = takeFlow() else { return }
            counters.add(1, .accepted)
            let socket = Socket(number: Int32(truncatingIfNeeded: answer.value))
            open(flow, socket, from: peer.transportAddress, isHTTP: listener.isHTTP)
            // One is taken in any case: the kernel has woken nobody else for it.
            if most == nil, hasExcess() { return yieldListeners() }
        }
    }

    /// Descriptors have run out. What is open goes on, and what would be new waits for a moment.
    mutating func haveExhausted(_ answer: KernelAnswer, flow: FlowIndex?) {
        note(.descriptorsExhausted, flow: flow) { _ in SystemCallError.text(of: answer.code) }
        pipes.closeIdle()
        pauseAccepting(until: now &+ Worker.exhaustionPause)
    }

    private mutating func open(
        _ flow: FlowIndex, _ socket: Socket, from peer: TransportAddress?, isHTTP: Bool
    ) {
        let client = flow.client
        halves[client].socket = socket
        // No delay is inherited from the listener.
        halves[client].state = [.writable, .readable, .withoutDelay, .sentOnce]
        flows[flow].stage = .opening
        flows[flow].isHTTP = isHTTP
        flows[flow].lastActive = tick
        if isHTTP { exchanges[flow] = Exchange() }
        rememberCaller(flow, peer)
        if let peer {
            flows[flow].awaitsProxyHeader = view.hasTrustedSenders && view.isTrusted(peer.address)
            // A trusted sender is no client: it is counted for whom its header names.
            if !flows[flow].awaitsProxyHeader, !arrive(flow, from: peer.address) { return }
        }
        readOpening(flow)
        guard flows[flow].stage == .opening else { return }
        // A client that has said nothing was accepted only when the deferral was over: it has been connected for so
        // long.
        if halves[client].pendingCount == 0, !isHTTP || exchanges[flow].request.count == 0 {
            flows[flow].lastActive = tick &- Worker.deferralTicks
        }
        register(client)
    }

    /// Has epoll report on a half's socket, if it does not yet.
    mutating func register(_ half: HalfIndex) {
        guard halves[half].socket.exists, !halves[half].state.contains(.registered) else { return }
        halves[half].state.insert(.registered)
        let answer = epoll.add(
            halves[half].socket.number, [.readable, .peerClosed, .urgent, .edgeTriggered], tag: tag(half))
        if answer.isError { endUnwatched(half, answer) }
    }

    /// Epoll does not take a half's socket (ENOSPC, ENOMEM), so nothing would be heard of it any more: its flow is
    /// ended. Not on the spot, since whoever has called goes on with the flow, but at the half's turn in this round.
    mutating func endUnwatched(_ half: HalfIndex, _ answer: KernelAnswer) {
        note(.watchRefused, flow: half.flow) { _ in SystemCallError.text(of: answer.code) }
        halves[half].state.insert(.unwatched)
        enqueue(half, isBulk: false)
    }

    // MARK: The opening

    /// Reads on what a connection says first, until it is known where it goes.
    mutating func readOpening(_ flow: FlowIndex) {
        if flows[flow].isHTTP { readFirstRequest(flow) } else { readHello(flow) }
    }

    /// Reads as much of the hello as there is into the client half's pending bytes, and routes by it when it is whole.
    ///
    /// The first look is taken in the scratch memory, so nothing is held while a client is silent.
    private mutating func readHello(_ flow: FlowIndex) {
        let client = flow.client
        while true {
            let have = Int(halves[client].pendingOffset &+ halves[client].pendingCount)
            let into = halves[client].pending.exists ? halves[client].pending : scratch
            let room = min(Int(into.capacity) - have, mostToRead(client))
            guard room > 0 else {
                guard growPending(client) else { return cutForMemory(flow) }
                continue
            }
            let answer = halves[client].socket.receive(into: into, at: have, upTo: room)
            if answer.value == 0, halves[client].pendingCount > 0, !flows[flow].awaitsProxyHeader {
                note(.clientLeftEarly, flow: flow)
                return dismiss(flow, with: .decodeError)
            }
            guard continues(flow, answer) else { return }
            let count = answer.value
            // A short read took all there was; what comes later is reported once epoll knows the socket.
            let isDrained = count < room && halves[client].state.isDisjoint(with: [.urgent, .failed, .peerClosed])
            if isDrained { halves[client].state.remove(.readable) }
            halves[client].pendingCount &+= Int32(count)
            let total = Int(halves[client].pendingCount)
            if total >= Int(flows[flow].awaited) {
                if flows[flow].awaitsProxyHeader {
                    let start = Int(halves[client].pendingOffset)
                    guard let used = readProxyHeader(flow, into, start, total) else { return }
                    halves[client].pendingOffset &+= Int32(used)
                    halves[client].pendingCount &-= Int32(used)
                }
                if !flows[flow].awaitsProxyHeader, halves[client].pendingCount > 0 {
                    let offset = Int(halves[client].pendingOffset)
                    var records = flows[flow].awaited > 0 ? places.hellos[flow] : HandshakeRecords()
                    let outcome = into.withSpan(offset, Int(halves[client].pendingCount)) {
                        ClientHello.inspect($0, records: &records, name: &name)
                    }
                    switch outcome {
                    case .incomplete(let until):
                        flows[flow].awaited = UInt32(clamping: until)
                        places.hellos[flow] = records
                    case .refused(let refusal):
                        return refuse(flow, refusal)
                    case .hello:
                        guard let service = serviceForName(flow) else {
                            rememberName(flow)
                            note(.nameUnknown, flow: flow) { "name \($0.name)" }
                            return dismiss(flow, with: .unrecognizedName)
                        }
                        assign(flow, to: service, received: Int(halves[client].pendingCount))
                        guard keepPending(client, from: into) else { return cutForMemory(flow) }
                        return depart(flow)
                    }
                }
            }
            guard keepPending(client, from: into) else { return cutForMemory(flow) }
            if isDrained { return }
        }
    }

    /// Whether a read in the opening brought something; closes the flow when the client has gone.
    mutating func continues(_ flow: FlowIndex, _ answer: KernelAnswer) -> Bool {
        if answer.value > 0 { return true }
        if answer.wouldBlock { return false }
        note(.clientLeftEarly, flow: flow)
        close(flow)
        return false
    }

    /// Moves pending bytes that still lie in the scratch memory into a buffer of their own.
    private mutating func keepPending(_ half: HalfIndex, from source: Buffer) -> Bool {
        guard !halves[half].pending.exists else { return true }
        let count = Int(halves[half].pendingCount)
        let buffer = borrow(count, for: half.flow)
        guard buffer.exists else { return false }
        buffer.copy(count, from: source, at: Int(halves[half].pendingOffset), to: 0)
        halves[half].pending = buffer
        halves[half].pendingOffset = 0
        return true
    }

    /// The most that a hello gets: more than what the parser calls too long.
    private static var mostPending: Int32 { 1 << 20 }

    /// Makes room behind the pending bytes: by moving them to the front, or into a larger buffer.
    private mutating func growPending(_ half: HalfIndex) -> Bool {
        let count = Int(halves[half].pendingCount)
        if halves[half].pendingOffset > 0 {
            halves[half].pending.copy(count, from: halves[half].pending, at: Int(halves[half].pendingOffset), to: 0)
            halves[half].pendingOffset = 0
            return true
        }
        let halves = halves
        return enlarge(&halves[half].pending, count, upTo: Worker.mostPending, for: half.flow)
    }

    private mutating func refuse(_ flow: FlowIndex, _ refusal: ClientHello.Refusal) {
        note(.helloRefused, flow: flow) { _ in refusal.description }
        dismiss(flow, with: refusal.alert)
    }

    /// Says why in TLS's own words, unless they would not be understood, and lets the flow go.
    private mutating func dismiss(_ flow: FlowIndex, with alert: TLSAlert?) {
        countUnrouted(flow)
        let client = flow.client
        if halves[client].pending.exists { buffers.give(&halves[client].pending) }
        halves[client].pendingCount = 0
        if let record = alert?.record {
            let sent = halves[client].socket.sendLastWords(record.span)
            countDown(max(0, sent.value), flow)
        }
        sayGoodbye(flow)
    }

    // MARK: Routing

    /// The service that the name just read belongs to, or the default one of the address that was called.
    mutating func serviceForName(_ flow: FlowIndex) -> Int32? {
        if !name.isEmpty, let service = view.service(for: name) { return service }
        guard let called = halves[flow.client].socket.localAddress else { return nil }
        return view.defaultService(at: called.address)
    }

    /// Makes the flow one of `service`, of whose client `received` bytes have been read so far.
    mutating func assign(_ flow: FlowIndex, to service: Int32, received: Int) {
        endOpening(flow)
        flows[flow].service = service
        settleLoans(flow)
        counters.add(1, .connectionsOpened, service: service)
        countUp(received, flow)
        // That the sender is trusted is known; whether the service takes its word is the service's own choice.
        if flows[flow].hasAssertedAddresses, !view.route(service).acceptProxyProtocol {
            flows[flow].hasAssertedAddresses = false
            // To this service all come from the sender, which is no client.
            flows[flow].client = 0
        }
        considerLogging(flow)
    }

    /// Sends a flow on its way to its service's endpoint.
    mutating func depart(_ flow: FlowIndex) {
        if isDraining, flows[flow].service != ServiceSlot.monitor {
            note(.drainRefused, flow: flow)
            if flows[flow].isHTTP { return answer(flow, .overloaded) }
            return close(flow, reset: true)
        }
        guard admit(flow) else { return }
        if flows[flow].service == ServiceSlot.monitor, !passesMonitorGate(flow) { return }
        startDial(flow)
    }
}
