import Foundation
import Testing

@testable import JSON
@testable import Notices

@Suite struct `Alerts` {
    let noon = Date(timeIntervalSince1970: 1_772_366_400)

    @Test func `the first tries come soon, and the later ones not too rarely`() {
        let pauses = (1...12).map { AlertBackoff.pause(after: $0, jitter: 1) }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    }

    @Test(arguments: [(0.0, 4.0), (0.5, 6.0), (1.0, 8.0), (-3.0, 4.0), (7.0, 8.0)])
    func `chance spreads the second half of a pause, and no more`(jitter: Double, seconds: Double) {
        #expect(AlertBackoff.pause(after: 4, jitter: jitter) == seconds)
    }

    @Test(arguments: [Int.min, -1, 0, 1, Int.max])
    func `no number of attempts makes a pause that is none`(attempt: Int) {
        #expect((0.5...300).contains(AlertBackoff.pause(after: attempt, jitter: 0)))
    }

    @Test func `after a day an alert is given up`() {
        func next(_ seconds: Double) -> Date? {
            AlertBackoff.next(after: 1, raised: noon, now: noon + seconds, jitter: 1)
        }
        #expect(next(0) == noon + 1)
        #expect(next(86_399) == noon + 86_400)
        #expect(next(86_400) == nil)
        // A clock that was set back is no reason to give up.
        #expect(next(-3600) == noon - 3599)
    }

    /// By `openssl dgst -sha256 -hmac`.
    @Test func `the signature is of the time and the body, under the key`() {
        let date = Date(timeIntervalSince1970: 1_772_366_405.9)
        #expect(
            AlertSignature.value(of: #"{"id":1}"#, at: date, key: "key-of-the-hook")
                == "t=1772366405,v1=29271d0dfe144779283476c661d4ad3aa26d16cca422c9e7cb5bfea8cb8ccef2")
    }

    @Test(arguments: [
        ("https://hooks.example/T00/secret?key=1", "https://hooks.example"),
        ("http://192.0.2.1:8080/x", "http://192.0.2.1:8080"), ("http://[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ("https://hooks.example?secret", "https://hooks.example"), ("nonsense", "a webhook"),
    ])
    func `a log has no more of a URL than whose it is`(url: String, shown: String) {
        #expect(AlertDelivery.receiver(of: url) == shown)
    }

    @Test func `what people have to know is an alert, and what they may watch is none`() {
        let alerts = FleetEvent.Kind.allCases.filter(\.isAlert).map(\.rawValue)
        #expect(
            Set(alerts) == [
                "server.failed", "server.recovered", "failover.decided", "failover.conflict", "failover.held",
                "failover.verified", "failover.ended", "failover.abandoned", "failback.ready", "standby.unready",
                "standby.ready", "fleet.frozen", "fleet.unfrozen", "server.overridden", "monitor.unanswered",
                "monitor.answered",
            ])
    }

    @Test func `a detail is cut to what one reads`() throws {
        let members = Alert.members(server: nil, failover: nil, detail: String(repeating: "é", count: 5000))
        guard case .string(let detail)? = members["detail"] else { throw NeverHappened(what: "a detail") }
        #expect(detail.count == 2000 && detail.hasSuffix("…"))
        #expect(members["server"] == .null && members["failover"] == .null)
    }
}
