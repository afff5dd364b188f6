import Domain
import Testing

@testable import Notices

@Suite(.timeLimit(.minutes(10))) struct `The event log` {
    private static let epoch: UInt32 = 0x00AB_CDEF

    private func id(_ number: UInt64) -> EventID { EventID(epoch: Self.epoch, number: number) }

    /// A log in which this many events have happened, named by their numbers.
    private func log(_ count: Int, mostEvents: Int = 1000, mostSubscriptions: Int = 4) -> EventLog {
        let log = EventLog(epoch: Self.epoch, mostEvents: mostEvents, mostSubscriptions: mostSubscriptions)
        for number in 0..<count { log.append(.change, detail: "\(number + 1)") }
        return log
    }

    // MARK: IDs

    @Test func `an id reads as it is written`() {
        #expect(id(17).description == "00abcdef-17")
        #expect(EventID("00abcdef-17") == id(17))
        #expect(EventID("00abcdef-0") == id(0))
        #expect(EventID("ffffffff-18446744073709551615") == EventID(epoch: .max, number: .max))
    }

    @Test(arguments: [
        "", "-", "17", "abcdef-17", "00ABCDEF-17", "+0abcdef-17", "00abcdef-", "00abcdef-017", "00abcdef-+17",
        "00abcdef--17", "00abcdef-17-1", "00abcdef-17 ", "00abcdef-18446744073709551616", "000abcdef-17", "00abcdeg-17",
    ])
    func `what is no id is refused`(text: String) {
        #expect(EventID(text) == nil)
    }

    // MARK: Reading

    @Test func `behind an event come those that followed, in order`() {
        let log = log(5)
        #expect(log.events(after: nil).events.map(\.detail) == ["1", "2", "3", "4", "5"])
        #expect(log.events(after: id(0)).events.map(\.id) == (1...5).map { id($0) })
        #expect(log.events(after: id(3)).events.map(\.detail) == ["4", "5"])
        #expect(log.events(after: id(1), atMost: 2).events.map(\.detail) == ["2", "3"])
        #expect(log.events(after: id(5)).events == [])
        for number in 0...5 { #expect(!log.events(after: id(UInt64(number))).missed) }
        #expect(log.report(after: id(4)).map(\.detail) == ["5"])
    }

    @Test func `an event has what happened, where and by whom`() throws {
        let log = log(0)
        let server = try ServerName("za1")
        log.append(.versionRefused, server: server, version: SnapshotVersion(7), author: "ops", detail: "no")
        let event = try #require(log.events(after: nil).events.first)
        #expect(event.kind == .versionRefused)
        #expect(event.server == server)
        #expect(event.version == SnapshotVersion(7))
        #expect(event.author == "ops")
    }

    @Test func `only the newest are kept, and who wants older ones is told`() {
        let log = log(25, mostEvents: 10)
        #expect(log.events(after: nil).events.map(\.detail) == (16...25).map { "\($0)" })
        #expect(!log.events(after: id(15)).missed, "nothing is missing behind the last that was forgotten")
        #expect(log.events(after: id(14)).missed)
        let report = log.report(after: id(14))
        let kinds: [FleetEvent.Kind] = [.gap] + Array(repeating: .change, count: 10)
        #expect(report.map(\.kind) == kinds)
        #expect(report.first?.id == id(15), "who is cut off here goes on without another gap")
    }

    @Test func `an id of another life, or of the future, is followed by a gap and all that there is`() {
        for stranger in [EventID(epoch: 1, number: 1), EventID(epoch: 1, number: 0), id(4)] {
            let report = log(3).report(after: stranger)
            #expect(report.map(\.kind) == [.gap, .change, .change, .change], "\(stranger)")
            #expect(report.first?.id == id(0))
        }
        #expect(log(0).report(after: id(9)).map(\.id) == [id(0)])
    }

    @Test func `a long detail is cut`() {
        let log = log(0)
        log.append(.channelRefused, detail: String(repeating: "é", count: 100_000))
        let detail = log.events(after: nil).events[0].detail
        #expect(detail.unicodeScalars.count == EventLog.longestDetail)
        #expect(detail.hasSuffix("é…"))
    }

    // MARK: Following

    @Test func `a subscriber has what it missed and then what happens, each once`() async throws {
        let log = log(50, mostEvents: 2000)
        let subscription = try #require(log.subscribe(after: id(10)))
        var seen: [UInt64] = []
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<250 { log.append(.change, detail: "") } }
            }
            for await events in subscription {
                #expect(events.count <= EventSubscription.largestBatch)
                seen += events.map(\.id.number)
                if seen.last == 1050 { break }
            }
        }
        #expect(seen == Array(11...1050))
    }

    @Test func `without an id it has what comes from now on`() async throws {
        let log = log(5)
        let subscription = try #require(log.subscribe(after: nil))
        #expect(subscription.start == id(5))
        log.append(.change, detail: "6")
        var iterator = subscription.makeAsyncIterator()
        let events = await iterator.next()
        #expect(events?.map(\.detail) == ["6"])
    }

    @Test func `one that falls behind is told, and holds up nobody`() async throws {
        let log = log(0, mostEvents: 10)
        let subscription = try #require(log.subscribe(after: nil))
        for number in 1...25 { log.append(.change, detail: "\(number)") }
        var iterator = subscription.makeAsyncIterator()
        let events = await iterator.next()
        let kinds: [FleetEvent.Kind] = [.gap] + Array(repeating: .change, count: 10)
        #expect(events?.map(\.kind) == kinds)
        #expect(events?.last?.detail == "25")
        log.append(.change, detail: "26")
        let next = await iterator.next()
        #expect(next?.map(\.detail) == ["26"])
    }

    @Test func `a heartbeat is an element without events, and only where there are none`() async throws {
        let log = log(0)
        let subscription = try #require(log.subscribe(after: nil))
        var iterator = subscription.makeAsyncIterator()
        subscription.beat()
        let beat = await iterator.next()
        #expect(beat == [])
        subscription.beat()
        log.append(.change, detail: "1")
        let events = await iterator.next()
        #expect(events?.map(\.detail) == ["1"])
        subscription.end()
        let end = await iterator.next()
        #expect(end == nil)
    }

    @Test func `there are only so many readers, and one that goes makes room`() throws {
        let log = log(0, mostSubscriptions: 2)
        let first = log.subscribe(after: nil)
        var second = log.subscribe(after: nil)
        #expect(log.subscribe(after: nil) == nil)
        #expect(second != nil)
        second = nil
        #expect(log.subscriptionCount == 1)
        #expect(log.subscribe(after: nil) != nil)
        withExtendedLifetime(first) {}
    }
}
