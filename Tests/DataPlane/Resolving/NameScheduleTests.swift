import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The schedule of names` {
    private let slot = NameSlot(index: 3, tenant: 1)

    private func schedule() throws -> NameSchedule {
        var schedule = NameSchedule(seed: 1)
        schedule.add(slot, try DomainName("origin.example"), owner: 1, now: 0)
        return schedule
    }

    private func addresses(_ text: String = "192.0.2.1", seconds: UInt32 = 5) throws -> NameAnswer {
        .addresses([try Address(text)], seconds: seconds)
    }

    /// Answers each of `questions`: those about IPv4 with `answer`, the others with `other`.
    private func answer(
        _ schedule: inout NameSchedule, _ questions: [NameSchedule.Question], _ answer: NameAnswer,
        other: NameAnswer = .nothing("no addresses"), now: UInt64
    ) {
        for question in questions {
            schedule.answered(question.token, question.family == .ipv4 ? answer : other, now: now)
        }
    }

    @Test func `a name is asked about at once, in both families, and again when its TTL is over`() throws {
        var schedule = try schedule()
        let first = schedule.draw(now: 0)
        #expect(Set(first.map(\.family)) == [.ipv4, .ipv6])
        #expect(schedule.unresolvedCount == 1)
        answer(&schedule, first, try addresses(), now: 10)
        #expect(schedule.takeUpdates().map(\.status) == [.known])
        #expect(schedule.unresolvedCount == 0)
        #expect(schedule.draw(now: 5009).isEmpty)
        let again = schedule.draw(now: 5010)
        #expect(again.map(\.family) == [.ipv4])
        answer(&schedule, again, try addresses(), now: 5020)
        #expect(schedule.takeUpdates().isEmpty)
    }

    @Test func `each family has its own TTL`() throws {
        var schedule = try schedule()
        answer(
            &schedule, schedule.draw(now: 0), try addresses(seconds: 1),
            other: try addresses("2001:db8::1", seconds: 20), now: 0)
        #expect(schedule.draw(now: 1000).map(\.family) == [.ipv4])
        #expect(schedule.draw(now: 20_000).map(\.family) == [.ipv6])
    }

    @Test func `addresses of one family wait 50 ms for the other, and those that come later are told when they come`()
        throws
    {
        var schedule = try schedule()
        let questions = schedule.draw(now: 0)
        let ipv4 = try #require(questions.first { $0.family == .ipv4 })
        let ipv6 = try #require(questions.first { $0.family == .ipv6 })
        schedule.answered(ipv4.token, try addresses(), now: 10)
        schedule.passed(now: 59)
        #expect(schedule.takeUpdates().isEmpty)
        #expect(schedule.nextEvent(now: 59) == 60)
        schedule.passed(now: 60)
        #expect(schedule.takeUpdates().map(\.addresses) == [[try Address("192.0.2.1")]])
        schedule.answered(ipv6.token, try addresses("2001:db8::1"), now: 900)
        #expect(
            schedule.takeUpdates().map(\.addresses) == [[try Address("2001:db8::1"), try Address("192.0.2.1")]])
    }

    @Test func `addresses of one family wait no longer than the other's answer takes`() throws {
        var schedule = try schedule()
        let questions = schedule.draw(now: 0)
        answer(&schedule, Array(questions.prefix(1)), try addresses(), other: try addresses("2001:db8::1"), now: 5)
        #expect(schedule.takeUpdates().isEmpty)
        answer(&schedule, Array(questions.suffix(1)), try addresses(), other: try addresses("2001:db8::1"), now: 9)
        #expect(schedule.takeUpdates().map(\.addresses.count) == [2])
    }

    @Test func `the same addresses in another order are no change`() throws {
        var schedule = try schedule()
        let (one, two) = (try Address("192.0.2.1"), try Address("192.0.2.2"))
        answer(&schedule, schedule.draw(now: 0), .addresses([one, two], seconds: 1), now: 0)
        #expect(schedule.takeUpdates().count == 1)
        answer(&schedule, schedule.draw(now: 1000), .addresses([two, one], seconds: 1), now: 1000)
        #expect(schedule.takeUpdates().isEmpty)
    }

    @Test func `a failure to get an answer takes no address away`() throws {
        var schedule = try schedule()
        answer(&schedule, schedule.draw(now: 0), try addresses(), now: 0)
        _ = schedule.takeUpdates()
        var now: UInt64 = 5000
        for _ in 0..<20 {
            answer(&schedule, schedule.draw(now: now), .failed(.timedOut), other: .failed(.timedOut), now: now)
            now += 2 * NameSchedule.longestDeadRetry
        }
        #expect(schedule.takeUpdates().isEmpty)
        #expect(schedule.unresolvedCount == 0)
        #expect(schedule.troubles(atMost: 10, now: now).map(\.age) == [now])
        #expect(schedule.troubles(atMost: 10, now: now).map(\.failure) == [.timedOut])
    }

    @Test func `that there is nothing has to be said for half a minute before a good address goes`() throws {
        var schedule = try schedule()
        answer(&schedule, schedule.draw(now: 0), try addresses(), now: 0)
        _ = schedule.takeUpdates()
        answer(&schedule, schedule.draw(now: 5000), .nothing("no such name"), now: 5000)
        #expect(schedule.takeUpdates().isEmpty)
        #expect(schedule.unresolvedCount == 0)
        answer(&schedule, schedule.draw(now: 40_000), .nothing("no such name"), now: 40_000)
        #expect(schedule.takeUpdates().map(\.status) == [.unresolved])
        #expect(schedule.unresolvedCount == 1)
    }

    @Test func `a name that has nothing any more in one family is asked about in the other`() throws {
        var schedule = try schedule()
        answer(&schedule, schedule.draw(now: 0), try addresses(), now: 0)
        answer(&schedule, schedule.draw(now: 5000), .nothing("no addresses"), now: 5000)
        #expect(schedule.draw(now: 5001).map(\.family) == [.ipv6])
    }

    @Test func `a doubt brings a question forward, but not more than once a second`() throws {
        var schedule = try schedule()
        answer(&schedule, schedule.draw(now: 0), try addresses(seconds: 300), now: 0)
        for _ in 0..<100 { schedule.doubted(slot, now: 100) }
        #expect(schedule.draw(now: 999).isEmpty)
        #expect(schedule.draw(now: 1000).count == 2)
        #expect(schedule.draw(now: 2000).isEmpty)
    }

    @Test func `an answer for a former tenant changes nothing for the present one`() throws {
        var schedule = try schedule()
        let former = schedule.draw(now: 0)
        schedule.remove(slot)
        #expect((schedule.count, schedule.unresolvedCount, schedule.underWay) == (0, 0, 0))
        let next = NameSlot(index: 3, tenant: 2)
        schedule.add(next, try DomainName("other.example"), owner: 1, now: 1)
        answer(&schedule, former, try addresses(), now: 2)
        #expect(schedule.takeUpdates().isEmpty)
        #expect(schedule.draw(now: 2).map(\.name.text) == ["other.example", "other.example"])
        #expect(schedule.unresolvedCount == 1)
    }

    @Test func `a question that nobody answers ends, and is asked again after ever longer pauses`() throws {
        var schedule = try schedule()
        var now: UInt64 = 0
        var asked: [UInt64] = []
        while now < 400_000 {
            if !schedule.draw(now: now).isEmpty { asked.append(now) }
            now = max(now + 1, schedule.nextEvent(now: now))
            schedule.passed(now: now)
        }
        let pauses = zip(asked.dropFirst(), asked).map { $0 - $1 }
        #expect(pauses.first.map { (QuestionTurns.patience...6000).contains($0) } == true, "\(pauses)")
        #expect(pauses.max().map { $0 <= NameSchedule.longestDeadRetry * 5 / 4 + QuestionTurns.briefPatience } == true)
        #expect(asked.count < 40, "\(pauses)")
        #expect(schedule.underWay <= 2)
    }
}
