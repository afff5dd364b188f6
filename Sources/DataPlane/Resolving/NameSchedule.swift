import Domain
import Syscalls

/// Which names are to be asked about next, in which family, and what is known of them. Pure; time is passed in, in milliseconds.
///
///                      ┌────────────────────────────── answered ◀─────────────────────────────┐
///                      ▼                                                                      │
///     waiting ──due──▶ in line ──its turn, and a place──▶ under way: young ──a while──▶ slow ─┤
///        ▲                └──────(it failed before)─────▶ under way: brief ───────────────────┤
///        └── a TTL, or a back-off ◀── failed ◀──────────────── given up ◀─────────────────────┘
///
/// Nobody is starved:
/// 1. A question that is not answered promptly gives its place to the next and goes on beside it. So names that nobody answers for hold no
///    place of those that somebody does.
/// 2. A family that has failed is asked again after a back-off, among others like it, in few places of their own.
/// 3. The lines have turns in a fixed pattern, and within each line the owners have turns: nobody's questions, however many, come
///    before all of another's.
struct NameSchedule {
    /// Never ask more often than once a second, whatever TTL an endpoint's zone has; a resolver also hands out 0.
    static let shortestTTL: UInt64 = 1000
    /// Never trust an answer for longer than five minutes: a customer who has moved does not want to hear of last week's TTL.
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

    /// 32 questions a millisecond: 16 names in both families, so that 10,000 names are asked in less than a second. A name server answers
    /// 100,000 a second from memory.
    static let pace: UInt64 = 32
    /// At most so many at once: the receive buffer of a name server holds some 270 (208 KiB, of which the kernel counts 768 octets for each).
    static let burst: UInt64 = 256
    /// For how long a question has a place of its own: an answer that is at hand comes in a millisecond, and one from the other side of the
    /// Earth in a quarter of a second.
    static let prompt: UInt64 = 250
    /// What the pace comes to in that time: 4096 names in both families.
    static let mostYoung = 8192
    /// Questions that wait on for a late answer. Each costs about 1 KB in c-ares; beyond these the oldest is given up.
    static let mostSlow = 16_384
    /// A name server that takes longer than that is as good as dead, and the last good answer serves meanwhile.
    static let patience: UInt64 = 4000
    /// Questions about families that have failed: an eighth of the places. 10,000 dead names are asked about once in 80 s.
    static let mostBrief = 512
    static let briefPatience: UInt64 = 2000

    /// While nobody answers, at all, families with addresses are asked more often than their back-off says: all together so many times
    /// in a millisecond, and each at most once a second. So a name server that is back is noticed at once.
    static let silentRetryEach: UInt64 = 2
    /// From when on silence is no accident: what has failed in it starts anew when it ends.
    static let outage: UInt64 = 3000

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

    /// Where those stand that wait for their turn, the most urgent first.
    private enum Line: Int, CaseIterable {
        /// Somebody has needed the name in the last minute, and not got it.
        case wanted
        /// Never answered.
        case first
        /// The TTL is over.
        case refresh
        /// Failed, and serving with what was good once, or wanted.
        case stale
        /// Failed, and never known, or not for days.
        case dead

        var isBrief: Bool { self == .stale || self == .dead }
    }

    /// Whose turn it is, sixteen after each other; a line that is empty gives its turn to the most urgent that is not.
    private static let turns: [Line] = [
        .wanted, .first, .wanted, .refresh, .first, .wanted, .refresh, .stale,
        .wanted, .first, .wanted, .refresh, .first, .wanted, .refresh, .dead,
    ]

    private enum Stage: Equatable {
        case waiting
        case inLine(Line)
        case young, slow, brief

        var isUnderWay: Bool { self == .young || self == .slow || self == .brief }
    }

    /// The question about one family of one name.
    private struct Asking {
        var stage = Stage.waiting
        /// Another with each change of stage, so that what stands in a queue and is no longer so is known.
        var serial: UInt32 = 0
        var askedAt: UInt64?
        /// When it is asked next; while it waits.
        var due: UInt64 = 0
        /// Answers without addresses in a row.
        var misses = 0
        var failingSince: UInt64?

        func token(of key: Key) -> UInt64 { UInt64(serial) << 32 | UInt64(UInt32(bitPattern: key.number)) }
    }

    private struct Entry {
        let slot: NameSlot
        let name: DomainName
        let owner: Int32
        let addedAt: UInt64
        var record = NameRecord()
        var askings = InlineArray<2, Asking>(repeating: Asking())
        var wantedAt: UInt64?
        /// What the workers were told.
        var told: (status: EndpointAddresses.Status, addresses: [Address]) = (.unknown, [])
        /// Until when a change is kept back for the other family.
        var heldUntil: UInt64?
    }

    /// A question in one of the queues.
    private struct Place {
        let key: Int32
        let serial: UInt32
    }

    private var entries: [Int32: Entry] = [:]
    /// Questions by the time they are due: one may stand here with an older time than its own, and is then passed over.
    private var queue = DueQueue()
    private var lines = [FairLine<Place>](repeating: FairLine(), count: Line.allCases.count)
    private var turn = 0
    // In the order in which they were asked.
    private var young = Fifo<(place: Place, since: UInt64)>()
    private var slow = Fifo<(place: Place, since: UInt64)>()
    private var brief = Fifo<(place: Place, since: UInt64)>()
    private var held = Fifo<(slot: NameSlot, until: UInt64)>()
    private var stages = (young: 0, slow: 0, brief: 0, inLine: 0)
    private var nextSerial: UInt32 = 0
    private var budget: UInt64 = NameSchedule.burst
    private var budgetAt: UInt64 = 0
    private var updates: [NameSlot: Update] = [:]
    private var dice: Dice

    /// When an answer was last heard, of addresses or of nothing.
    private var heardAt: UInt64?
    /// Failures since.
    private var failuresUnheard = 0
    /// Those that answered last, to be asked when others fail: are we deaf, or are they mute?
    private var witnesses: [Int32] = []
    private var witnessAskedAt: UInt64 = 0
    private static let mostWitnesses = 8

    private(set) var counts = Counts()
    /// How many names have no address, for now.
    private(set) var unresolvedCount = 0
    /// Names that lack something, as `NameRecord.isTroubled` has it.
    private var troubled: Set<Int32> = []
    private var failingCount = 0

    /// `seed` is for the jitter.
    init(seed: UInt64 = .random(in: 1 ... .max)) { dice = Dice(state: seed) }

    var count: Int { entries.count }
    var underWay: Int { stages.young + stages.slow + stages.brief }
    /// How many are due and have had no turn.
    var inLine: Int { stages.inLine }
    var troubledCount: Int { troubled.count }

    // MARK: Names

    /// `owner` is whoever shares his turns among all his names.
    mutating func add(_ slot: NameSlot, _ name: DomainName, owner: Int32, now: UInt64) {
        unresolvedCount += 1
        entries[slot.index] = Entry(slot: slot, name: name, owner: owner, addedAt: now)
        for family in [Address.Family.ipv6, .ipv4] { wait(Key(slot.index, family), until: now) }
    }

    mutating func remove(_ slot: NameSlot) {
        guard let entry = entries[slot.index], entry.slot == slot else { return }
        for family in [Address.Family.ipv6, .ipv4] { leave(Key(slot.index, family)) }
        if entry.told.status != .known { unresolvedCount -= 1 }
        failingCount -= failing(entry)
        troubled.remove(slot.index)
        updates[slot] = nil
        entries[slot.index] = nil
    }

    /// Somebody could not connect to any of the name's addresses, or it has none, or none yet.
    mutating func doubted(_ slot: NameSlot, now: UInt64) {
        guard entries[slot.index]?.slot == slot else { return }
        entries[slot.index]?.wantedAt = now
        for family in [Address.Family.ipv6, .ipv4] {
            let key = Key(slot.index, family)
            guard let asking = self[key] else { continue }
            switch asking.stage {
            case .waiting:
                let pause = asking.failingSince == nil ? NameSchedule.doubtInterval : NameSchedule.wantedRetry
                let time = max(now, asking.askedAt.map { $0 + pause } ?? now)
                if time < asking.due { wait(key, until: time) }
            case .inLine(let line):
                // It may stand in a more urgent line now.
                if let better = self.line(for: key, now: now), better.rawValue < line.rawValue { enter(key, now: now) }
            case .young, .slow, .brief: break
            }
        }
    }

    /// Other name servers are asked from now on: what failed with those before means nothing, nor does what is under way.
    mutating func startAnew(now: UInt64) {
        for (index, entry) in entries {
            for family in [Address.Family.ipv6, .ipv4] {
                let key = Key(index, family)
                guard entry.askings[key.half].stage.isUnderWay || entry.askings[key.half].failingSince != nil else {
                    continue
                }
                forgive(key, now: now)
            }
        }
        (heardAt, failuresUnheard) = (nil, 0)
    }

    // MARK: Questions

    /// The questions to ask now. Each counts as under way until `answered`, or until it is given up.
    mutating func take(now: UInt64) -> [Question] {
        while let (number, time) = queue.popFirst(before: now) {
            let key = Key(number: number)
            if let asking = self[key], asking.stage == .waiting, asking.due == time { enter(key, now: now) }
        }
        budget = min(NameSchedule.burst, budget + (now - min(now, budgetAt)) * NameSchedule.pace)
        budgetAt = now
        var questions: [Question] = []
        while budget > 0, let key = popFirst(now: now) {
            guard let question = begin(key, now: now) else { continue }
            budget -= 1
            questions.append(question)
        }
        return questions
    }

    /// When there is something to do again, if nothing else happens.
    func nextEvent(now: UInt64) -> UInt64 {
        var next = queue.first ?? .max
        if stages.inLine > 0, lines.indices.contains(where: { isOpen($0) }) {
            // A millisecond has its share of the pace.
            next = min(next, now + 1)
        }
        if let first = young.first { next = min(next, first.since + NameSchedule.prompt) }
        if let first = slow.first { next = min(next, first.since + NameSchedule.patience) }
        if let first = brief.first { next = min(next, first.since + NameSchedule.briefPatience) }
        if let first = held.first { next = min(next, first.until) }
        return next
    }

    /// Time has gone by: questions become slow or are given up, changes have waited for the other family long enough.
    mutating func passed(now: UInt64) {
        while let first = young.first,
            first.since + NameSchedule.prompt <= now || self[Key(first.place)]?.serial != first.place.serial
        {
            _ = young.popFirst()
            let key = Key(first.place)
            guard self[key]?.serial == first.place.serial else { continue }
            setStage(key, .slow)
            if let serial = self[key]?.serial { slow.append((Place(key: key.number, serial: serial), first.since)) }
        }
        while let first = slow.first,
            first.since + NameSchedule.patience <= now || stages.slow > NameSchedule.mostSlow
                || self[Key(first.place)]?.serial != first.place.serial
        {
            _ = slow.popFirst()
            giveUp(first.place, now: now)
        }
        while let first = brief.first,
            first.since + NameSchedule.briefPatience <= now || self[Key(first.place)]?.serial != first.place.serial
        {
            _ = brief.popFirst()
            giveUp(first.place, now: now)
        }
        while let first = held.first, first.until <= now {
            _ = held.popFirst()
            if entries[first.slot.index]?.slot == first.slot { tell(first.slot.index, now: now) }
        }
    }

    private mutating func giveUp(_ place: Place, now: UInt64) {
        let key = Key(place)
        guard let asking = self[key], asking.serial == place.serial else { return }
        settle(key, .failed(.timedOut), now: now)
    }

    /// Takes an answer in. One to a question that has been given up, or whose name has gone, changes nothing.
    mutating func answered(_ token: UInt64, _ answer: NameAnswer, now: UInt64) {
        let key = Key(number: Int32(truncatingIfNeeded: token))
        guard let asking = self[key], asking.stage.isUnderWay, asking.token(of: key) == token else { return }
        settle(key, answer, now: now)
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
        let since = troubled.map { index in
            (index: index, time: entries[index].map { $0.record.confirmedAt ?? $0.addedAt } ?? now)
        }
        return since.sorted { $0.time < $1.time }.prefix(most).compactMap { index, time in
            guard let entry = entries[index] else { return nil }
            return NameTrouble(
                name: entry.name.text, isServing: entry.record.status == .known, age: now - min(now, time),
                failure: entry.record.failure?.reason,
                failureAge: entry.record.failure.map { now - min(now, $0.at) } ?? 0)
        }
    }

    // MARK: Turns

    /// Whether somebody stands there who could be asked about now.
    private func isOpen(_ line: Int) -> Bool {
        guard !lines[line].isEmpty else { return false }
        return Line(rawValue: line)?.isBrief == true
            ? stages.brief < NameSchedule.mostBrief : stages.young < NameSchedule.mostYoung
    }

    /// The next that has its turn, and a place.
    private mutating func popFirst(now: UInt64) -> Key? {
        guard stages.inLine > 0 else { return nil }
        while true {
            var line = NameSchedule.turns[turn].rawValue
            if !isOpen(line) {
                guard let other = lines.indices.first(where: { isOpen($0) }) else { return nil }
                line = other
            }
            turn = (turn + 1) % NameSchedule.turns.count
            guard let place = lines[line].popFirst() else { continue }
            let key = Key(place)
            if self[key]?.serial == place.serial { return key }
        }
    }

    private func line(for key: Key, now: UInt64) -> Line? {
        guard let entry = entries[key.index] else { return nil }
        let asking = entry.askings[key.half]
        let isWanted = entry.wantedAt.map { now - min(now, $0) < NameSchedule.wantedFor } ?? false
        if asking.failingSince != nil {
            return !entry.record[key.family].addresses.isEmpty || isWanted && entry.record.status != .known
                ? .stale : .dead
        }
        if isWanted { return .wanted }
        let record = entry.record[key.family]
        return record.last == .none || record.last.isFailure && record.addresses.isEmpty ? .first : .refresh
    }

    // MARK: Stages

    private mutating func wait(_ key: Key, until due: UInt64) {
        setStage(key, .waiting)
        entries[key.index]?.askings[key.half].due = due
        queue.insert(key.number, at: due)
    }

    private mutating func enter(_ key: Key, now: UInt64) {
        guard let line = line(for: key, now: now), let owner = entries[key.index]?.owner else { return }
        setStage(key, .inLine(line))
        guard let serial = self[key]?.serial else { return }
        lines[line.rawValue].append(Place(key: key.number, serial: serial), of: owner)
    }

    private mutating func begin(_ key: Key, now: UInt64) -> Question? {
        guard let asking = self[key], let name = entries[key.index]?.name else { return nil }
        let isBrief = asking.failingSince != nil
        setStage(key, isBrief ? .brief : .young)
        entries[key.index]?.askings[key.half].askedAt = now
        guard let begun = self[key] else { return nil }
        let place = Place(key: key.number, serial: begun.serial)
        if isBrief { brief.append((place, now)) } else { young.append((place, now)) }
        counts.questions += 1
        return Question(
            token: begun.token(of: key), name: name, family: key.family, patience: isBrief ? .brief : .usual)
    }

    private mutating func setStage(_ key: Key, _ stage: Stage) {
        leave(key)
        count(stage, 1)
        // The token of a question goes on when it becomes slow: its answer is as good.
        if stage != .slow {
            nextSerial &+= 1
            entries[key.index]?.askings[key.half].serial = nextSerial
        }
        entries[key.index]?.askings[key.half].stage = stage
    }

    private mutating func leave(_ key: Key) {
        guard let stage = self[key]?.stage else { return }
        count(stage, -1)
        entries[key.index]?.askings[key.half].stage = .waiting
    }

    private mutating func count(_ stage: Stage, _ change: Int) {
        switch stage {
        case .waiting: break
        case .inLine: stages.inLine += change
        case .young: stages.young += change
        case .slow: stages.slow += change
        case .brief: stages.brief += change
        }
    }

    private subscript(_ key: Key) -> Asking? { entries[key.index]?.askings[key.half] }

    // MARK: Answers

    private mutating func settle(_ key: Key, _ answer: NameAnswer, now: UInt64) {
        guard let before = entries[key.index] else { return }
        failingCount -= failing(before)
        entries[key.index]?.record.answered(key.family, answer, now: now)
        let wait: UInt64
        switch answer {
        case .addresses(_, let seconds):
            counts.addresses += 1
            entries[key.index]?.askings[key.half].misses = 0
            entries[key.index]?.askings[key.half].failingSince = nil
            wait = min(max(UInt64(seconds) * 1000, NameSchedule.shortestTTL), NameSchedule.longestTTL)
        case .nothing:
            counts.nothing += 1
            entries[key.index]?.askings[key.half].failingSince = nil
            wait = nothingWait(key)
        case .failed(let reason):
            counts.failures[reason, default: 0] += 1
            if before.askings[key.half].failingSince == nil { entries[key.index]?.askings[key.half].failingSince = now }
            wait = failureWait(key, now: now)
        }
        self.wait(key, until: now + wait)
        if let entry = entries[key.index] {
            failingCount += failing(entry)
            if entry.record.isTroubled { troubled.insert(key.index) } else { troubled.remove(key.index) }
        }
        if case .failed = answer { failed(now: now) } else { heard(key, now: now) }
        tell(key.index, now: now)
    }

    private func failing(_ entry: Entry) -> Int {
        (entry.askings[0].failingSince != nil ? 1 : 0) + (entry.askings[1].failingSince != nil ? 1 : 0)
    }

    private mutating func missed(_ key: Key) -> UInt64 {
        let misses = self[key]?.misses ?? 0
        entries[key.index]?.askings[key.half].misses = min(misses + 1, 20)
        return NameSchedule.shortestTTL << UInt64(min(misses, 10))
    }

    private mutating func nothingWait(_ key: Key) -> UInt64 {
        let backOff = min(missed(key), NameSchedule.longestNothing)
        guard let record = entries[key.index]?.record else { return backOff }
        if record[key.family].addresses.isEmpty {
            // Most names have addresses in one family alone, and nothing is missing then.
            return record.status == .known ? NameSchedule.longestNothing : backOff
        }
        // It had addresses. Perhaps the name has moved to the other family, of which it is time to know.
        let other = key.other
        if let asking = self[other], asking.stage == .waiting, let askedAt = asking.askedAt,
            askedAt + NameSchedule.doubtInterval < asking.due, asking.failingSince == nil
        {
            wait(other, until: askedAt + NameSchedule.doubtInterval)
        }
        return backOff
    }

    private mutating func failureWait(_ key: Key, now: UInt64) -> UInt64 {
        let backOff = missed(key)
        guard let entry = entries[key.index] else { return backOff }
        let isStale = !entry.record[key.family].addresses.isEmpty
        var most = isStale ? NameSchedule.longestRetry : NameSchedule.longestDeadRetry
        let isWanted = entry.wantedAt.map { now - min(now, $0) < NameSchedule.wantedFor } ?? false
        if isWanted, entry.record.status != .known { most = NameSchedule.wantedRetry }
        let isSilent = (heardAt ?? 0) < (entry.askings[key.half].askedAt ?? 0)
        if isStale, isSilent {
            let share = UInt64(clamping: failingCount) * NameSchedule.silentRetryEach
            most = min(most, max(NameSchedule.doubtInterval, share))
        }
        // Those that failed together are not asked together again: between three quarters and five quarters of the back-off.
        let wait = min(backOff, most)
        return wait - wait / 4 + dice.roll(below: wait / 2 + 1)
    }

    // MARK: Silence

    /// Failures while others answer are those others' own. To know, one that has answered is asked.
    private mutating func failed(now: UInt64) {
        failuresUnheard += 1
        guard let heardAt, now >= heardAt + NameSchedule.doubtInterval,
            now >= witnessAskedAt + NameSchedule.doubtInterval
        else { return }
        witnessAskedAt = now
        while let witness = witnesses.popLast() {
            let key = Key(number: witness)
            guard let asking = self[key], asking.failingSince == nil else { continue }
            if asking.stage == .waiting { wait(key, until: now) }
            // In turn: one of them may have become mute itself.
            witnesses.insert(witness, at: 0)
            return
        }
    }

    private mutating func heard(_ key: Key, now: UInt64) {
        let before = heardAt
        heardAt = now
        if witnesses.last != key.number {
            witnesses.removeAll { $0 == key.number }
            witnesses.append(key.number)
            if witnesses.count > NameSchedule.mostWitnesses { witnesses.removeFirst() }
        }
        guard failuresUnheard > 0 else { return }
        failuresUnheard = 0
        // What has failed while nobody answered starts anew, and at once.
        guard now - (before ?? 0) >= NameSchedule.outage else { return }
        for (index, entry) in entries {
            for family in [Address.Family.ipv6, .ipv4] {
                let key = Key(index, family)
                guard let since = entry.askings[key.half].failingSince, since > before ?? 0 else { continue }
                forgive(key, now: now)
            }
        }
    }

    private mutating func forgive(_ key: Key, now: UInt64) {
        if self[key]?.failingSince != nil { failingCount -= 1 }
        entries[key.index]?.askings[key.half].failingSince = nil
        entries[key.index]?.askings[key.half].misses = 0
        wait(key, until: now)
    }

    // MARK: Updates

    /// Tells the workers what has changed, if anything has, unless the other family is about to be known.
    private mutating func tell(_ index: Int32, now: UInt64) {
        guard let entry = entries[index] else { return }
        let (status, addresses) = (entry.record.status, entry.record.addresses)
        guard entry.told != (status, addresses) else {
            entries[index]?.heldUntil = nil
            return
        }
        if entry.askings[0].stage.isUnderWay || entry.askings[1].stage.isUnderWay {
            guard let until = entry.heldUntil else {
                let until = now + NameRecord.resolutionDelay
                entries[index]?.heldUntil = until
                return held.append((entry.slot, until))
            }
            guard now >= until else { return }
        }
        if (entry.told.status == .known) != (status == .known) { unresolvedCount += status == .known ? -1 : 1 }
        entries[index]?.heldUntil = nil
        entries[index]?.told = (status, addresses)
        updates[entry.slot] = Update(slot: entry.slot, status: status, addresses: addresses)
    }
}

extension NameSchedule {
    /// A name and a family, as a number.
    private struct Key {
        let number: Int32

        init(number: Int32) { self.number = number }
        init(_ place: Place) { number = place.key }
        init(_ index: Int32, _ family: Address.Family) { number = index << 1 | (family == .ipv4 ? 1 : 0) }

        var index: Int32 { number >> 1 }
        /// The place in `Entry.askings`.
        var half: Int { Int(number & 1) }
        var family: Address.Family { number & 1 == 1 ? .ipv4 : .ipv6 }
        var other: Key { Key(number: number ^ 1) }
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
