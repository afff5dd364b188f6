import Domain
import Foundation
import Testing

@testable import Channel
@testable import DNS
@testable import Failover

@Suite struct `Following the traffic` {
    private let noon = SmallFleet.noon

    private func report(_ service: String, at server: String, _ opened: UInt64) throws -> ServiceTraffic {
        ServiceTraffic(server: try ServerName(server), service: try ServiceName(service), opened: opened, at: .now)
    }

    /// A failover of two services that have arrived.
    private func failover(_ number: Int64 = 1, from: String = "za1", to: String = "ie1") throws -> Failover {
        let fleet = try SmallFleet("app", "shop")
        var failover = try fleet.failover(number, "app", "shop", from: from, to: to)
        _ = failover.endZone(0, as: .written, in: fleet.state.services)
        return failover
    }

    @Test func `new connections count where they arrive, each service by itself`() throws {
        var failover = try failover()
        var follower = TrafficFollower()
        follower.follow(failover)
        for (service, server, opened) in [("app", "ie1", 3), ("app", "za1", 2), ("shop", "ie1", 5), ("app", "ie1", 1)] {
            let arrival = try #require(follower.arrival(try report(service, at: server, UInt64(opened))))
            #expect(arrival.failover == failover.id)
            failover.count(arrival, at: noon)
        }
        #expect(failover.traffic.map(\.service.text) == ["app", "shop"])
        #expect(failover.traffic.map(\.toTarget) == [4, 5])
        #expect(failover.traffic.map(\.toOrigin) == [2, 0])
        #expect(failover.traffic.map(\.lastToOrigin) == [noon, nil])
    }

    @Test func `other servers and other services say nothing about it`() throws {
        var follower = TrafficFollower()
        follower.follow(try failover())
        #expect(follower.arrival(try report("app", at: "us1", 1)) == nil)
        #expect(follower.arrival(try report("other", at: "ie1", 1)) == nil)
    }

    @Test func `a service that is moved on counts for the newer failover, also when the older one has ended`() throws {
        var follower = TrafficFollower()
        let (older, newer) = (try failover(1), try failover(2, from: "ie1", to: "us1"))
        follower.follow(older)
        follower.follow(newer)
        follower.forget(older.id)
        #expect(follower.arrival(try report("app", at: "us1", 1))?.failover == newer.id)
        follower.forget(newer.id)
        #expect(follower.arrival(try report("app", at: "us1", 1)) == nil)
    }

    @Test func `goes on until none has arrived at the old server for twice the time to live, and no less than 10 s`()
        throws
    {
        var failover = try failover()
        let following = TrafficFollowing(failover, at: noon)
        #expect(following.verdict(on: failover, at: noon + 9) == .goesOn)
        #expect(following.verdict(on: failover, at: noon + 10) == .isQuiet)
        failover.traffic[0].lastToOrigin = noon + 8
        #expect(following.verdict(on: failover, at: noon + 17) == .goesOn)
        #expect(following.verdict(on: failover, at: noon + 18) == .isQuiet)
    }

    @Test(arguments: [(1, 10.0), (60, 120.0), (86_400, 600.0)])
    func `a longer time to live is waited for, up to ten minutes`(timeToLive: Int, quiet: Double) throws {
        var failover = try failover()
        let change = failover.zones[0].records[0].change
        failover.zones[0].records = [
            Failover.SteeredRecord(
                service: failover.moves[0].service,
                change: RecordChange(
                    name: change.name,
                    expected: [RecordSet(.cname, timeToLive: timeToLive, values: ["za1.dfree.test"])],
                    wanted: change.wanted))
        ]
        let following = TrafficFollowing(failover, at: noon)
        #expect(following.verdict(on: failover, at: noon + quiet - 1) == .goesOn)
        #expect(following.verdict(on: failover, at: noon + quiet) == .isQuiet)
    }

    @Test func `connections that never cease to arrive at the old server are not followed for ever`() throws {
        var failover = try failover()
        let following = TrafficFollowing(failover, at: noon)
        failover.traffic[0].lastToOrigin = noon + 1800
        #expect(following.verdict(on: failover, at: noon + 1800) == .goesOn)
        #expect(following.verdict(on: failover, at: noon + 1801) == .hasLastedTooLong)
    }
}
