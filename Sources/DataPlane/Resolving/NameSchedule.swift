import Domain
import Syscalls

/// Which names are to be asked about next, in which family, and what is known of them. Pure; time is passed in, in
/// milliseconds.
///
///     waiting ──due──▶ has its turns (`QuestionTurns`) ──answered, or given up──▶ judged (`NameRecord`) ──┐
///        ▲                                                                                                │
///        └──────────────────────── a TTL, or a back-off ──────────────────────────────────────────────────┘
///
/// Nobody is starved:
/// 1. A question that is not answered promptly gives its place to the next and goes on beside it. So names that nobody
/// answers for hold no
///    place of those that somebody does.
/// 2. A family that has failed is asked again after a back-off, among others like it, in few places of their own.
/// 3. The lines have turns in a fixed pattern, and within each line the owners have turns: nobody's questions, however
/// many, come
///    before all of another's.
struct NameSchedule {
    /// Never ask more often than once a second, whatever TTL an endpoint's zone has; a resolver also hands out 0.
    static let shortestTTL: UInt64 = 1000
    /// Never trust an answer for longer than five minutes: a customer who has moved does not want to hear of last
    /// week's TTL.
    static let longestTTL: UInt64 = 300_000
    /// Until a family that has nothing is asked about again, at most.
    static let longestNothing: UInt64 = 30_000
    /// The longest back-off of a family that has addresses, if stale ones, and of one that has none.
    static let longestRetry: UInt64 = 30_000
    static let longestDeadRetry: UInt64 = 60_000
    /// The longest back-off of a name that somebody has needed in the last minute and not got.
    static let wantedRetry: UInt64 = 5000
    static let wantedFor: UInt64 = 60_000
    /// After a connect failure the name is asked again at once, but not more often than this.
    static let doubtInterval: UInt64 = 1000
    /// While nobody answers, at all, families with addresses are asked more often than their back-off says: each after
    /// so many milliseconds for each that fails, but a second at least. So a name server that is back is noticed at
    /// once.
    static let silentRetryEach: UInt64 = 2

    /// The addresses of a name have become known, changed, or gone.
    struct Update: Equatable {
        let slot: NameSlot
        let status: EndpointAddresses.Status
        let addresses: [Address]
    }

    struct Question: Equatable {
        /// Comes back with its answer.
        let token: UInt64
        let name: DomainName
        let family: Address.Family
        let patience: QuestionPatience
    }

    /// What has happened so far.
    struct Counts: Equatable, Sendable {
        var questions: UInt64 = 0
        var addresses: UInt64 = 0
        var nothing: UInt64 = 0
        var failures: [NameFailure: UInt64] = [:]
    }

    private final class Entry {
        let slot: NameSlot
        let name: DomainName
        let addedAt: UInt64
        let ipv6: Asking
        let ipv4: Asking
        var record = NameRecord()
        var wantedAt: UInt64?
        /// What the workers were told.
        var told: (status: EndpointAddresses.Status, addresses: [Address]) = (.unknown, [])
        /// Until when a change is kept back for the other family.
        var heldUntil: UInt64?

        init(_ slot: NameSlot, _ name: DomainName, owner: Int32, now: UInt64) {
            (self.slot, self.name, addedAt) = (slot, name, now)
            ipv6 = Asking(slot.index, .ipv6, name, owner: owner)
            ipv4 = Asking(slot.index, .ipv4, name, owner: owner)
        }

        func isWanted(now: UInt64) -> Bool { wantedAt.map { now - min(now, $0) < NameSchedule.wantedFor } ?? false }
        func other(than asking: Asking) -> Asking { asking === ipv6 ? ipv4 : ipv6 }
    }

    private var entries: [Int32: Entry] = [:]
    /// Questions by the time they are due: one may stand here with an older time than its own, and is then passed over.
    private var queue = DueQueue()
    private var turns = QuestionTurns()
    private var hearing = Hearing()
    private var held = Fifo<(entry: Entry, until: UInt64)>()
    private var updates: [NameSlot: Update] = [:]
    private var dice: Dice

    private(set) var counts = Counts()
    /// How many names have no address, for now.
    private(set) var unresolvedCount = 0
    /// Names that lack something, as `NameRecord.isTroubled` has it.
    private var troubled: Set<Int32> = []
    private var failingCount = 0

    /// `seed` is for the jitter.
    init(seed: UInt64 = .random(in: 1 ... .max)) { dice = Dice(state: seed) }

    var count: Int { entries.count }
    var underWay: Int { turns.underWay }
    /// How many questions are due and have had no turn.
    var inLine: Int { turns.inLine }
    var troubledCount: Int { troubled.count }

    // MARK: Names

    /// `owner` is whoever shares his turns among all his names.
    mutating func add(_ slot: NameSlot, _ name: DomainName, owner: Int32, now: UInt64) {
        let entry = Entry(slot, name, owner: owner, now: now)
        entries[slot.index] = entry
        unresolvedCount += 1
        for asking in [entry.ipv6, entry.ipv4] { wait(asking, until: now) }
    }

    mutating func remove(_ slot: NameSlot) {
        guard let entry = entries[slot.index], entry.slot == slot else { return }
        for asking in [entry.ipv6, entry.ipv4] {
            turns.leave(asking)
            hearing.forget(asking)
            if asking.failingSince != nil { failingCount -= 1 }
        }
        if entry.told.status != .known { unresolvedCount -= 1 }
        troubled.remove(slot.index)
        updates[slot] = nil
        entries[slot.index] = nil
    }

    /// Somebody could not connect to any of the name's addresses, or it has none, or none yet.
    mutating func doubted(_ slot: NameSlot, now: UInt64) {
        guard let entry = entries[slot.index], entry.slot == slot else { return }
        entry.wantedAt = now
        for asking in [entry.ipv6, entry.ipv4] {
            switch asking.stage {
            case .away:
                let pause = asking.failingSince == nil ? NameSchedule.doubtInterval : NameSchedule.wantedRetry
                let time = max(now, asking.askedAt.map { $0 + pause } ?? now)
                if time < asking.due { wait(asking, until: time) }
            case .inLine(let line):
                // It may stand in a more urgent line now.
                let better = self.line(for: asking, of: entry, now: now)
                if better.rawValue < line.rawValue { turns.enter(asking, better, now: now) }
            case .young, .slow, .brief: break
            }
        }
    }

    /// Other name servers are asked from now on: what failed with those before means nothing, nor does what is under
    /// way.
    mutating func startAnew(now: UInt64) {
        hearing.startAnew()
        for entry in entries.values {
            for asking in [entry.ipv6, entry.ipv4] where asking.stage.isUnderWay || asking.failingSince != nil {
                forgive(asking, now: now)
            }
        }
    }

    // MARK: Questions

    /// The questions to ask now. Each counts as under way until `answered`, or until it is given up.
    mutating func draw(now: UInt64) -> [Question] {
        while let (number, time) = queue.popFirst(before: now) {
            guard let (entry, asking) = find(number), asking.stage == .away, asking.due == time else { continue }
            turns.enter(asking, line(for: asking, of: entry, now: now), now: now)
        }
        let taken = turns.draw(now: now)
        counts.questions += UInt64(taken.count)
        return taken.map { asking in
            Question(
                token: asking.token, name: asking.name, family: asking.family,
                patience: asking.stage == .brief ? .brief : .usual)
        }
    }

    /// When there is something to do again, if nothing else happens.
    func nextEvent(now: UInt64) -> UInt64 {
        min(queue.first ?? .max, turns.nextEvent(now: now), held.first?.until ?? .max)
    }

    /// Time has gone by: questions are given up, changes have waited for the other family long enough.
    mutating func passed(now: UInt64) {
        for asking in turns.passed(now: now) { settle(asking, .failed(.timedOut), now: now) }
        while let first = held.first, first.until <= now {
            _ = held.popFirst()
            tell(first.entry, now: now)
        }
    }

    /// Takes an answer in. One to a question that has been given up, or whose name has gone, changes nothing.
    mutating func answered(_ token: UInt64, _ answer: NameAnswer, now: UInt64) {
        guard let (_, asking) = find(Asking.number(in: token)), asking.stage.isUnderWay, asking.token == token else {
            return
        }
        settle(asking, answer, now: now)
    }

    /// What has changed for the workers since the last time.
    mutating func takeUpdates() -> [Update] {
        guard !updates.isEmpty else { return [] }
        let all = Array(updates.values)
        updates = [:]
        return all
    }

    /// Everything that is known, for when the endpoint policy has changed and each address has to be judged again.
    var all: [Update] {
        entries.values.filter { $0.told.status != .unknown }.map {
            Update(slot: $0.slot, status: $0.told.status, addresses: $0.told.addresses)
        }
    }

    /// Names that lack something, those without a good answer for longest first.
    func troubles(atMost most: Int, now: UInt64) -> [NameTrouble] {
        let since = troubled.compactMap { index in
            entries[index].map { (entry: $0, time: $0.record.confirmedAt ?? $0.addedAt) }
        }
        return since.sorted { $0.time < $1.time }.prefix(most).map { entry, time in
            NameTrouble(
                name: entry.name.text, isServing: entry.record.status == .known, age: now - min(now, time),
                failure: entry.record.failure?.reason,
                failureAge: entry.record.failure.map { now - min(now, $0.at) } ?? 0)
        }
    }

    private func find(_ number: Int32) -> (Entry, Asking)? {
        guard let entry = entries[number >> 1] else { return nil }
        return (entry, number & 1 == 0 ? entry.ipv6 : entry.ipv4)
    }

    private func line(for asking: Asking, of entry: Entry, now: UInt64) -> QuestionTurns.Line {
        let record = entry.record[asking.family]
        let isWanted = entry.isWanted(now: now)
        if asking.failingSince != nil {
            return !record.addresses.isEmpty || isWanted && entry.record.status != .known ? .stale : .dead
        }
        if isWanted { return .wanted }
        return record.last == .none || record.last.isFailure && record.addresses.isEmpty ? .first : .refresh
    }

    private mutating func wait(_ asking: Asking, until due: UInt64) {
        turns.leave(asking)
        asking.due = due
        queue.insert(asking.number, at: due)
    }

    // MARK: Answers

    private mutating func settle(_ asking: Asking, _ answer: NameAnswer, now: UInt64) {
        guard let entry = entries[asking.index] else { return }
        let failingSince = asking.failingSince
        entry.record.answered(asking.family, answer, now: now)
        if case .failed(let reason) = answer {
            counts.failures[reason, default: 0] += 1
            if failingSince == nil {
                asking.failingSince = now
                failingCount += 1
            }
        } else if failingSince != nil {
            asking.failingSince = nil
            failingCount -= 1
        }
        switch answer {
        case .addresses(_, let seconds):
            counts.addresses += 1
            asking.misses = 0
            let ttl = min(max(UInt64(seconds) * 1000, NameSchedule.shortestTTL), NameSchedule.longestTTL)
            wait(asking, until: now + ttl)
            postponeNothing(entry.other(than: asking), of: entry)
        case .nothing:
            counts.nothing += 1
            wait(asking, until: now + nothingWait(asking, of: entry))
        case .failed: wait(asking, until: now + failureWait(asking, of: entry, now: now))
        }
        if entry.record.isTroubled { troubled.insert(asking.index) } else { troubled.remove(asking.index) }
        if case .failed = answer {
            if let witness = hearing.failed(now: now), witness.stage == .away { wait(witness, until: now) }
        } else if let since = hearing.heard(asking, failingSince: failingSince, now: now) {
            startAnew(after: since, now: now)
        }
        tell(entry, now: now)
    }

    /// What has failed since nobody was heard is asked at once, as if it had not.
    private mutating func startAnew(after since: UInt64, now: UInt64) {
        for entry in entries.values {
            for asking in [entry.ipv6, entry.ipv4] {
                if let failingSince = asking.failingSince, failingSince > since { forgive(asking, now: now) }
            }
        }
    }

    private mutating func forgive(_ asking: Asking, now: UInt64) {
        if asking.failingSince != nil { failingCount -= 1 }
        asking.failingSince = nil
        asking.misses = 0
        wait(asking, until: now)
    }

    /// The pause after another answer without addresses: 1 s, 2 s, 4 s and so on.
    private func missed(_ asking: Asking) -> UInt64 {
        let pause = NameSchedule.shortestTTL << min(asking.misses, 10)
        asking.misses += 1
        return pause
    }

    private mutating func nothingWait(_ asking: Asking, of entry: Entry) -> UInt64 {
        let backOff = min(missed(asking), NameSchedule.longestNothing)
        // Most names have addresses in one family alone, and nothing is missing then.
        guard !entry.record[asking.family].addresses.isEmpty else {
            return entry.record.status == .known ? NameSchedule.longestNothing : backOff
        }
        // It had addresses. Perhaps the name has moved to the other family, of which it is time to know.
        let other = entry.other(than: asking)
        if other.stage == .away, other.failingSince == nil, let askedAt = other.askedAt {
            let time = askedAt + NameSchedule.doubtInterval
            if time < other.due { wait(other, until: time) }
        }
        return backOff
    }

    /// The other family has addresses, so that this one has none is no matter, though it was told first.
    private mutating func postponeNothing(_ asking: Asking, of entry: Entry) {
        let record = entry.record[asking.family]
        guard asking.stage == .away, record.last.isNothing, record.addresses.isEmpty, let askedAt = asking.askedAt,
            asking.due < askedAt + NameSchedule.longestNothing
        else { return }
        wait(asking, until: askedAt + NameSchedule.longestNothing)
    }

    private mutating func failureWait(_ asking: Asking, of entry: Entry, now: UInt64) -> UInt64 {
        let isStale = !entry.record[asking.family].addresses.isEmpty
        var most = isStale ? NameSchedule.longestRetry : NameSchedule.longestDeadRetry
        if entry.isWanted(now: now), entry.record.status != .known { most = NameSchedule.wantedRetry }
        if isStale, hearing.isSilent(since: asking.askedAt) {
            let share = UInt64(clamping: failingCount) * NameSchedule.silentRetryEach
            most = min(most, max(NameSchedule.doubtInterval, share))
        }
        // Those that failed together are not asked together again: between three quarters and five quarters of the
        // back-off.
        let wait = min(missed(asking), most)
        return wait - wait / 4 + dice.roll(below: wait / 2 + 1)
    }

    // MARK: Updates

    /// Tells the workers what has changed, if anything has, unless the other family is about to be known.
    private mutating func tell(_ entry: Entry, now: UInt64) {
        let (status, addresses) = (entry.record.status, entry.record.addresses)
        // It may have been removed, or another may have its slot.
        guard entries[entry.slot.index] === entry, entry.told != (status, addresses) else {
            entry.heldUntil = nil
            return
        }
        if entry.ipv6.stage.isUnderWay || entry.ipv4.stage.isUnderWay {
            guard let until = entry.heldUntil else {
                let until = now + NameRecord.resolutionDelay
                entry.heldUntil = until
                return held.append((entry, until))
            }
            guard now >= until else { return }
        }
        if (entry.told.status == .known) != (status == .known) { unresolvedCount += status == .known ? -1 : 1 }
        entry.heldUntil = nil
        entry.told = (status, addresses)
        updates[entry.slot] = Update(slot: entry.slot, status: status, addresses: addresses)
    }
}

/// A name that lacks something, for the operator. Times are in milliseconds.
struct NameTrouble: Sendable, Equatable {
    let name: String
    /// Whether it has addresses, if old ones.
    let isServing: Bool
    /// Since the last good answer or, when there never was one, since the name came.
    let age: UInt64
    /// Why there was no answer the last time, if ever that was so.
    let failure: NameFailure?
    /// Since then.
    let failureAge: UInt64
}

/// Numbers that need not be good, only spread: xorshift64 (Marsaglia).
private struct Dice {
    /// Not 0.
    var state: UInt64

    mutating func roll(below end: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return end == 0 ? 0 : state % end
    }
}
