import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The schedule of names` {
    private let slot = NameSlot(index: 3, tenant: 1)

    private func schedule() throws -> NameSchedule {
        var schedule = NameSchedule()
        schedule.add(slot, try DomainName("origin.example"), now: 0)
        return schedule
    }

    private func addresses(_ text: String = "192.0.2.1", seconds: UInt32 = 5) throws -> NameAnswer {
        .addresses([try Address(text)], seconds: seconds)
    }

    @Test func `a name is asked about at once, and again when its TTL is over`() throws {
        var schedule = try schedule()
        #expect(schedule.takeDue(now: 0).map(\.slot) == [slot])
        #expect(schedule.unresolvedCount == 1)
        #expect(schedule.answered(slot, try addresses(), now: 10)?.status == .known)
        #expect(schedule.unresolvedCount == 0)
        #expect(schedule.takeDue(now: 5009).isEmpty)
        #expect(schedule.takeDue(now: 5010).map(\.slot) == [slot])
        #expect(schedule.answered(slot, try addresses(), now: 5020) == nil)
    }

    @Test func `a failure to get an answer takes no address away`() throws {
        var schedule = try schedule()
        _ = schedule.takeDue(now: 0)
        _ = schedule.answered(slot, try addresses(), now: 0)
        var now: UInt64 = 5000
        for _ in 0..<20 {
            #expect(schedule.takeDue(now: now).count == 1)
            #expect(schedule.answered(slot, .failed("timeout"), now: now) == nil)
            now += NameSchedule.longestRetry
        }
        #expect(schedule.unresolvedCount == 0)
    }

    @Test func `that there is nothing has to be said for half a minute before a good address goes`() throws {
        var schedule = try schedule()
        _ = schedule.takeDue(now: 0)
        _ = schedule.answered(slot, try addresses(), now: 0)
        _ = schedule.takeDue(now: 5000)
        #expect(schedule.answered(slot, .nothing("not found"), now: 5000) == nil)
        #expect(schedule.unresolvedCount == 0)
        _ = schedule.takeDue(now: 40_000)
        #expect(schedule.answered(slot, .nothing("not found"), now: 40_000)?.status == .unresolved)
        #expect(schedule.unresolvedCount == 1)
    }

    @Test func `a doubt brings a question forward, but not more than once a second`() throws {
        var schedule = try schedule()
        _ = schedule.takeDue(now: 0)
        _ = schedule.answered(slot, try addresses(seconds: 300), now: 0)
        for _ in 0..<100 { schedule.doubted(slot, now: 100) }
        #expect(schedule.takeDue(now: 999).isEmpty)
        #expect(schedule.takeDue(now: 1000).count == 1)
        #expect(schedule.takeDue(now: 2000).isEmpty)
    }

    @Test func `an answer for a former tenant changes nothing for the present one`() throws {
        var schedule = try schedule()
        _ = schedule.takeDue(now: 0)
        schedule.remove(slot)
        #expect((schedule.count, schedule.unresolvedCount, schedule.underWay) == (0, 0, 0))
        let next = NameSlot(index: 3, tenant: 2)
        schedule.add(next, try DomainName("other.example"), now: 1)
        #expect(schedule.answered(slot, try addresses(), now: 2) == nil)
        #expect(schedule.takeDue(now: 2).map(\.slot) == [next])
        #expect(schedule.unresolvedCount == 1)
    }
}
