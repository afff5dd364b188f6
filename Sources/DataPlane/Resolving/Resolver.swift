import Domain
import Synchronization
import Syscalls

/// What the resolver is told.
enum ResolverMessage: Sendable {
    /// Keep these known from now on, and forget those.
    case change(add: [Addition], remove: [NameSlot])
    /// Judge every address by this policy from now on.
    case judge(EndpointPolicy)
    /// Read the system's name servers anew; those of the settings stay.
    case reload
    case stop

    struct Addition: Sendable {
        let slot: NameSlot
        let host: EndpointHost
        /// Whose name it is, by number: one owner's names have their turns together.
        let owner: Int32
    }
}

/// Keeps every endpoint name resolved, on a thread of its own, and tells those who dial.
///
/// An endpoint that is an address is a name that resolves to itself: one way for workers to learn of addresses, and one
/// place where the endpoint policy judges them.
final class Resolver: Sendable {
    typealias Addresses = [(index: Int32, addresses: EndpointAddresses)]

    struct Statistics: Sendable, Equatable {
        var names = 0
        var unresolved = 0
        var underWay = 0
        var inLine = 0
        var counts = NameSchedule.Counts()
        /// Names that lack something, and the worst of them.
        var troubled = 0
        var worst: [NameTrouble] = []
    }

    /// Of a thousand names that lack something, an operator looks at the first.
    private static let mostTroubles = 100
    /// Between two looks at resolv.conf, and at names with more addresses than have room.
    private static let round: UInt64 = 1000
    /// Between two looks at all names that lack something, of which there may be 100,000.
    private static let troubleInterval: UInt64 = 5000

    let mailbox: Mailbox<ResolverMessage>
    let doubts: Mailbox<NameSlot>
    let pulse = Pulse()
    private let servers: NameServers
    private let tell: @Sendable (Addresses) -> Void
    private let shared = Mutex(Statistics())

    /// `tell` is called on the resolver's thread, with addresses that have become known, changed or gone.
    init(servers: NameServers, tell: @escaping @Sendable (Addresses) -> Void) throws(SystemCallError) {
        mailbox = try Mailbox()
        // More doubts than this between two rounds, which are milliseconds apart, say nothing new.
        doubts = try Mailbox(limit: 16_384)
        self.servers = servers
        self.tell = tell
    }

    var statistics: Statistics { shared.withLock { $0 } }

    func run() throws(SystemCallError) {
        var loop = try Loop(self)
        while !loop.isStopped {
            pulse.beat()
            loop.round()
        }
    }

    /// What only the resolver's thread touches.
    private struct Loop {
        private let owner: Resolver
        private var servers: NameServers
        private var queries: NameQueries
        private var schedule = NameSchedule()
        /// Endpoints that are addresses.
        private var addresses: [Int32: (slot: NameSlot, address: Address)] = [:]
        /// Names with more addresses than have room, which are told one window after another.
        private var crowded: [NameSlot: NameSchedule.Update] = [:]
        private var window = 0
        private var policy = EndpointPolicy()
        private var set = PollSet()
        private var nextRound: UInt64 = 0
        private var nextTroubles: UInt64 = 0
        private var worst: [NameTrouble] = []
        private(set) var isStopped = false

        init(_ owner: Resolver) throws(SystemCallError) {
            self.owner = owner
            servers = owner.servers
            queries = try NameQueries(servers: servers.addresses)
        }

        private var now: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }

        /// Waits for something to happen, and does what is to be done then.
        mutating func round() {
            set.removeAll()
            let mail = set.add(owner.mailbox.descriptor)
            let doubt = set.add(owner.doubts.descriptor)
            queries.add(to: &set)
            let before = now
            let next = min(schedule.nextEvent(now: before), nextRound)
            set.wait(milliseconds: queries.patience(atMost: Int32(clamping: next > before ? next - before : 0)))
            queries.process(set)
            for (token, answer) in queries.takeFinished() { schedule.answered(token, answer, now: now) }
            schedule.passed(now: now)
            if set.isReadable(mail) { for message in owner.mailbox.drain() { handle(message) } }
            if set.isReadable(doubt) { for slot in owner.doubts.drain() { schedule.doubted(slot, now: now) } }
            tell(schedule.takeUpdates())
            for question in schedule.draw(now: now) {
                queries.ask(question.name, question.family, question.patience, token: question.token)
            }
            if now >= nextRound {
                nextRound = now + Resolver.round
                if servers.reread() { useServers() }
                showMoreAddresses()
            }
            if now >= nextTroubles {
                nextTroubles = now + Resolver.troubleInterval
                worst = schedule.troubles(atMost: Resolver.mostTroubles, now: now)
            }
            publish()
        }

        private mutating func handle(_ message: ResolverMessage) {
            switch message {
            case .change(let add, let remove):
                for slot in remove {
                    schedule.remove(slot)
                    crowded[slot] = nil
                    if addresses[slot.index]?.slot == slot { addresses[slot.index] = nil }
                }
                var known: [NameSchedule.Update] = []
                for addition in add {
                    switch addition.host {
                    case .name(let name): schedule.add(addition.slot, name, owner: addition.owner, now: now)
                    case .address(let address):
                        addresses[addition.slot.index] = (addition.slot, address)
                        known.append(.init(slot: addition.slot, status: .known, addresses: [address]))
                    }
                }
                tell(known)
            case .judge(let judge):
                policy = judge
                tell(
                    schedule.all
                        + addresses.values.map { .init(slot: $0.slot, status: .known, addresses: [$0.address]) })
            case .reload:
                _ = servers.reread()
                useServers()
            case .stop: isStopped = true
            }
        }

        /// Asks anew, through new sockets. What was good before serves meanwhile.
        private mutating func useServers() {
            // Should there be no memory for that, those before are asked on.
            guard let new = try? NameQueries(servers: servers.addresses) else { return }
            queries = new
            schedule.startAnew(now: now)
        }

        private mutating func showMoreAddresses() {
            guard !crowded.isEmpty else { return }
            // Less than the smallest window, so that none is passed over.
            window = (window + 7) % 1_000_000
            tell(Array(crowded.values))
        }

        private mutating func tell(_ updates: [NameSchedule.Update]) {
            guard !updates.isEmpty else { return }
            for update in updates {
                crowded[update.slot] = EndpointAddresses.hasRoom(for: update.addresses) ? nil : update
            }
            owner.tell(
                updates.map { update in
                    (
                        index: update.slot.index,
                        addresses: EndpointAddresses(
                            tenant: update.slot.tenant, status: update.status,
                            addresses: update.addresses.map { JudgedAddress($0, policy: policy) }, window: window)
                    )
                })
        }

        private func publish() {
            let statistics = Statistics(
                names: schedule.count + addresses.count, unresolved: schedule.unresolvedCount,
                underWay: schedule.underWay, inLine: schedule.inLine, counts: schedule.counts,
                troubled: schedule.troubledCount, worst: worst)
            owner.shared.withLock { $0 = statistics }
        }
    }
}
