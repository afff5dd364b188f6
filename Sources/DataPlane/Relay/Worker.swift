import Domain
import Routing
import Syscalls

/// One thread of the data plane: its epoll, its flows, and everything they need.
///
/// Nothing here is shared but the routing table, which is immutable, and the counters, which only this worker writes.
/// The hot path takes no lock, allocates nothing once the pools are warm, and touches no reference count; so no class
/// is reached for on it, and records are plain memory, found by index.
struct Worker: ~Copyable {
    let plan: WorkerPlan
    let counters: WorkerCounters
    let epoll: Epoll
    /// Which places of the tables below are free.
    var places: FlowTable
    // The tables of `places`, each a view that is kept at hand.
    let flows: Slab<FlowIndex, Flow>
    let halves: Slab<HalfIndex, Half>
    let exchanges: Slab<FlowIndex, Exchange>
    let asserted: Slab<FlowIndex, AssertedAddresses>
    let facts: Slab<FlowIndex, FlowFacts>
    var dials: DialTable
    /// Halves that have a turn after the other events of this round.
    var ready: ReadyQueue
    /// Halves that move much, in turn: as many in a round as there is time for, after all others.
    var bulk: ReadyQueue
    /// Of those: the half whose turns it is, and how many it has had in a row.
    var served = HalfIndex.none
    var servedTurns: Int32 = 0
    let ledger: ClientLedger
    let holding: HoldingFlows
    let incidents: IncidentMemory
    var gate: MonitorGate
    let failures: AddressMemory
    /// Kept at hand, since a look into the settings counts a reference.
    let sources: FrozenArray<Address>
    let names: Slab<Int32, EndpointAddresses>
    let preferences: Slab<Int32, TargetPreference>

    var table = RoutingTable.empty()
    var view: RoutingTable.View
    var buffers: BufferPool
    /// Who was to give way when a flow was last refused a buffer.
    var memoryCulprit = ServiceSlot.unrouted
    var pipes: PipePool
    /// What small moves pass through: used within one call, never kept.
    let scratch = BufferPool.scratch()
    var name = RoutingName()

    /// Milliseconds of the monotonic clock, read once a round.
    var now: UInt64 = 0
    var rotation: UInt32 = 0
    /// By which flows are drawn that are written down; never 0.
    var lot = UInt64.random(in: 1 ... .max)
    var sweepPosition: Int32 = 0
    /// Rounds in a row that have had as many events as one wait reports.
    private var fullRounds = 0
    var nextSweep: UInt64 = 0
    var nextTend: UInt64 = 0
    /// Never, until the listeners listen: one that is only bound is an event without end (EPOLLHUP).
    var acceptAgain = UInt64.max
    var isAccepting = false
    /// The listeners are left to the other workers for a moment.
    var isYielding = false
    /// Flows open at each worker in the mean, and when that was looked at.
    var meanOpen = 0
    var meanTaken: UInt64 = 0
    var isShuttingDown = false
    var isDraining = false
    var isStopped = false

    private static var mostFullRounds: Int { 16 }
    /// Ticks of `Flow.lastActive`: fine enough for timeouts of seconds, and 13 years until they wrap.
    static let tickMilliseconds: UInt64 = 100

    /// Tags of epoll that are no half: the mailbox, a listener, the rival of a dial.
    enum Tag {
        static let mailbox = UInt64.max
        static let listener: UInt64 = 1 << 63
        static let rival: UInt64 = 1 << 62
    }

    init(_ plan: WorkerPlan, memory: WorkerMemory, epoll: consuming Epoll, pipes: consuming PipePool) {
        self.plan = plan
        counters = plan.counters
        self.epoll = epoll
        places = memory.table
        flows = places.flows
        halves = places.halves
        exchanges = places.exchanges
        asserted = places.asserted
        facts = places.facts
        dials = memory.dials
        ready = memory.ready
        ledger = plan.ledger
        holding = memory.holding
        bulk = memory.bulk
        incidents = memory.incidents
        gate = memory.gate
        failures = memory.failures
        sources = FrozenArray(plan.settings.sources)
        names = memory.names
        preferences = memory.preferences
        view = table.view
        buffers = BufferPool(accounts: memory.accounts)
        self.pipes = pipes
    }

    var tick: UInt32 { UInt32(truncatingIfNeeded: now / Worker.tickMilliseconds) }

    // MARK: The loop

    mutating func run() {
        readClock()
        while !isStopped {
            let count = epoll.wait(milliseconds: patience)
            readClock()
            var index = 0
            var hasMail = false
            while index < count {
                let tag = epoll.tag(index)
                if tag < Tag.rival {
                    handle(tag, epoll.events(index))
                } else if tag == Tag.mailbox {
                    hasMail = true
                } else if tag >= Tag.listener {
                    accept(Int(truncatingIfNeeded: tag & 0xFFFF))
                } else {
                    handleRival(tag)
                }
                index &+= 1
            }
            if ready.count > 0 { pumpReady() }
            if bulk.count > 0 { pumpBulk() }
            if hasMail { readMail() }
            if isYielding { considerReturn() }
            counters.add(1, .rounds)
            guard hasReadAll(count) else { continue }
            if dials.count > 0, now >= nextTend { tendDials() }
            if now >= nextSweep {
                tellPipes()
                sweep()
            }
        }
        abandonAll()
    }

    /// Whether all that has come is taken in, so that those who have been silent may be judged by the clock. After a
    /// pause of this process more may have come than one wait reports. A round that never ends judges all the same.
    private mutating func hasReadAll(_ count: Int) -> Bool {
        guard count >= Epoll.most, fullRounds < Worker.mostFullRounds else {
            fullRounds = 0
            return true
        }
        fullRounds &+= 1
        return false
    }

    private mutating func readClock() { now = Clock.monotonicNanoseconds / 1_000_000 }

    /// How long to wait for events: dials race in hundreds of milliseconds, listeners are taken up again in tens; all
    /// else is looked at by the sweep.
    private var patience: Int32 {
        if ready.count > 0 || bulk.count > 0 { return 0 }
        if isYielding { return Int32(Worker.yieldInterval) }
        return Int32(dials.count > 0 ? Worker.tendInterval : Worker.sweepInterval)
    }

    /// Gives each half of the ready queue its turn. Those that come meanwhile wait for the next round.
    private mutating func pumpReady() {
        var waiting = ready.count
        while waiting > 0 {
            takeTurn(ready.popFirst())
            waiting &-= 1
        }
    }

    /// Gives halves that move much their turns, for as long as this round has time for them. The rest keeps its order,
    /// and goes on in the next round: once epoll has been asked again, and whoever has little to say has had its say.
    private mutating func pumpBulk() {
        let end = Clock.monotonicNanoseconds &+ Worker.bulkNanoseconds
        repeat {
            let half = bulk.popFirst()
            if half != served { (served, servedTurns) = (half, 0) }
            takeTurn(half)
        } while bulk.count > 0 && Clock.monotonicNanoseconds < end
    }

    private func tellPipes() {
        counters.set(UInt64(pipes.lent), .pipesLent)
        counters.set(UInt64(pipes.idleCount), .pipesIdle)
        counters.set(pipes.refused, .pipesRefused)
    }

    private mutating func takeTurn(_ half: HalfIndex) {
        halves[half].isQueued = false
        if halves[half].state.contains(.unwatched) { return closeFlow(of: half, reset: true) }
        guard halves[half].socket.exists else { return }
        // An answer of ours may have ended the exchange since; the client is only heard out then.
        switch flows[half.flow].stage {
        case .relaying: _ = pump(half)
        case .lingering: discardInput(half.flow)
        case .free, .opening, .dialling: break
        }
    }

    /// Has `half` pumped again after the other events of this round: with those that move much, when it is one of them.
    mutating func enqueue(_ half: HalfIndex) { enqueue(half, isBulk: halves[half].state.contains(.bulk)) }

    @inline(__always) mutating func enqueue(_ half: HalfIndex, isBulk: Bool) {
        guard !halves[half].isQueued else { return }
        halves[half].isQueued = true
        if isBulk { bulk.append(half) } else { ready.append(half) }
    }

    @inline(__always) func tag(_ half: HalfIndex) -> UInt64 {
        // 30 bits of generation leave the two highest bits to the other kinds of tag.
        UInt64(halves[half].generation & 0x3FFF_FFFF) << 32 | UInt64(UInt32(bitPattern: half.place))
    }

    private mutating func readMail() {
        for message in plan.mailbox.drain() {
            switch message {
            case .route(let table):
                self.table = table
                view = table.view
                redirectDials()
                plan.reports.post(.routes(index: plan.index, generation: table.generation))
            case .addresses(let updates):
                for update in updates { names[update.index] = update.addresses }
                nextTend = now
            case .preferred(let updates):
                for update in updates { preferences[update.slot] = update.preference }
            case .accept:
                acceptAgain = now
                startAccepting()
            case .shutDown:
                // Those that wait to be accepted were here before the end was decided.
                if isYielding { startAccepting() }
                for index in plan.listeners.indices { accept(index, upTo: Worker.acceptBatch) }
                leaveListeners()
                closeIdleExchanges()
            case .drain(let draining):
                isDraining = draining
            case .proved(let address):
                gate.proved(address, now: now)
            case .adopt(let flows):
                for flow in flows { adopt(flow) }
            case .list(let search):
                list(search)
            case .park:
                leaveListeners()
                plan.departures.post(park())
                isStopped = true
            case .stop:
                isStopped = true
            }
        }
    }

    // MARK: Flows

    /// A free place for a flow, or nil when the limit is reached.
    mutating func takeFlow() -> FlowIndex? {
        guard let flow = places.claim() else { return nil }
        flows[flow].openedAt = tick
        counters.add(1, .flowsOpened)
        return flow
    }

    /// Closes both connections of a flow and gives back what it holds; with `reset`, so that both peers know that the
    /// stream was cut.
    ///
    /// A peer that has been sent our FIN is never reset: it knows the end, and what is on its way to it would be lost.
    mutating func close(_ flow: FlowIndex, reset: Bool = false) {
        countUnrouted(flow)
        if flows[flow].hasFacts { logEnd(flow) }
        abandonDial(of: flow)
        leaveMonitorGate(flow)
        closeHalf(flow.client, reset: reset && !halves[flow.client].state.contains(.shut))
        closeHalf(flow.endpoint, reset: reset && !halves[flow.endpoint].state.contains(.shut))
        if flows[flow].isHTTP {
            buffers.give(&exchanges[flow].request.inbox)
            buffers.give(&exchanges[flow].response.inbox)
        }
        strike(flow)
        if flows[flow].service != ServiceSlot.unrouted, !flows[flow].hasLeftService {
            counters.add(1, .connectionsClosed, service: flows[flow].service)
        }
        places.give(flow)
        counters.add(1, .flowsClosed)
        // A place is free again: no need to wait for the sweep to take the next connection.
        if !isAccepting, !isYielding, !places.isFull, now >= acceptAgain { startAccepting() }
    }

    /// Counts payload from a client, for its service and for the flow.
    @inline(__always) func countUp(_ count: Int, _ flow: FlowIndex) {
        counters.add(UInt64(count), .bytesUp, service: flows[flow].service)
        flows[flow].bytesUp &+= UInt64(count)
    }

    /// The same of payload to a client.
    @inline(__always) func countDown(_ count: Int, _ flow: FlowIndex) {
        counters.add(UInt64(count), .bytesDown, service: flows[flow].service)
        flows[flow].bytesDown &+= UInt64(count)
    }

    /// Counts what a client has said that will never be any service's.
    func countUnrouted(_ flow: FlowIndex) {
        guard flows[flow].stage == .opening, flows[flow].service == ServiceSlot.unrouted else { return }
        let said = flows[flow].isHTTP ? exchanges[flow].request.count : halves[flow.client].pendingCount
        // What a trusted sender has said, as long as its header is not whole, is not the client's.
        if !flows[flow].awaitsProxyHeader { countUp(Int(said), flow) }
    }

    /// Closes one connection of a flow, whose record is as new afterwards but for its generation.
    mutating func closeHalf(_ half: HalfIndex, reset: Bool) {
        if halves[half].socket.exists {
            if reset { halves[half].socket.reset() } else { halves[half].socket.close() }
        }
        if halves[half].pending.exists { buffers.give(&halves[half].pending) }
        if halves[half].pipe.exists {
            let holder = flows[half.flow].service
            if halves[half].piped > 0 {
                pipes.discard(&halves[half].pipe, of: holder)
            } else {
                pipes.give(&halves[half].pipe, of: holder)
            }
        }
        let generation = (halves[half].generation &+ 1) & 0x3FFF_FFFF
        let isQueued = halves[half].isQueued
        halves[half] = Half()
        halves[half].generation = generation
        halves[half].isQueued = isQueued
    }

    /// Closes the flow that `half` belongs to.
    mutating func closeFlow(of half: HalfIndex, reset: Bool = false) { close(half.flow, reset: reset) }

    private mutating func abandonAll() {
        leaveListeners()
        for flow in places.places() where flows[flow].stage != .free {
            if flows[flow].stage == .lingering {
                abandonLingering(flow)
            } else {
                logStop(flow)
                close(flow, reset: true)
            }
        }
    }

    // MARK: Incidents

    /// Counts an incident, and has it logged unless one of its kind and service was within the last second. The service
    /// is the flow's, unless another one has brought it about.
    mutating func note(
        _ incident: Incident, flow: FlowIndex? = nil, service culprit: Int32? = nil,
        _ detail: (borrowing Worker) -> String = { _ in "" }
    ) {
        if let flow { flows[flow].ending = incident }
        let service = culprit ?? flow.map { flows[$0].service } ?? ServiceSlot.unrouted
        counters.add(incident, service: service)
        guard let leftOut = incidents.admit(incident, service: service, now: now) else { return }
        let report = IncidentReport(
            incident: incident, service: service,
            client: flow.flatMap { clientAddress(of: $0)?.description } ?? "", detail: detail(self), leftOut: leftOut)
        plan.incidents.post(report)
    }

    /// Whose connection this is: as a trusted sender says, where the service believes it, else the peer itself.
    func clientAddress(of flow: FlowIndex) -> TransportAddress? {
        flows[flow].hasAssertedAddresses ? asserted[flow].source : halves[flow.client].socket.peerAddress
    }
}
