import Domain
import Logging
import Syscalls
import Wire

/// The prober's own state, and its rounds of events.
struct ProberLoop: ~Copyable {
    /// An order that is being carried out. The loop's alone.
    private final class Watched {
        let order: ProbeOrder
        var schedule: RoundSchedule
        var round: ProbeRound?
        /// Rounds in a row, up to the last one, that were missed.
        var misses = 0
        /// Of the round, in nanoseconds.
        var start: UInt64 = 0
        /// Those that may be under way, by door.
        var attempts: [[ConnectionTag]]

        init(_ order: ProbeOrder, schedule: RoundSchedule) {
            self.order = order
            self.schedule = schedule
            attempts = Array(repeating: [], count: order.question.doors.count)
        }
    }

    private struct UnderWay {
        let attempt: ProbeInquiry
        /// That of the order in the rota.
        let number: Int32
        let door: Int
    }

    /// Between two log lines about probes that could not be made.
    private static let complaintInterval: UInt64 = 60_000

    private let mailbox: Mailbox<Prober.Message>
    private let vantage: ServerName
    private let mostAttempts: Int
    private let logger: Logger
    private let answer: @Sendable (WireProbe) -> Void
    private let client: TLSClient
    private let scratch = BufferPool.scratch()
    private var events: EventLoop<UnderWay>
    private var rota = Rota<ProbeOrder, Watched>()
    private var nextComplaint: UInt64 = 0
    private var isStopped = false

    init(
        mailbox: Mailbox<Prober.Message>, vantage: ServerName, mostAttempts: Int, pulse: Pulse, logger: Logger,
        answer: @escaping @Sendable (WireProbe) -> Void
    ) throws {
        let events = try EventLoop<UnderWay>(mailbox: mailbox.descriptor, pulse: pulse)
        client = try TLSClient(probing: ())
        self.events = events
        self.mailbox = mailbox
        self.vantage = vantage
        self.mostAttempts = mostAttempts
        self.logger = logger
        self.answer = answer
    }

    mutating func run() {
        while !isStopped {
            var count = events.wait(until: rota.next ?? .max)
            while count > 0 {
                for index in 0..<count {
                    switch events.event(index) {
                    case .mail: readMail()
                    case .connection(let tag): advance(tag)
                    case .listener: break
                    }
                }
                count = events.more()
            }
            while let number = rota.takeDue(now: now) { proceed(number) }
        }
    }

    private var now: UInt64 { events.now }

    private mutating func readMail() {
        for message in mailbox.drain() {
            switch message {
            case .watch(let list): watch(list)
            case .stop: isStopped = true
            }
        }
    }

    // MARK: What is probed

    /// What was probed already, and in the same way, goes on as if nothing had been said: a list comes with each change
    /// of the fleet.
    private mutating func watch(_ list: WireWatch) {
        let (orders, problems) = ProbeOrder.orders(of: list)
        if !problems.isEmpty {
            logger.error(
                "Something that the control plane has this server probe cannot be probed",
                metadata: ["reasons": "\(problems.prefix(20).joined(separator: "; "))"])
        }
        for order in Array(rota.keys) where !orders.contains(order) {
            if let item = rota.remove(order) { abandon(item) }
        }
        for order in orders where rota.number(of: order) == nil {
            let schedule = RoundSchedule(interval: order.interval, phase: .random(in: 0..<1), now: now)
            rota.add(Watched(order, schedule: schedule), for: order, at: schedule.next)
        }
    }

    // MARK: Rounds

    /// Does for an order what is to be done now: ends its round, begins another, makes attempts.
    private mutating func proceed(_ number: Int32) {
        guard let item = rota[number] else { return }
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        if item.round == nil, item.schedule.isDue(now: now) {
            item.schedule.began(now: now)
            item.start = Clock.monotonicNanoseconds
            item.round = ProbeRound(
                doors: item.order.question.doors.map { "\($0.address)" }, timeout: item.order.timeout,
                isWeary: item.misses >= ProbeRound.wearyAfter, now: now)
        }
        for door in item.round?.takeDue(now: now) ?? [] { begin(item, number, door) }
        // An attempt may have ended as it began.
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        rota.setTurn(number, at: item.round?.nextEvent ?? item.schedule.next)
    }

    private mutating func begin(_ item: Watched, _ number: Int32, _ door: Int) {
        // Services' own checks have half of them, so that no number of checks keeps the servers themselves from being
        // probed.
        let most = item.order.question.service == nil ? mostAttempts : mostAttempts / 2
        guard events.count < most else {
            item.round?.ended(door, .notMade("\(most) attempts are under way"))
            return
        }
        switch ProbeInquiry.begin(item.order, item.order.question.doors[door], from: vantage, by: client) {
        case .underWay(let attempt):
            do {
                let entry = UnderWay(attempt: attempt, number: number, door: door)
                item.attempts[door].append(try events.add(entry, over: attempt.socket, awaiting: .writable))
            } catch {
                item.round?.ended(door, .notMade("\(error)"))
            }
        case .ended(let end): item.round?.ended(door, end)
        }
    }

    private mutating func advance(_ tag: ConnectionTag) {
        // An event may be for an attempt that has been abandoned since.
        guard let entry = events[tag] else { return }
        let progress = entry.attempt.advance(through: scratch)
        if entry.attempt.isConnected { rota[entry.number]?.round?.accepted(entry.door) }
        switch progress {
        case .waits(let wanted):
            do { try events.await(wanted, of: tag) } catch { end(entry, tag, .notMade("\(error)")) }
        case .ended(let outcome): end(entry, tag, outcome)
        }
    }

    private mutating func end(_ entry: UnderWay, _ tag: ConnectionTag, _ end: ProbeRound.End) {
        events.remove(tag)
        guard let item = rota[entry.number] else { return }
        item.round?.ended(entry.door, end)
        if end == .answered { abandon(item, entry.door) }
        proceed(entry.number)
    }

    private mutating func abandon(_ item: Watched) {
        for door in item.attempts.indices { abandon(item, door) }
    }

    /// Ends the attempts at a door that are still under way.
    private mutating func abandon(_ item: Watched, _ door: Int) {
        for tag in item.attempts[door] { events.remove(tag) }
        item.attempts[door].removeAll()
    }

    private mutating func finish(_ item: Watched, _ outcome: ProbeRound.Outcome) {
        item.round = nil
        abandon(item)
        var probe = WireProbe()
        probe.server = item.order.question.server.text
        probe.service = item.order.question.service?.text ?? ""
        probe.durationMicroseconds = (Clock.monotonicNanoseconds &- item.start) / 1000
        switch outcome {
        case .answered: item.misses = 0
        case .missed(let reason, let accepted):
            item.misses += 1
            probe.error = reason
            probe.accepted = accepted
        case .untold(let reason): return complain(item.order, reason)
        }
        answer(probe)
    }

    private mutating func complain(_ order: ProbeOrder, _ reason: String) {
        guard now >= nextComplaint else { return }
        nextComplaint = now + ProberLoop.complaintInterval
        logger.warning(
            "A probe could not be made properly, so nothing is told of it",
            metadata: [
                "server": "\(order.question.server)", "service": "\(order.question.service?.text ?? "")",
                "reason": "\(reason)",
            ])
    }
}
