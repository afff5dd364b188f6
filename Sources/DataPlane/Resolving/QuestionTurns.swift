import Domain

/// The question about one family of one name, which is asked again and again. The schedule's alone.
final class Asking {
    /// Of the name's slot and the family.
    let number: Int32
    let family: Address.Family
    let name: DomainName
    /// Whoever shares his turns among all his questions.
    let owner: Int32
    fileprivate(set) var stage = QuestionTurns.Stage.away
    /// Another with each change of stage, so that what stands in a queue and is no longer so is known.
    fileprivate(set) var serial: UInt32 = 0
    fileprivate(set) var askedAt: UInt64?
    /// When it is asked next; while it is away.
    var due: UInt64 = 0
    /// Answers without addresses in a row.
    var misses: UInt64 = 0
    var failingSince: UInt64?

    init(_ index: Int32, _ family: Address.Family, _ name: DomainName, owner: Int32) {
        number = index << 1 | (family == .ipv4 ? 1 : 0)
        self.family = family
        self.name = name
        self.owner = owner
    }

    var index: Int32 { number >> 1 }
    /// What a question under way is known by.
    var token: UInt64 { UInt64(serial) << 32 | UInt64(UInt32(bitPattern: number)) }

    /// The number that is in a token.
    static func number(in token: UInt64) -> Int32 { Int32(truncatingIfNeeded: token) }
}

/// Whose turn it is to be asked about, among the questions that are due, and how long each may take. Pure; time is
/// passed in, in milliseconds.
///
///     away ──enter──▶ in line ──its turn, and a place──▶ young ──a while──▶ slow ──patience──▶ given up
///       ▲                └──────(it failed before)─────▶ brief ────────────patience──────────▶ given up
///       └──leave── from anywhere: answered, given up, or gone
struct QuestionTurns {
    /// 32 questions a millisecond: 16 names in both families, so that 10,000 names are asked in less than a second. A
    /// name server answers 100,000 a second from memory.
    static let pace: UInt64 = 32
    /// At most so many at once: the receive buffer of a name server holds some 270 (208 KiB, of which the kernel counts
    /// 768 octets for each).
    static let burst: UInt64 = 256
    /// For how long a question has a place of its own: an answer that is at hand comes in a millisecond, and one from
    /// the other side of the Earth in a quarter of a second.
    static let prompt: UInt64 = 250
    /// What the pace comes to in that time: 4096 names in both families.
    static let mostYoung = 8192
    /// Questions that wait on for a late answer. Each costs about 1 KB in c-ares; beyond these the oldest is given up.
    static let mostSlow = 16_384
    /// A name server that takes longer than that is as good as dead, and the last good answer serves meanwhile.
    static let patience: UInt64 = 4000
    /// Questions about families that have failed: a sixteenth of the places. 10,000 dead names are asked about once in
    /// 80 s.
    static let mostBrief = 512
    static let briefPatience: UInt64 = 2000

    /// Where those stand that wait for their turn, the most urgent first.
    enum Line: Int, CaseIterable {
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

        fileprivate var isBrief: Bool { self == .stale || self == .dead }
    }

    enum Stage: Equatable {
        case away
        case inLine(Line)
        case young, slow, brief

        var isUnderWay: Bool { self == .young || self == .slow || self == .brief }
    }

    /// Whose turn it is, sixteen after each other; a line that is empty gives its turn to the most urgent that is not.
    private static let turns: [Line] = [
        .wanted, .first, .wanted, .refresh, .first, .wanted, .refresh, .stale,
        .wanted, .first, .wanted, .refresh, .first, .wanted, .refresh, .dead,
    ]

    /// A question in one of the queues, for as long as its serial is this.
    private struct Place {
        let asking: Asking
        let serial: UInt32
        let since: UInt64

        var isTaken: Bool { asking.serial == serial }
    }

    private var lines = [FairLine<Place>](repeating: FairLine(), count: Line.allCases.count)
    private var turn = 0
    // In the order in which they were asked.
    private var young = Fifo<Place>()
    private var slow = Fifo<Place>()
    private var brief = Fifo<Place>()
    private var counts = (young: 0, slow: 0, brief: 0, inLine: 0)
    private var nextSerial: UInt32 = 0
    private var budget = QuestionTurns.burst
    private var budgetAt: UInt64 = 0

    var underWay: Int { counts.young + counts.slow + counts.brief }
    /// How many are due and have had no turn.
    var inLine: Int { counts.inLine }

    /// Puts a question at the end of a line, wherever it was before.
    mutating func enter(_ asking: Asking, _ line: Line, now: UInt64) {
        setStage(asking, .inLine(line))
        lines[line.rawValue].append(Place(asking: asking, serial: asking.serial, since: now), of: asking.owner)
    }

    /// Takes a question out, wherever it is.
    mutating func leave(_ asking: Asking) { setStage(asking, .away) }

    /// The questions to ask now, which are under way from now on.
    mutating func draw(now: UInt64) -> [Asking] {
        budget = min(QuestionTurns.burst, budget + (now - min(now, budgetAt)) * QuestionTurns.pace)
        budgetAt = now
        var taken: [Asking] = []
        while budget > 0, let (asking, line) = popFirst() {
            budget -= 1
            setStage(asking, line.isBrief ? .brief : .young)
            asking.askedAt = now
            let place = Place(asking: asking, serial: asking.serial, since: now)
            if line.isBrief { brief.append(place) } else { young.append(place) }
            taken.append(asking)
        }
        return taken
    }

    /// Time has gone by: the questions that nobody has answered in time. They are under way until they leave.
    mutating func passed(now: UInt64) -> [Asking] {
        while let first = young.first, first.since + QuestionTurns.prompt <= now || !first.isTaken {
            _ = young.popFirst()
            guard first.isTaken else { continue }
            setStage(first.asking, .slow)
            slow.append(first)
        }
        var late: [Asking] = []
        var surplus = counts.slow - QuestionTurns.mostSlow
        while let first = slow.first, first.since + QuestionTurns.patience <= now || surplus > 0 || !first.isTaken {
            _ = slow.popFirst()
            guard first.isTaken else { continue }
            surplus -= 1
            late.append(first.asking)
        }
        while let first = brief.first, first.since + QuestionTurns.briefPatience <= now || !first.isTaken {
            _ = brief.popFirst()
            if first.isTaken { late.append(first.asking) }
        }
        return late
    }

    /// When there is something to do again, if nothing else happens.
    func nextEvent(now: UInt64) -> UInt64 {
        var next = UInt64.max
        // A millisecond has its share of the pace.
        if counts.inLine > 0, lines.indices.contains(where: { isOpen($0) }) { next = now + 1 }
        if let first = young.first { next = min(next, first.since + QuestionTurns.prompt) }
        if let first = slow.first { next = min(next, first.since + QuestionTurns.patience) }
        if let first = brief.first { next = min(next, first.since + QuestionTurns.briefPatience) }
        return next
    }

    /// Whether somebody stands there who could be asked about now.
    private func isOpen(_ line: Int) -> Bool {
        guard !lines[line].isEmpty else { return false }
        return Line(rawValue: line)?.isBrief == true
            ? counts.brief < QuestionTurns.mostBrief : counts.young < QuestionTurns.mostYoung
    }

    /// The next that has its turn, and a place.
    private mutating func popFirst() -> (Asking, Line)? {
        guard counts.inLine > 0 else { return nil }
        while true {
            var line = QuestionTurns.turns[turn]
            if !isOpen(line.rawValue) {
                guard let other = Line.allCases.first(where: { isOpen($0.rawValue) }) else { return nil }
                line = other
            }
            turn = (turn + 1) % QuestionTurns.turns.count
            if let place = lines[line.rawValue].popFirst(), place.isTaken { return (place.asking, line) }
        }
    }

    private mutating func setStage(_ asking: Asking, _ stage: Stage) {
        count(asking.stage, -1)
        count(stage, 1)
        asking.stage = stage
        // The token of a question goes on when it becomes slow: its answer is as good.
        guard stage != .slow else { return }
        nextSerial &+= 1
        asking.serial = nextSerial
    }

    private mutating func count(_ stage: Stage, _ change: Int) {
        switch stage {
        case .away: break
        case .inLine: counts.inLine += change
        case .young: counts.young += change
        case .slow: counts.slow += change
        case .brief: counts.brief += change
        }
    }
}
