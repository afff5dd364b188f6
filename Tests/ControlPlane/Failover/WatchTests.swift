import Domain
import Testing

@testable import Failover
@testable import Fleet
@testable import Probing

@Suite struct `The watch` {
    private let start = ContinuousClock.now

    @Test func `is told to the vantages once, and again when the fleet is another`() throws {
        var fleet = try SmallFleet("app")
        var watch = Watch()
        let first = watch.newPlan(fleet.state, connected: [], keys: nil, at: start)
        #expect(first?.targets.map(\.server.text) == ["ie1", "us1", "za1"])
        #expect(watch.newPlan(fleet.state, connected: [], keys: nil, at: start + .seconds(60)) == nil)
        fleet.version += 1
        let same = watch.newPlan(fleet.state, connected: [], keys: nil, at: start + .seconds(70))
        #expect(same == nil, "a change that does not touch the plan is none")
    }

    @Test func `a burst of changes is one, told when its interval is over`() throws {
        let fleet = try SmallFleet()
        var servers = [fleet.za1]
        var state: FleetState {
            FleetState(
                incarnation: Incarnation(1), version: SnapshotVersion(UInt64(servers.count)), servers: servers)
        }
        var watch = Watch()
        #expect(watch.newPlan(state, connected: [], keys: nil, at: start)?.targets.count == 1)
        servers.append(fleet.ie1)
        #expect(watch.newPlan(state, connected: [], keys: nil, at: start + .milliseconds(200)) == nil)
        servers.append(fleet.us1)
        #expect(watch.newPlan(state, connected: [], keys: nil, at: start + .milliseconds(999)) == nil)
        // Nothing new is said at this moment; what was held back is.
        #expect(watch.newPlan(state, connected: [], keys: nil, at: start + .seconds(1))?.targets.count == 3)
    }

    @Test func `who connects becomes a vantage`() throws {
        let fleet = try SmallFleet()
        // More servers of other regions than probe one: those that are connected come first.
        let others = try (1...7).map { number in
            try Server(
                name: ServerName("s\(number)"), region: RegionName("r\(number)"),
                hostname: DomainName("s\(number).dfree.test"), addresses: [Address("192.0.2.1")])
        }
        let state = FleetState(
            incarnation: Incarnation(1), version: SnapshotVersion(1), servers: others + [fleet.za1])
        var watch = Watch()
        let made = watch.newPlan(state, connected: [], keys: nil, at: start)
        let first = try #require(made)
        let watching = others.map(\.name).filter { name in
            first.targetsByServer[name]?.contains { $0.server == fleet.za1.name } ?? false
        }
        #expect(watching.count == ProbePlan.mostVantages)
        let idle = try #require(others.map(\.name).first { !watching.contains($0) })
        let second = watch.newPlan(state, connected: [idle], keys: nil, at: start + .seconds(1))
        #expect(second?.targetsByServer[idle]?.contains { $0.server == fleet.za1.name } == true)
    }
}
