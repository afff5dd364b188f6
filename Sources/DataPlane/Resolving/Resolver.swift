import Domain
import Synchronization
import Syscalls

/// What the resolver is told.
enum ResolverMessage: Sendable {
    /// Keep these known from now on, and forget those.
    case change(add: [(slot: NameSlot, host: EndpointHost)], remove: [NameSlot])
    /// Judge every address by this policy from now on.
    case judge(EndpointPolicy)
    /// Read the system's name servers anew; those of the settings stay.
    case reload
    case stop
}

/// Keeps every endpoint name resolved, on a thread of its own, and tells the workers and the health checker.
///
/// An endpoint that is an address is a name that resolves to itself: one way for workers to learn of addresses, and one place where the
/// endpoint policy judges them.
final class Resolver: Sendable {
    struct Statistics: Sendable, Equatable {
        var names = 0
        var unresolved = 0
        var questions: UInt64 = 0
    }

    let mailbox: Mailbox<ResolverMessage>
    let doubts: Mailbox<NameSlot>
    private let workers: [Mailbox<WorkerMessage>]
    private let health: Mailbox<HealthChecker.Message>
    private let servers: [TransportAddress]
    private let shared = Mutex(Statistics())

    init(
        servers: [TransportAddress], workers: [Mailbox<WorkerMessage>], health: Mailbox<HealthChecker.Message>
    ) throws(SystemCallError) {
        mailbox = try Mailbox()
        // More doubts than this at one time say nothing new.
        doubts = try Mailbox(limit: 1024)
        self.workers = workers
        self.health = health
        self.servers = servers
    }

    var statistics: Statistics { shared.withLock { $0 } }

    func run() throws(SystemCallError) {
        var queries = try NameQueries(servers: servers)
        var schedule = NameSchedule()
        var addresses: [Int32: (slot: NameSlot, address: Address)] = [:]
        var policy = EndpointPolicy()
        var set = PollSet()
        var isStopped = false
        while !isStopped {
            set.removeAll()
            let mail = set.add(mailbox.descriptor)
            let doubt = set.add(doubts.descriptor)
            let places = queries.add(to: &set)
            let now = milliseconds
            let untilDue = schedule.nextDue.map { Int32(clamping: $0 > now ? $0 - now : 0) } ?? 1000
            set.wait(milliseconds: queries.patience(atMost: min(untilDue, 1000)))
            queries.process(set, places)
            var updates: [NameSchedule.Update] = []
            for (token, answer) in queries.takeFinished() {
                let slot = NameSlot(token: token)
                if let update = schedule.answered(slot, answer, now: milliseconds) { updates.append(update) }
            }
            if set.isReadable(mail) {
                for message in mailbox.drain() {
                    switch message {
                    case .change(let add, let remove):
                        for slot in remove {
                            schedule.remove(slot)
                            if addresses[slot.index]?.slot == slot { addresses[slot.index] = nil }
                        }
                        for (slot, host) in add {
                            switch host {
                            case .name(let name): schedule.add(slot, name, now: milliseconds)
                            case .address(let address):
                                addresses[slot.index] = (slot, address)
                                updates.append(.init(slot: slot, status: .known, addresses: [address]))
                            }
                        }
                    case .judge(let judge):
                        policy = judge
                        updates = schedule.all
                        updates += addresses.values.map {
                            .init(slot: $0.slot, status: .known, addresses: [$0.address])
                        }
                    case .reload:
                        // What is under way fails, is asked again in a second, and its last good answer serves meanwhile.
                        queries.cancel()
                        for (token, answer) in queries.takeFinished() {
                            let slot = NameSlot(token: token)
                            if let update = schedule.answered(slot, answer, now: milliseconds) {
                                updates.append(update)
                            }
                        }
                        queries = try NameQueries(servers: servers)
                    case .stop: isStopped = true
                    }
                }
            }
            if set.isReadable(doubt) {
                for slot in doubts.drain() { schedule.doubted(slot, now: milliseconds) }
            }
            tell(updates, policy)
            let due = schedule.takeDue(now: milliseconds)
            for (slot, name) in due { queries.ask(name, token: slot.token) }
            let (names, unresolved) = (schedule.count, schedule.unresolvedCount)
            shared.withLock {
                $0.names = names + addresses.count
                $0.unresolved = unresolved
                $0.questions += UInt64(due.count)
            }
        }
    }

    private var milliseconds: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }

    private func tell(_ updates: [NameSchedule.Update], _ policy: EndpointPolicy) {
        guard !updates.isEmpty else { return }
        let addresses = updates.map { update in
            (
                index: update.slot.index,
                addresses: EndpointAddresses(
                    tenant: update.slot.tenant, status: update.status,
                    addresses: update.addresses.map { JudgedAddress($0, policy: policy) })
            )
        }
        for worker in workers { worker.post(.addresses(addresses)) }
        health.post(.addresses(addresses))
    }
}

extension NameSlot {
    /// Both numbers in one, to go with a question and come back with its answer.
    var token: UInt64 { UInt64(tenant) << 32 | UInt64(UInt32(bitPattern: index)) }

    init(token: UInt64) {
        index = Int32(truncatingIfNeeded: token)
        tenant = UInt32(truncatingIfNeeded: token >> 32)
    }
}
