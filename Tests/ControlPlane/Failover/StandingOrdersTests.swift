import Domain
import Foundation
import Testing

@testable import Failover

@Suite struct `Standing orders` {
    private let noon = SmallFleet.noon

    private func override(_ server: String, until: Date, reason: String = "a test") throws -> ServerOverride {
        ServerOverride(server: try ServerName(server), state: .down, until: until, reason: reason, author: "ann")
    }

    @Test func `end at their moment, all at once, so that a newer word on a server stands`() throws {
        var orders = StandingOrders()
        for server in ["za1", "ie1"] { orders.set(try override(server, until: noon + 60)) }
        #expect(orders.endOverrides(at: noon + 59).isEmpty)
        let over = orders.endOverrides(at: noon + 60)
        #expect(over.map(\.server.text) == ["ie1", "za1"])
        // Said while the end of the first one is stored.
        let newer = try override("za1", until: noon + 600, reason: "once more")
        orders.set(newer)
        #expect(orders.endOverrides(at: noon + 60).isEmpty)
        #expect(orders.overrides.values.map(\.reason) == ["once more"])
    }

    @Test func `of two words on one server the later holds, and may be taken back`() throws {
        var orders = StandingOrders()
        orders.set(try override("za1", until: noon, reason: "first"))
        orders.set(try override("za1", until: noon, reason: "second"))
        #expect(orders.overrides.values.map(\.reason) == ["second"])
        orders.clearOverride(of: try ServerName("za1"))
        #expect(orders.overrides.isEmpty)
    }

    @Test func `a freeze is an obstacle that says by whom and how it ends, until its moment`() {
        var orders = StandingOrders(freeze: Freeze(since: noon, until: noon + 60, reason: "works", author: "bob"))
        #expect(orders.obstacles.count == 1)
        #expect(orders.obstacles.first?.contains("frozen by bob") == true)
        #expect(orders.obstacles.first?.contains("`ddirect unfreeze`") == true)
        #expect(orders.endFreeze(at: noon + 59) == nil)
        #expect(orders.endFreeze(at: noon + 60)?.author == "bob")
        #expect(orders.endFreeze(at: noon + 60) == nil, "it ends once")
        #expect(orders.obstacles.isEmpty)
    }
}
