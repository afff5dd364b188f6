import Domain
import Logging
import Syscalls

/// The checker's own state, and its rounds of events.
struct HealthLoop: ~Copyable {
    /// A check that is being repeated. The loop's alone.
    private final class Watched {
        let check: TargetCheck
        /// Who wants to know: the slot of a service, and the place of the target in its list.
        var subscribers: [(slot: Int32, target: Int)] = []
        var schedule: ProbeSchedule
        var round: CheckRound?
        var peers: [TransportAddress] = []
        /// Tags of the attempts under way.
        var attempts: [UInt64] = []
        /// Moves on with each round, so that each address comes first in its turn.
        var rotation = UInt32.random(in: 0..<8)
        /// For when it stands in the queue; it may stand there with other times, which mean nothing.
        var wake: UInt64 = 0
        /// Stands in line for a free place.
        var isWaiting = false

        init(_ check: TargetCheck, schedule: ProbeSchedule) {
            self.check = check
            self.schedule = schedule
        }
    }

    private struct UnderWay {
        let attempt: CheckAttempt
        let index: Int32
        let address: Int
        var events: EpollEvents
    }

    private enum Tag {
        static let mailbox: UInt64 = 0
        static let firstAttempt: UInt64 = 1
    }

    /// Until a name that is not known yet is looked at again: the first answer comes soon.
    private static let namePatience: UInt64 = 200
    /// Between two publications of how targets stand, of which there may be thousands.
    private static let publicationInterval: UInt64 = 200

    private let mailbox: Mailbox<HealthChecker.Message>
    private let doubts: Mailbox<NameSlot>
    private let most: Int
    private let prefer: ([(slot: Int32, preference: TargetPreference)]) -> Void
    private let publish: (HealthChecker.Statistics) -> Void
    private let epoll: Epoll
    private let client: TLSClient
    private let scratch = BufferPool.scratch()
    /// By the index of the name's slot, as each worker has them.
    private let names: Slab<Int32, EndpointAddresses>
    private var services: CheckedServices
    private var watched: [Int32: Watched] = [:]
    private var indexes: [TargetCheck: Int32] = [:]
    private var freeIndexes: [Int32] = []
    private var queue = DueQueue()
    /// Checks that are due and for which there is no place.
    private var line: [Int32] = []
    private var underWay: [UInt64: UnderWay] = [:]
    private var nextTag = Tag.firstAttempt
    private var statistics = HealthChecker.Statistics()
    private var nextPublication: UInt64 = 0
    /// Milliseconds of the monotonic clock.
    private var now: UInt64 = 0
    private var isStopped = false

    init(
        mailbox: Mailbox<HealthChecker.Message>, doubts: Mailbox<NameSlot>, most: Int, logger: Logger,
        prefer: @escaping ([(slot: Int32, preference: TargetPreference)]) -> Void,
        publish: @escaping (HealthChecker.Statistics) -> Void
    ) throws {
        let epoll = try Epoll()
        _ = try epoll.add(mailbox.descriptor, .readable, tag: Tag.mailbox).get("epoll_ctl")
        let names = try Slab<Int32, EndpointAddresses>(capacity: Capacity.names)
        client = try TLSClient(probing: ())
        services = CheckedServices(logger: logger)
        self.names = names
        self.epoll = epoll
        self.mailbox = mailbox
        self.doubts = doubts
        self.most = most
        self.prefer = prefer
        self.publish = publish
    }

    mutating func run() {
        while !isStopped {
            readClock()
            takeEvents(milliseconds: patience)
            while let (index, time) = queue.popFirst(before: now) {
                if watched[index]?.wake == time { proceed(index) }
            }
            letIn()
            services.passed(now: now)
            let preferences = services.takePreferences()
            if !preferences.isEmpty { prefer(preferences) }
            publishIfDue()
        }
    }

    private mutating func readClock() { now = Clock.monotonicNanoseconds / 1_000_000 }

    private var patience: Int32 {
        let next = min(queue.first ?? .max, services.nextEvent ?? .max)
        // Where nothing is checked there is nothing to publish either.
        let most = watched.isEmpty ? 1000 : HealthLoop.publicationInterval
        return Int32(clamping: min(next > now ? next - now : 0, most))
    }

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
            case .check(let list): check(list)
            case .addresses(let updates): for update in updates { names[update.index] = update.addresses }
            case .stop: isStopped = true
            }
        }
    }

    private mutating func publishIfDue() {
        guard now >= nextPublication else { return }
        nextPublication = now + HealthLoop.publicationInterval
        if let standing = services.takeStanding() { statistics.services = standing }
        publish(statistics)
    }

    // MARK: What is checked

    /// What was checked already, and in the same way, goes on as if nothing had been said: a list comes with each change of the fleet.
    private mutating func check(_ list: [CheckedService]) {
        services.replace(by: list, now: now)
        var subscribers: [TargetCheck: [(slot: Int32, target: Int)]] = [:]
        for service in list {
            for (place, target) in service.targets.enumerated() {
                subscribers[TargetCheck(target, of: service), default: []].append((service.slot, place))
            }
        }
        for (check, index) in indexes where subscribers[check] == nil { forget(check, index) }
        for (check, subscribers) in subscribers {
            if let index = indexes[check] {
                watched[index]?.subscribers = subscribers
                continue
            }
            let index = freeIndexes.popLast() ?? Int32(watched.count)
            let schedule = ProbeSchedule(interval: check.interval, phase: .random(in: 0..<1), now: now)
            let item = Watched(check, schedule: schedule)
            item.subscribers = subscribers
            indexes[check] = index
            watched[index] = item
            wake(item, index, at: schedule.next)
        }
    }

    private mutating func forget(_ check: TargetCheck, _ index: Int32) {
        if let item = watched[index] { abandon(item) }
        watched[index] = nil
        indexes[check] = nil
        freeIndexes.append(index)
    }

    private mutating func wake(_ item: Watched, _ index: Int32, at time: UInt64) {
        guard item.wake != time else { return }
        item.wake = time
        queue.insert(index, at: time)
    }

    /// Lets in those that stand in line, as long as there are places.
    private mutating func letIn() {
        guard !line.isEmpty, underWay.count < most else { return }
        let waiting = line
        line = []
        for index in waiting {
            guard let item = watched[index], item.isWaiting else { continue }
            guard underWay.count < most else {
                line.append(index)
                continue
            }
            item.isWaiting = false
            proceed(index)
        }
    }

    // MARK: Rounds

    /// Does for a check what is to be done now: ends its round, begins another, makes attempts.
    private mutating func proceed(_ index: Int32) {
        guard let item = watched[index], !item.isWaiting else { return }
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        if item.round == nil, item.schedule.isDue(now: now) {
            guard underWay.count < most else {
                item.isWaiting = true
                return line.append(index)
            }
            guard begin(item) else { return wake(item, index, at: now + HealthLoop.namePatience) }
        }
        while let address = item.round?.takeDue(now: now) { attempt(item, index, address) }
        // An attempt may have ended as it began.
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        wake(item, index, at: item.round?.nextEvent ?? item.schedule.next)
    }

    /// Begins a round at the addresses that the name has now. False when it is not known yet whether it has any.
    private mutating func begin(_ item: Watched) -> Bool {
        let known = names[item.check.name.index]
        guard known.tenant == item.check.name.tenant, known.status != .unknown else { return false }
        item.schedule.began(now: now)
        guard known.status == .known else {
            finish(item, .failed("its name cannot be resolved"))
            return true
        }
        item.rotation &+= 1
        item.peers = []
        var position = 0
        while let candidate = known.candidate(position, rotation: item.rotation) {
            position += 1
            if !candidate.isForbidden { item.peers.append(TransportAddress(candidate.address, port: item.check.port)) }
        }
        if item.peers.isEmpty {
            finish(item, .failed("the endpoint policy forbids each of its addresses"))
        } else {
            item.round = CheckRound(addresses: item.peers.map { "\($0)" }, timeout: item.check.timeout, now: now)
        }
        return true
    }

    private mutating func attempt(_ item: Watched, _ index: Int32, _ address: Int) {
        // A round that has begun may go a little beyond the limit, so that none ends for want of its second address.
        guard underWay.count < most + most / 4 else {
            item.round?.ended(address, .notMade("\(underWay.count) attempts are under way"), now: now)
            return
        }
        switch CheckAttempt.begin(item.check, to: item.peers[address], by: client) {
        case .underWay(let attempt):
            let tag = nextTag
            let added = epoll.add(attempt.socket.number, .writable, tag: tag)
            guard !added.isError else {
                item.round?.ended(address, .notMade(SystemCallError.text(of: added.code)), now: now)
                return
            }
            nextTag += 1
            underWay[tag] = UnderWay(attempt: attempt, index: index, address: address, events: .writable)
            item.attempts.append(tag)
        case .ended(let end): item.round?.ended(address, end, now: now)
        }
    }

    private mutating func advance(_ tag: UInt64) {
        // An event may be for an attempt that has been abandoned since.
        guard var entry = underWay[tag] else { return }
        switch entry.attempt.advance(through: scratch) {
        case .waits(let events):
            guard events != entry.events else { return }
            epoll.modify(entry.attempt.socket.number, events, tag: tag)
            entry.events = events
            underWay[tag] = entry
        case .ended(let end):
            underWay[tag] = nil
            guard let item = watched[entry.index] else { return }
            item.round?.ended(entry.address, end, now: now)
            proceed(entry.index)
        }
    }

    private mutating func abandon(_ item: Watched) {
        for tag in item.attempts { underWay[tag] = nil }
        item.attempts.removeAll()
    }

    private mutating func finish(_ item: Watched, _ outcome: CheckRound.Outcome) {
        item.round = nil
        abandon(item)
        switch outcome {
        case .well: statistics.passed &+= 1
        case .failed:
            statistics.failed &+= 1
            // Its addresses may have changed since its TTL began. The resolver asks no more often than is good.
            doubts.post(item.check.name)
        case .untold(let reason):
            statistics.untold &+= 1
            return services.complain(reason, now: now)
        }
        for subscriber in item.subscribers {
            services.checked(subscriber.slot, target: subscriber.target, outcome, now: now)
        }
    }
}
