import Logging
import Synchronization
import Testing

@testable import Failover
@testable import Notices

@Suite struct `What failover tells` {
    private final class Listener: Sendable {
        private let heard = Mutex([String]())

        var all: [String] { heard.withLock { $0 } }

        func hear(_ line: String) { heard.withLock { $0.append(line) } }
    }

    private let told = Listener()
    private let announced = Listener()

    private var announcer: Announcer {
        let (told, announced) = (told, announced)
        return Announcer(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            tell: { kind, server, detail in told.hear("\(kind.rawValue) \(server?.text ?? "-"): \(detail)") },
            announce: { kind, server, detail in announced.hear("\(kind.rawValue) \(server?.text ?? "-"): \(detail)") })
    }

    @Test func `an event of the fleet may be an alert, too`() async {
        await announcer.tell(.fleetFrozen, nil, "by bob")
        #expect(told.all == ["fleet.frozen -: by bob"])
        #expect(announced.all == [])
    }

    @Test func `news of a failover name it, and raise no second alert beside the one that is stored`() throws {
        let failover = try SmallFleet("app").failover(7, "app")
        announcer.announce(FailoverNews(kind: .failoverVerified, detail: "zone acme.test answers"), of: failover)
        #expect(announced.all == ["failover.verified za1: failover 7: zone acme.test answers"])
        #expect(told.all == [])
    }
}
