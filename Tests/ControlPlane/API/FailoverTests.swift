import Foundation
import Testing

@testable import Failover
@testable import JSON
@testable import Store

@Suite struct `Failover by the API` {
    private static let later = Timestamp.text(Date() + 3600)

    @Test func `with nothing going on, its status says so`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.get("/failover")
            #expect(answer.status == 200)
            #expect(answer["frozen"] == .null)
            #expect(answer["holding"] == .null)
            let list = try await bench.get("/failovers")
            #expect(list["items"] == .array([]))
        }
    }

    @Test func `a freeze needs a reason and a moment to come, and ends when it is told to`() async throws {
        try await Bench.run { bench in
            let bad = try await bench.send(
                .put, "/api/v1/failover/freeze", #"{"until":"2020-01-01T00:00:00Z","force":1}"#)
            #expect(bad.status == 422)
            #expect(Set(bad.pointers) == ["/until", "/reason", "/force"])
            let good = try await bench.send(
                .put, "/api/v1/failover/freeze", #"{"until":"\#(Self.later)","reason":"maintenance"}"#)
            #expect(good.status == 200)
            #expect(good["author"] == "admin")
            let status = try await bench.get("/failover")
            #expect(status["frozen"]?.object?["reason"] == "maintenance")
            let metrics = try await bench.send(.get, "/metrics").text
            #expect(metrics.contains("\nddirect_control_failover_frozen 1\n"))
            #expect(metrics.contains("\nddirect_control_failover_holding 0\n"))
            let ended = try await bench.delete("/failover/freeze")
            #expect(ended.status == 204)
            let after = try await bench.get("/failover")
            #expect(after["frozen"] == .null)
            let thawed = try await bench.send(.get, "/metrics").text
            #expect(thawed.contains("\nddirect_control_failover_frozen 0\n"))
        }
    }

    @Test func `a server is forced up or down, and nothing else`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let sideways = #"{"state":"sideways","until":"\#(Self.later)","reason":"a test"}"#
            let bad = try await bench.send(.put, "/api/v1/servers/za1/override", sideways)
            #expect(bad.pointers == ["/state"])
            let good = try await bench.send(
                .put, "/api/v1/servers/za1/override", sideways.replacingOccurrences(of: "sideways", with: "down"))
            #expect(good.status == 200)
            let nobody = try await bench.send(
                .put, "/api/v1/servers/nobody/override", sideways.replacingOccurrences(of: "sideways", with: "up"))
            #expect(nobody.status == 404)
            let records = try await FailoverJournal(store: bench.store).records()
            #expect(records.overrides.values.map(\.state) == [.down])
            let cleared = try await bench.delete("/servers/za1/override")
            #expect(cleared.status == 204)
        }
    }

    @Test func `an order that cannot be followed says what stops it, and is in the audit trail as refused`()
        async throws
    {
        try await Bench.run { bench in
            try await bench.furnish()
            let plan = try await bench.get("/servers/za1/failover-plan")
            #expect(plan.status == 200)
            guard case .array(let obstacles)? = plan["obstacles"] else {
                Issue.record("no obstacles: \(plan.text)")
                return
            }
            #expect(obstacles.count == 1)
            let order = try await bench.post("/servers/za1/failover", #"{"reason":"a test"}"#)
            #expect(order.status == 409)
            #expect(order.text.contains("nothing to move"))
            let trail = try await bench.get("/audit?limit=1")
            #expect(trail.text.contains(#""outcome":"refused""#))
            let back = try await bench.post("/servers/za1/failback", #"{"reason":"a test"}"#)
            #expect(back.status == 409)
            let missing = try await bench.post("/failovers/7/failback", #"{"reason":"a test"}"#)
            #expect(missing.status == 404)
            let drill = try await bench.post("/servers/za1/failover", #"{"reason":"a test","forSeconds":0}"#)
            #expect(drill.pointers == ["/forSeconds"])
        }
    }
}
