import Domain
import Syscalls

/// Which endpoint names are known, until when, and which are to be asked about next. Pure; time is passed in, in milliseconds.
///
///     unknown ──answer──▶ known ──TTL over──▶ asking, still serving ──answer──▶ known
///        │ nothing                                  │ failed: serves on, asks again after 1, 2, 4 … 30 s
///        ▼                                          │ nothing, for 30 s
///     unresolved ◀──────────────────────────────────┘
///
/// A failure to get an answer never takes an address away (RFC 8767). An answer that there is nothing does, but only after it has been
/// repeated for half a minute: a zone in the middle of a mistake should not be the end of a service.
struct NameSchedule {
    /// Never ask more often than once a second, whatever TTL an endpoint's zone has; a resolver also hands out 0.
    static let shortestTTL: UInt64 = 1000
    /// Never trust an answer for longer than five minutes: a customer who has moved does not want to hear of last week's TTL.
    static let longestTTL: UInt64 = 300_000
    static let longestRetry: UInt64 = 30_000
    static let nothingPatience: UInt64 = 30_000
    /// After a connect failure the name is asked again at once, but not more often than this.
    static let doubtInterval: UInt64 = 1000
    /// Questions under way at a time: a fleet that starts with ten thousand names must not flood its resolver.
    static let mostUnderWay = 256

    /// The addresses of a name have become known, changed, or gone.
    struct Update: Equatable {
        let slot: NameSlot
        let status: EndpointAddresses.Status
        let addresses: [Address]
    }

    private struct Entry {
        let slot: NameSlot
        let name: DomainName
        var status = EndpointAddresses.Status.unknown
        var addresses: [Address] = []
        var isUnderWay = false
        var askedAt: UInt64 = 0
        /// When it is asked about next.
        var due: UInt64
        var failures = 0
        /// Since when every answer has been that there is nothing.
        var nothingSince: UInt64?
        /// Why the last answer was none, for the operator.
        var problem: String?
    }

    private var entries: [Int32: Entry] = [:]
    /// Names by the time they are due, roughly: an entry may stand here with an older time than its own, and is then passed over.
    private var queue = DueQueue()
    private(set) var underWay = 0

    var count: Int { entries.count }
    /// How many names have no address, for now.
    private(set) var unresolvedCount = 0

    mutating func add(_ slot: NameSlot, _ name: DomainName, now: UInt64) {
        unresolvedCount += 1
        entries[slot.index] = Entry(slot: slot, name: name, due: now)
        queue.insert(slot.index, at: now)
    }

    mutating func remove(_ slot: NameSlot) {
        guard let entry = entries[slot.index], entry.slot == slot else { return }
        if entry.isUnderWay { underWay -= 1 }
        if entry.status != .known { unresolvedCount -= 1 }
        entries[slot.index] = nil
    }

    /// Somebody could not connect to any of the name's addresses.
    mutating func doubted(_ slot: NameSlot, now: UInt64) {
        guard let entry = entries[slot.index], entry.slot == slot, !entry.isUnderWay else { return }
        setDue(slot.index, max(now, entry.askedAt + NameSchedule.doubtInterval), onlyEarlier: true)
    }

    /// The names to ask about now. Each counts as under way until `answered`.
    mutating func takeDue(now: UInt64) -> [(slot: NameSlot, name: DomainName)] {
        var due: [(slot: NameSlot, name: DomainName)] = []
        while underWay < NameSchedule.mostUnderWay, let (index, time) = queue.popFirst(before: now) {
            guard let entry = entries[index], !entry.isUnderWay, entry.due == time else { continue }
            entries[index]?.isUnderWay = true
            entries[index]?.askedAt = now
            underWay += 1
            due.append((entry.slot, entry.name))
        }
        return due
    }

    /// When `takeDue` will have something again, if nothing else happens.
    var nextDue: UInt64? { underWay < NameSchedule.mostUnderWay ? queue.first : nil }

    /// Takes an answer in. The update to tell the workers, or nil when nothing has changed for them.
    mutating func answered(_ slot: NameSlot, _ answer: NameAnswer, now: UInt64) -> Update? {
        guard var entry = entries[slot.index], entry.slot == slot, entry.isUnderWay else { return nil }
        entry.isUnderWay = false
        underWay -= 1
        let before = (entry.status, entry.addresses)
        switch answer {
        case .addresses(let addresses, let seconds):
            entry.status = .known
            entry.addresses = addresses
            entry.failures = 0
            entry.nothingSince = nil
            entry.problem = nil
            entry.due = now + min(max(UInt64(seconds) * 1000, NameSchedule.shortestTTL), NameSchedule.longestTTL)
        case .nothing(let problem):
            let since = entry.nothingSince ?? now
            entry.nothingSince = since
            entry.problem = problem
            if entry.status != .known || now - since >= NameSchedule.nothingPatience {
                entry.status = .unresolved
                entry.addresses = []
            }
            entry.due = now + retry(&entry)
        case .failed(let problem):
            entry.problem = problem
            if entry.status == .unknown { entry.status = .unresolved }
            entry.due = now + retry(&entry)
        }
        entries[slot.index] = entry
        if before.0 != .known { unresolvedCount -= 1 }
        if entry.status != .known { unresolvedCount += 1 }
        queue.insert(slot.index, at: entry.due)
        guard before != (entry.status, entry.addresses) else { return nil }
        return Update(slot: slot, status: entry.status, addresses: entry.addresses)
    }

    /// Everything that is known, for when the endpoint policy has changed and each address has to be judged again.
    var all: [Update] {
        entries.values.filter { $0.status != .unknown }.map {
            Update(slot: $0.slot, status: $0.status, addresses: $0.addresses)
        }
    }

    private func retry(_ entry: inout Entry) -> UInt64 {
        let wait = min(NameSchedule.shortestTTL << UInt64(min(entry.failures, 10)), NameSchedule.longestRetry)
        entry.failures += 1
        return wait
    }

    private mutating func setDue(_ index: Int32, _ time: UInt64, onlyEarlier: Bool) {
        guard let entry = entries[index], !onlyEarlier || time < entry.due else { return }
        entries[index]?.due = time
        queue.insert(index, at: time)
    }
}
