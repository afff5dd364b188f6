import Domain
import Syscalls
import Testing

@testable import DataPlane

/// A schedule, and name servers that answer for some names within 10 ms and for the others never.
private struct Simulation {
    var schedule = NameSchedule(seed: 7)
    private(set) var now: UInt64 = 1_000_000
    private var answers: [(token: UInt64, name: String, at: UInt64)] = []
    private var names: [Int32: String] = [:]
    private var nextIndex: Int32 = 0
    /// When each name was last asked.
    private(set) var asked: [String: [UInt64]] = [:]
    private(set) var known: [String: UInt64] = [:]
    private(set) var mostUnderWay = 0
    var isAnswering: (String) -> Bool = { $0.hasPrefix("live") }
    var ttl: UInt32 = 1

    mutating func add(_ name: String, owner: Int32) throws -> NameSlot {
        let slot = NameSlot(index: nextIndex, tenant: 1)
        names[nextIndex] = name
        nextIndex += 1
        schedule.add(slot, try DomainName(name), owner: owner, now: now)
        return slot
    }

    mutating func run(for duration: UInt64) throws {
        let end = now + duration
        while now < end {
            for question in schedule.draw(now: now) {
                asked[question.name.text, default: []].append(now)
                if isAnswering(question.name.text) { answers.append((question.token, question.name.text, now + 10)) }
            }
            mostUnderWay = max(mostUnderWay, schedule.underWay)
            now += 5
            let due = answers.filter { $0.at <= now }
            answers.removeAll { $0.at <= now }
            for answer in due {
                schedule.answered(answer.token, .addresses([Address(ipv4: 0xC000_0201)], seconds: ttl), now: now)
            }
            schedule.passed(now: now)
            for update in schedule.takeUpdates() where update.status == .known {
                if let name = names[update.slot.index], known[name] == nil { known[name] = now }
            }
        }
    }
}

@Suite struct `Names that nobody answers for` {
    @Test func `do not keep live ones waiting at a cold start, whoever comes first`() throws {
        var simulation = Simulation()
        let start = simulation.now
        for number in 0..<10_000 { _ = try simulation.add("dead\(number).example", owner: Int32(number)) }
        for number in 0..<20 { _ = try simulation.add("live\(number).example", owner: 20_000 + Int32(number)) }
        try simulation.run(for: 2000)
        #expect(simulation.known.count == 20)
        let last = (simulation.known.values.max() ?? .max) - start
        #expect(last < 1000, "the last was known after \(last) ms")
        #expect(simulation.mostUnderWay > 4096, "\(simulation.mostUnderWay)")
        #expect(simulation.mostUnderWay <= QuestionTurns.mostYoung + QuestionTurns.mostSlow + QuestionTurns.mostBrief)
    }

    @Test func `do not delay the refreshes of live ones`() throws {
        var simulation = Simulation()
        for number in 0..<10_000 { _ = try simulation.add("dead\(number).example", owner: 1) }
        for number in 0..<20 { _ = try simulation.add("live\(number).example", owner: 2) }
        try simulation.run(for: 20_000)
        for number in 0..<20 {
            let asked = simulation.asked["live\(number).example", default: []]
            let pauses = zip(asked.dropFirst(), asked).map { $0 - $1 }
            #expect(asked.count >= 18)
            #expect(pauses.max().map { $0 < 1200 } == true, "\(pauses)")
        }
    }

    @Test func `have few places, once they have failed`() throws {
        var simulation = Simulation()
        for number in 0..<3000 { _ = try simulation.add("dead\(number).example", owner: 1) }
        try simulation.run(for: 6000)
        try simulation.run(for: 10_000)
        #expect(simulation.schedule.underWay <= QuestionTurns.mostBrief)
    }

    @Test func `of one owner do not delay a name of another that has failed`() throws {
        var simulation = Simulation()
        for number in 0..<10_000 { _ = try simulation.add("dead\(number).example", owner: 1) }
        _ = try simulation.add("late.example", owner: 2)
        try simulation.run(for: 10_000)
        simulation.isAnswering = { $0 == "late.example" }
        try simulation.run(for: 30_000)
        let asked = simulation.asked["late.example", default: []]
        #expect(simulation.known["late.example"] != nil, "asked at \(asked)")
    }

    @Test func `and that flows need are asked again within some seconds`() throws {
        var simulation = Simulation()
        let slot = try simulation.add("dead.example", owner: 1)
        try simulation.run(for: 60_000)
        let before = simulation.asked["dead.example", default: []].count
        for _ in 0..<60 {
            simulation.schedule.doubted(slot, now: simulation.now)
            try simulation.run(for: 1000)
        }
        let asked = simulation.asked["dead.example", default: []].count - before
        // Both families, every five to eight seconds.
        #expect((12...28).contains(asked), "\(asked)")
    }
}

@Suite struct `An outage of DNS` {
    @Test func `is over for every name at once, however long it was`() throws {
        var simulation = Simulation()
        for number in 0..<2000 { _ = try simulation.add("live\(number).example", owner: 1) }
        try simulation.run(for: 2000)
        #expect(simulation.known.count == 2000)
        simulation.isAnswering = { _ in false }
        try simulation.run(for: 300_000)
        simulation.isAnswering = { _ in true }
        let end = simulation.now
        try simulation.run(for: 3000)
        let late = simulation.asked.values.filter { $0.allSatisfy { $0 < end } }
        #expect(late.isEmpty, "\(late.count) names were not asked in 3 s")
    }

    @Test func `before the first answer is over for every name at once, too`() throws {
        var simulation = Simulation()
        simulation.isAnswering = { _ in false }
        for number in 0..<2000 { _ = try simulation.add("live\(number).example", owner: 1) }
        try simulation.run(for: 120_000)
        simulation.isAnswering = { _ in true }
        try simulation.run(for: 5000)
        #expect(simulation.known.count == 2000)
    }

    @Test func `is noticed within two seconds by a fleet of one name`() throws {
        var simulation = Simulation()
        _ = try simulation.add("live.example", owner: 1)
        try simulation.run(for: 3000)
        simulation.isAnswering = { _ in false }
        try simulation.run(for: 300_000)
        simulation.isAnswering = { _ in true }
        let end = simulation.now
        // What was asked before is lost and has two seconds; then a second passes.
        try simulation.run(for: 4000)
        #expect(simulation.asked["live.example", default: []].contains { $0 >= end })
    }

    @Test func `is not taken for one when others answer`() throws {
        var simulation = Simulation()
        simulation.ttl = 300
        for number in 0..<500 { _ = try simulation.add("dead\(number).example", owner: 1) }
        _ = try simulation.add("live.example", owner: 2)
        try simulation.run(for: 600_000)
        let most = simulation.asked.filter { $0.key.hasPrefix("dead") }.values.map(\.count).max() ?? 0
        // Two families, about once a minute, and what comes before and after the two refreshes of the live one.
        #expect(most < 60, "\(most)")
    }

    @Test func `means nothing any more when other servers are asked`() throws {
        var simulation = Simulation()
        simulation.isAnswering = { _ in false }
        for number in 0..<1000 { _ = try simulation.add("live\(number).example", owner: 1) }
        try simulation.run(for: 60_000)
        simulation.isAnswering = { _ in true }
        simulation.schedule.startAnew(now: simulation.now)
        try simulation.run(for: 1000)
        #expect(simulation.known.count == 1000)
    }
}

@Suite struct `A line that is fair` {
    @Test func `gives each owner a turn`() {
        var line = FairLine<String>()
        for number in 0..<1000 { line.append("a\(number)", of: 1) }
        line.append("b", of: 2)
        line.append("c0", of: 3)
        line.append("c1", of: 3)
        let first = (0..<6).compactMap { _ in line.popFirst() }
        #expect(first == ["a0", "b", "c0", "a1", "c1", "a2"])
        let rest = (0..<2000).compactMap { _ in line.popFirst() }
        #expect(rest == (3..<1000).map { "a\($0)" })
        #expect(line.isEmpty)
    }
}
