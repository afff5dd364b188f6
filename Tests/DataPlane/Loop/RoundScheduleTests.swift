import Testing

@testable import DataPlane

@Suite struct `When a round of a probe or a check begins` {
    @Test(arguments: [0, 0.25, 0.5, 0.999])
    func `first at a moment within the interval, then every interval`(phase: Double) {
        var schedule = RoundSchedule(interval: 2000, phase: phase, now: 10_000)
        let first = schedule.next
        #expect((10_000..<12_000).contains(first))
        #expect(first == 10_000 + UInt64(2000 * phase))
        for round: UInt64 in 0..<5 {
            #expect(!schedule.isDue(now: first + round * 2000 - 1) || first == 10_000 && round == 0)
            #expect(schedule.isDue(now: first + round * 2000))
            schedule.began(now: first + round * 2000)
        }
    }

    @Test func `a round that begins late delays none after it`() {
        var schedule = RoundSchedule(interval: 1000, phase: 0, now: 0)
        schedule.began(now: 300)
        #expect(schedule.next == 1000)
        schedule.began(now: 1999)
        #expect(schedule.next == 2000)
    }

    @Test func `rounds whose time has passed are not made up for`() {
        var schedule = RoundSchedule(interval: 1000, phase: 0.5, now: 0)
        schedule.began(now: 60_700)
        #expect(schedule.next == 61_500)
    }

    @Test func `is what it was when it is told of a beginning too early`() {
        var schedule = RoundSchedule(interval: 1000, phase: 0.5, now: 0)
        schedule.began(now: 499)
        #expect(schedule.next == 500)
    }
}
