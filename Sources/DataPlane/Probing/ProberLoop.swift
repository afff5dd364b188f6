import Domain
import Logging
import Syscalls
import Wire

/// The prober's own state, and its rounds of events.
struct ProberLoop: ~Copyable {
    /// A plan that is being carried out. The loop's alone.
    private final class Watched {
        let plan: ProbePlan
        var schedule: ProbeSchedule
        var round: ProbeRound?
        /// Rounds in a row, up to the last one, that were missed.
        var misses = 0
        /// Of the round, in nanoseconds.
        var start: UInt64 = 0
        /// Tags of the attempts that may be under way, by door.
        var attempts: [[UInt64]]
        /// For when it stands in the queue; it may stand there with other times, which mean nothing.
        var wake: UInt64 = 0

        init(_ plan: ProbePlan, schedule: ProbeSchedule) {
            self.plan = plan
            self.schedule = schedule
            attempts = Array(repeating: [], count: plan.doors.count)
        }
    }

    private struct UnderWay {
        let attempt: ProbeAttempt
        let index: Int32
        let door: Int
        var events: EpollEvents
    }

    private enum Tag {
        static let mailbox: UInt64 = 0
        static let firstAttempt: UInt64 = 1
    }

    /// Between two log lines about probes that could not be made.
    private static let complaintInterval: UInt64 = 60_000

    private let mailbox: Mailbox<Prober.Message>
    private let vantage: ServerName
    private let mostAttempts: Int
    private let logger: Logger
    private let answer: @Sendable (WireProbe) -> Void
    private let epoll: Epoll
    private let client: TLSClient
    private let scratch = BufferPool.scratch()
    private var watched: [Int32: Watched] = [:]
    private var indexes: [ProbePlan: Int32] = [:]
    private var freeIndexes: [Int32] = []
    private var queue = DueQueue()
    private var underWay: [UInt64: UnderWay] = [:]
    private var nextTag = Tag.firstAttempt
    /// Milliseconds of the monotonic clock.
    private var now: UInt64 = 0
    private var nextComplaint: UInt64 = 0
    private var isStopped = false

    init(
        mailbox: Mailbox<Prober.Message>, vantage: ServerName, mostAttempts: Int, logger: Logger,
        answer: @escaping @Sendable (WireProbe) -> Void
    ) throws {
        let epoll = try Epoll()
        _ = try epoll.add(mailbox.descriptor, .readable, tag: Tag.mailbox).get("epoll_ctl")
        client = try TLSClient(probing: ())
        self.epoll = epoll
        self.mailbox = mailbox
        self.vantage = vantage
        self.mostAttempts = mostAttempts
        self.logger = logger
        self.answer = answer
    }

    mutating func run() {
        while !isStopped {
            readClock()
            let next = queue.first ?? .max
            takeEvents(milliseconds: Int32(clamping: min(next > now ? next - now : 0, 1000)))
            while let (index, time) = queue.popFirst(before: now) {
                if watched[index]?.wake == time { proceed(index) }
            }
        }
    }

    private mutating func readClock() { now = Clock.monotonicNanoseconds / 1_000_000 }

    /// Takes everything that has happened before anyone is judged for having been silent: what has come while this thread was held up, and
    /// more than one wait can report.
    private mutating func takeEvents(milliseconds: Int32) {
        var count = epoll.wait(milliseconds: milliseconds)
        for _ in 0..<16 {
            readClock()
            for index in 0..<count {
                let tag = epoll.tag(index)
                if tag == Tag.mailbox { readMail() } else { advance(tag) }
            }
            guard count > 0 else { return }
            count = epoll.wait(milliseconds: 0)
        }
    }

    private mutating func readMail() {
        for message in mailbox.drain() {
            switch message {
            case .watch(let list): watch(list)
            case .stop: isStopped = true
            }
        }
    }

    // MARK: What is probed

    /// What was probed already, and in the same way, goes on as if nothing had been said: a list comes with each change of the fleet.
    private mutating func watch(_ list: WireWatch) {
        let (plans, problems) = ProbePlan.plans(of: list)
        if !problems.isEmpty {
            logger.error(
                "Something that the control plane has this server probe cannot be probed",
                metadata: ["reasons": "\(problems.prefix(20).joined(separator: "; "))"])
        }
        for (plan, index) in indexes where !plans.contains(plan) { forget(plan, index) }
        for plan in plans where indexes[plan] == nil {
            let index = freeIndexes.popLast() ?? Int32(watched.count)
            let schedule = ProbeSchedule(interval: plan.interval, phase: .random(in: 0..<1), now: now)
            let item = Watched(plan, schedule: schedule)
            indexes[plan] = index
            watched[index] = item
            wake(item, index, at: schedule.next)
        }
    }

    private mutating func forget(_ plan: ProbePlan, _ index: Int32) {
        if let item = watched[index] {
            for door in item.attempts.indices { abandon(item, door) }
        }
        watched[index] = nil
        indexes[plan] = nil
        freeIndexes.append(index)
    }

    private mutating func wake(_ item: Watched, _ index: Int32, at time: UInt64) {
        guard item.wake != time else { return }
        item.wake = time
        queue.insert(index, at: time)
    }

    // MARK: Rounds

    /// Does for a plan what is to be done now: ends its round, begins another, makes attempts.
    private mutating func proceed(_ index: Int32) {
        guard let item = watched[index] else { return }
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        if item.round == nil, item.schedule.isDue(now: now) {
            item.schedule.began(now: now)
            item.start = Clock.monotonicNanoseconds
            item.round = ProbeRound(
                doors: item.plan.doors.map { "\($0.address)" }, timeout: item.plan.timeout,
                isWeary: item.misses >= ProbeRound.wearyAfter, now: now)
        }
        for door in item.round?.takeDue(now: now) ?? [] { begin(item, index, door) }
        // An attempt may have ended as it began.
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        wake(item, index, at: item.round?.nextEvent ?? item.schedule.next)
    }

    private mutating func begin(_ item: Watched, _ index: Int32, _ door: Int) {
        // Services' own checks have half of them, so that no number of checks keeps the servers themselves from being probed.
        let most = item.plan.service == nil ? mostAttempts : mostAttempts / 2
        guard underWay.count < most else {
            item.round?.ended(door, .notMade("\(most) attempts are under way"))
            return
        }
        switch ProbeAttempt.begin(item.plan, item.plan.doors[door], from: vantage, by: client) {
        case .underWay(let attempt):
            let tag = nextTag
            let added = epoll.add(attempt.socket.number, .writable, tag: tag)
            guard !added.isError else {
                item.round?.ended(door, .notMade(SystemCallError.text(of: added.code)))
                return
            }
            nextTag += 1
            underWay[tag] = UnderWay(attempt: attempt, index: index, door: door, events: .writable)
            item.attempts[door].append(tag)
        case .ended(let end): item.round?.ended(door, end)
        }
    }

    private mutating func advance(_ tag: UInt64) {
        // An event may be for an attempt that has been abandoned since.
        guard var entry = underWay[tag] else { return }
        let progress = entry.attempt.advance(through: scratch)
        if entry.attempt.isConnected { watched[entry.index]?.round?.accepted(entry.door) }
        switch progress {
        case .waits(let events):
            guard events != entry.events else { return }
            epoll.modify(entry.attempt.socket.number, events, tag: tag)
            entry.events = events
            underWay[tag] = entry
        case .ended(let end):
            underWay[tag] = nil
            guard let item = watched[entry.index] else { return }
            item.round?.ended(entry.door, end)
            if end == .answered { abandon(item, entry.door) }
            proceed(entry.index)
        }
    }

    /// Ends the attempts at a door that are still under way.
    private mutating func abandon(_ item: Watched, _ door: Int) {
        for tag in item.attempts[door] { underWay[tag] = nil }
        item.attempts[door].removeAll()
    }

    private mutating func finish(_ item: Watched, _ outcome: ProbeRound.Outcome) {
        item.round = nil
        for door in item.attempts.indices { abandon(item, door) }
        var probe = WireProbe()
        probe.server = item.plan.server.text
        probe.service = item.plan.service?.text ?? ""
        probe.durationMicroseconds = (Clock.monotonicNanoseconds &- item.start) / 1000
        switch outcome {
        case .answered: item.misses = 0
        case .missed(let reason, let accepted):
            item.misses += 1
            probe.error = reason
            probe.accepted = accepted
        case .untold(let reason): return complain(item.plan, reason)
        }
        answer(probe)
    }

    private mutating func complain(_ plan: ProbePlan, _ reason: String) {
        guard now >= nextComplaint else { return }
        nextComplaint = now + ProberLoop.complaintInterval
        logger.warning(
            "A probe could not be made properly, so nothing is told of it",
            metadata: ["server": "\(plan.server)", "service": "\(plan.service?.text ?? "")", "reason": "\(reason)"])
    }
}
