import Domain
import Testing

@testable import DataPlane

@Suite struct `The health of targets` {
    /// Three targets; rise 2, fall 3, hold-down 30 s.
    private let rules: TargetHealth.Rules
    private var health: TargetHealth
    private var now: UInt64 = 1_000_000

    init() throws {
        rules = TargetHealth.Rules(try HealthCheck(kind: .tcp, rise: 2, fall: 3, holdDown: 30))
        health = TargetHealth(count: 3, rules: rules)
    }

    private mutating func check(_ index: Int, _ outcomes: Bool...) -> [TargetHealth.Change] {
        outcomes.compactMap { health.checked(index, isWell: $0, now: now) }
    }

    private mutating func pass(_ seconds: UInt64) {
        now += seconds * 1000
        health.passed(now: now)
    }

    @Test func `a target that was never checked is usable at once`() {
        #expect(health.preferred == 0)
        #expect((0..<3).allSatisfy { health.isHealthy($0) })
        #expect(health.nextEvent == nil)
    }

    @Test mutating func `failures in a row make it unhealthy, and connections go down the list at once`() {
        #expect(check(0, false, false) == [])
        #expect(health.preferred == 0)
        #expect(check(0, false) == [.fell])
        #expect(health.preferred == 1)
        #expect(!health.isHealthy(0) && health.isHealthy(1))
    }

    @Test mutating func `failures with a success among them do not`() {
        #expect(check(0, false, false, true, false, false, true, false, false) == [])
        #expect(health.preferred == 0)
    }

    @Test mutating func `it is healthy again after successes in a row, and preferred after the hold-down`() {
        _ = check(0, false, false, false)
        #expect(check(0, true, false, true) == [])
        #expect(check(0, true) == [.rose])
        #expect(health.isHealthy(0))
        #expect(health.preferred == 1)
        #expect(health.nextEvent == now + 30_000)
        pass(29)
        #expect(health.preferred == 1)
        pass(1)
        #expect(health.preferred == 0)
        #expect(health.nextEvent == nil)
    }

    @Test mutating func `one that falls again in its hold-down begins a new one`() {
        _ = check(0, false, false, false, true, true)
        pass(29)
        #expect(check(0, false, false, false) == [.fell])
        #expect(health.nextEvent == nil)
        #expect(check(0, true, true) == [.rose])
        pass(29)
        #expect(health.preferred == 1)
        pass(1)
        #expect(health.preferred == 0)
    }

    @Test mutating func `one that is well is not left for one further down that is well for longer`() {
        _ = check(1, false, false, false)
        #expect(health.preferred == 0)
        _ = check(0, false, false, false)
        #expect(health.preferred == 2)
        _ = check(1, true, true)
        #expect(health.preferred == 2)
        pass(30)
        #expect(health.preferred == 1)
    }

    @Test mutating func `when the preferred falls, one that is settled comes before one that recovers`() {
        _ = check(0, false, false, false, true, true)
        #expect(health.preferred == 1)
        _ = check(1, false, false, false)
        #expect(health.preferred == 2)
        // And it goes back to the first when that has settled, as it would have anyway.
        pass(30)
        #expect(health.preferred == 0)
    }

    @Test mutating func `where nothing is settled, one that recovers is taken without waiting`() {
        for index in 0..<3 { _ = check(index, false, false, false) }
        #expect(health.preferred == 0)
        #expect(!health.hasHealthy)
        _ = check(2, true, true)
        #expect(health.preferred == 2)
        now += 5000
        _ = check(1, true, true)
        #expect(health.preferred == 2)
        #expect(health.nextEvent == now + 30_000)
        // The one that is preferred settles first, and changes nothing by that.
        pass(29)
        #expect(health.preferred == 2)
        pass(1)
        #expect(health.preferred == 1)
    }

    @Test mutating func `when all fall, the first of all is preferred again, whichever fell first`() {
        for index in [1, 0, 2] { _ = check(index, false, false, false) }
        #expect(health.preferred == 0)
        #expect(health.nextEvent == nil)
    }

    @Test func `thresholds of one, without a hold-down, follow each check`() throws {
        let rules = TargetHealth.Rules(try HealthCheck(kind: .tcp, rise: 1, fall: 1, holdDown: 0))
        var health = TargetHealth(count: 2, rules: rules)
        for time in 0..<UInt64(10) {
            #expect(health.checked(0, isWell: false, now: time) == .fell)
            #expect(health.preferred == 1)
            #expect(health.checked(0, isWell: true, now: time) == .rose)
            #expect(health.preferred == 0)
        }
    }

    @Test mutating func `a single target that fails stays where connections go`() throws {
        health = TargetHealth(count: 1, rules: rules)
        #expect(check(0, false, false, false) == [.fell])
        #expect(health.preferred == 0)
    }

    @Test mutating func `what is not in the list is nobody's`() {
        #expect(check(3, false, false, false) == [])
        #expect(check(-1, false, false, false) == [])
        #expect(!health.isHealthy(3))
    }

    @Test mutating func `another list keeps what is known of those that stay, and begins with its first healthy one`() {
        _ = check(0, false, false, false)
        _ = check(2, false, false, false, true, true)
        // A new one in front: usable at once.
        #expect(TargetHealth(health, origins: [nil, 0, 1], rules: rules).preferred == 0)
        // The unhealthy one in front, moved there by hand or not: what is known is known.
        let kept = TargetHealth(health, origins: [0, nil], rules: rules)
        #expect(kept.preferred == 1)
        #expect(!kept.isHealthy(0) && kept.isHealthy(1))
        // The order is turned around: the one in its hold-down is passed over while another is settled.
        #expect(TargetHealth(health, origins: [2, 1, 0], rules: rules).preferred == 1)
        #expect(TargetHealth(health, origins: [2, 0], rules: rules).preferred == 0)
        #expect(TargetHealth(health, origins: [7], rules: rules).preferred == 0)
    }

    @Test mutating func `a list that is changed for one without the unhealthy target waits for no hold-down`() {
        _ = check(0, false, false, false, true, true)
        #expect(health.preferred == 1)
        #expect(TargetHealth(health, origins: [nil, 1], rules: rules).preferred == 0)
    }

    @Test mutating func `other rules for the same targets change no choice by themselves`() throws {
        _ = check(0, false, false, false, true, true)
        let shorter = TargetHealth.Rules(try HealthCheck(kind: .tcp, rise: 2, fall: 3, holdDown: 10))
        var changed = TargetHealth(health, rules: shorter)
        #expect(changed.preferred == 1)
        #expect(changed.nextEvent == now + 10_000)
        changed.passed(now: now + 10_000)
        #expect(changed.preferred == 0)
    }

    /// Whatever comes, the preferred target is one that is healthy if there is one, and is left for a worse one only
    /// when it falls.
    @Test(arguments: 0..<50) func `holds to its rules whatever comes`(seed: UInt64) throws {
        var random = Lottery(state: seed)
        let hold = UInt64.random(in: 0...3, using: &random)
        let rules = TargetHealth.Rules(try HealthCheck(kind: .tcp, rise: 2, fall: 2, holdDown: Int(hold)))
        var health = TargetHealth(count: 4, rules: rules)
        var now: UInt64 = 0
        for _ in 0..<500 {
            let before = health
            now += .random(in: 0...700, using: &random)
            if Bool.random(using: &random) {
                health.passed(now: now)
            } else {
                _ = health.checked(
                    .random(in: 0..<4, using: &random), isWell: .random(in: 0..<3, using: &random) > 0, now: now)
            }
            let healthy = (0..<4).filter { health.isHealthy($0) }
            #expect(healthy.isEmpty ? health.preferred == 0 : healthy.contains(health.preferred))
            if health.isHealthy(before.preferred), before.isHealthy(before.preferred) {
                #expect(health.preferred <= before.preferred)
            }
            if let next = health.nextEvent { #expect(next > now) }
        }
    }

    private struct Lottery: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            return mixed ^ (mixed >> 31)
        }
    }
}
