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
        var schedule: RoundSchedule
        var round: CheckRound?
        var peers: [TransportAddress] = []
        /// Those that may be under way.
        var attempts: [ConnectionTag] = []
        /// Moves on with each round, so that each address comes first in its turn.
        var rotation = UInt32.random(in: 0..<8)
        /// Stands in line for a free place.
        var isWaiting = false

        init(_ check: TargetCheck, schedule: RoundSchedule) {
            self.check = check
            self.schedule = schedule
        }
    }

    private struct UnderWay {
        let attempt: CheckAttempt
        /// That of the check in the rota.
        let number: Int32
        let address: Int
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
    private let client: TLSClient
    private let scratch = BufferPool.scratch()
    /// By the index of the name's slot, as each worker has them.
    private let names: Slab<Int32, EndpointAddresses>
    private var services: CheckedServices
    private var events: EventLoop<UnderWay>
    private var rota = Rota<TargetCheck, Watched>()
    /// Checks that are due and for which there is no place.
    private var line: [Int32] = []
    private var statistics = HealthChecker.Statistics()
    private var nextPublication: UInt64 = 0
    private var isStopped = false

    init(
        mailbox: Mailbox<HealthChecker.Message>, doubts: Mailbox<NameSlot>, most: Int, pulse: Pulse, logger: Logger,
        prefer: @escaping ([(slot: Int32, preference: TargetPreference)]) -> Void,
        publish: @escaping (HealthChecker.Statistics) -> Void
    ) throws {
        let events = try EventLoop<UnderWay>(mailbox: mailbox.descriptor, pulse: pulse)
        let names = try Slab<Int32, EndpointAddresses>(capacity: Capacity.names)
        client = try TLSClient(probing: ())
        services = CheckedServices(logger: logger)
        self.names = names
        self.events = events
        self.mailbox = mailbox
        self.doubts = doubts
        self.most = most
        self.prefer = prefer
        self.publish = publish
    }

    mutating func run() {
        while !isStopped {
            takeEvents()
            while let number = rota.takeDue(now: now) { proceed(number) }
            letIn()
            services.passed(now: now)
            let preferences = services.takePreferences()
            if !preferences.isEmpty { prefer(preferences) }
            publishIfDue()
        }
    }

    private var now: UInt64 { events.now }

    private var nextEvent: UInt64 {
        let next = min(rota.next ?? .max, services.nextEvent ?? .max)
        // Where nothing is checked there is nothing to publish either.
        return rota.isEmpty ? next : min(next, nextPublication)
    }

    private mutating func takeEvents() {
        var count = events.wait(until: nextEvent)
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

    /// What was checked already, and in the same way, goes on as if nothing had been said: a list comes with each
    /// change of the fleet.
    private mutating func check(_ list: [CheckedService]) {
        services.replace(by: list, now: now)
        var subscribers: [TargetCheck: [(slot: Int32, target: Int)]] = [:]
        for service in list {
            for (place, target) in service.targets.enumerated() {
                subscribers[TargetCheck(target, of: service), default: []].append((service.slot, place))
            }
        }
        for check in Array(rota.keys) where subscribers[check] == nil {
            if let item = rota.remove(check) { abandon(item) }
        }
        for (check, subscribers) in subscribers {
            if let number = rota.number(of: check) {
                rota[number]?.subscribers = subscribers
                continue
            }
            let schedule = RoundSchedule(interval: check.interval, phase: .random(in: 0..<1), now: now)
            let item = Watched(check, schedule: schedule)
            item.subscribers = subscribers
            rota.add(item, for: check, at: schedule.next)
        }
    }

    /// Lets in those that stand in line, as long as there are places.
    private mutating func letIn() {
        guard !line.isEmpty, events.count < most else { return }
        let waiting = line
        line = []
        for number in waiting {
            guard let item = rota[number], item.isWaiting else { continue }
            guard events.count < most else {
                line.append(number)
                continue
            }
            item.isWaiting = false
            proceed(number)
        }
    }

    // MARK: Rounds

    /// Does for a check what is to be done now: ends its round, begins another, makes attempts.
    private mutating func proceed(_ number: Int32) {
        guard let item = rota[number], !item.isWaiting else { return }
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        if item.round == nil, item.schedule.isDue(now: now) {
            guard events.count < most else {
                item.isWaiting = true
                return line.append(number)
            }
            guard begin(item) else { return rota.setTurn(number, at: now + HealthLoop.namePatience) }
        }
        while let address = item.round?.takeDue(now: now) { attempt(item, number, address) }
        // An attempt may have ended as it began.
        if let outcome = item.round?.outcome(now: now) { finish(item, outcome) }
        rota.setTurn(number, at: item.round?.nextEvent ?? item.schedule.next)
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

    private mutating func attempt(_ item: Watched, _ number: Int32, _ address: Int) {
        // A round that has begun may go a little beyond the limit, so that none ends for want of its second address.
        guard events.count < most + most / 4 else {
            item.round?.ended(address, .notMade("\(events.count) attempts are under way"), now: now)
            return
        }
        switch CheckAttempt.begin(item.check, to: item.peers[address], by: client) {
        case .underWay(let attempt):
            do {
                let entry = UnderWay(attempt: attempt, number: number, address: address)
                item.attempts.append(try events.add(entry, over: attempt.socket, awaiting: .writable))
            } catch {
                item.round?.ended(address, .notMade("\(error)"), now: now)
            }
        case .ended(let end): item.round?.ended(address, end, now: now)
        }
    }

    private mutating func advance(_ tag: ConnectionTag) {
        // An event may be for an attempt that has been abandoned since.
        guard let entry = events[tag] else { return }
        switch entry.attempt.advance(through: scratch) {
        case .waits(let wanted):
            do { try events.await(wanted, of: tag) } catch { end(entry, tag, .notMade("\(error)")) }
        case .ended(let outcome): end(entry, tag, outcome)
        }
    }

    private mutating func end(_ entry: UnderWay, _ tag: ConnectionTag, _ end: CheckRound.End) {
        events.remove(tag)
        guard let item = rota[entry.number] else { return }
        item.round?.ended(entry.address, end, now: now)
        proceed(entry.number)
    }

    private mutating func abandon(_ item: Watched) {
        for tag in item.attempts { events.remove(tag) }
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
