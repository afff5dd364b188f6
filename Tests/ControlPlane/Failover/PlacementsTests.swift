import Domain
import Foundation
import Testing

@testable import DNS
@testable import Failover
@testable import Fleet

@Suite struct `The placements of services` {
    private func names(_ services: [Service]?) -> [String] { (services ?? []).map(\.name.text).sorted() }

    @Test func `a service is at its primary until a failover has brought it elsewhere`() throws {
        let fleet = try SmallFleet("app")
        var placements = Placements()
        #expect(placements.server(of: fleet.services[0]) == fleet.za1.name)
        let failover = try fleet.failover(1, "app")
        placements.begin(failover)
        #expect(placements.server(of: fleet.services[0]) == fleet.za1.name, "it is only on its way")
        placements.carryOut(failover, in: fleet)
        #expect(placements.server(of: fleet.services[0]) == fleet.ie1.name)
    }

    @Test func `services without records of ours are not steered`() throws {
        var fleet = try SmallFleet("app")
        try fleet.add("unsteered", isSteered: false)
        var placements = Placements()
        let active = placements.active(in: fleet.state)
        #expect(names(active[fleet.za1.name]) == ["app"])
        #expect(active.keys.count == 1)
    }

    @Test func `what is active follows each change of the configuration and each arrival`() throws {
        var fleet = try SmallFleet("app")
        var placements = Placements()
        _ = placements.active(in: fleet.state)
        try fleet.add("shop")
        #expect(names(placements.active(in: fleet.state)[fleet.za1.name]) == ["app", "shop"])
        placements.carryOut(try fleet.failover(1, "shop"), in: fleet)
        #expect(names(placements.active(in: fleet.state)[fleet.za1.name]) == ["app"])
        #expect(names(placements.active(in: fleet.state)[fleet.ie1.name]) == ["shop"])
    }

    @Test(arguments: Failover.Kind.allCases)
    func `only what failed over by itself may go back by itself`(kind: Failover.Kind) throws {
        let fleet = try SmallFleet("app")
        var placements = Placements()
        #expect(placements.movedAway(in: fleet.state).isEmpty)
        placements.carryOut(try fleet.failover(1, "app", kind: kind), in: fleet)
        #expect(placements.movedAway(in: fleet.state) == (kind == .automatic ? [fleet.za1.name] : []))
    }

    @Test func `a failover is in force until the last of its services has been moved on`() throws {
        let fleet = try SmallFleet("app", "shop")
        var placements = Placements()
        let first = try fleet.failover(1, "app", "shop")
        placements.carryOut(first, in: fleet)
        placements.carryOut(try fleet.failover(2, "app", from: "ie1", to: "za1", kind: .failback), in: fleet)
        #expect(placements.isInForce(first.id))
        #expect(placements.failover(leaving: fleet.za1.name) == first.id)
        placements.carryOut(try fleet.failover(3, "shop", from: "ie1", to: "za1", kind: .failback), in: fleet)
        #expect(!placements.isInForce(first.id))
        #expect(placements.effective(first.id) == nil)
        #expect(placements.placed.isEmpty)
    }

    @Test func `a service is away from its primary, and from the server that its failover took it from`() throws {
        let fleet = try SmallFleet("app")
        var placements = Placements()
        placements.carryOut(try fleet.failover(1, "app", from: "ie1", to: "us1"), in: fleet)
        let services = fleet.state.services
        for home in [fleet.za1.name, fleet.ie1.name] {
            let away = placements.servicesAway(from: home, in: services)
            #expect(away.map(\.service.name.text) == ["app"])
            #expect(away.map(\.from) == [fleet.us1.name])
        }
        #expect(placements.servicesAway(from: fleet.us1.name, in: services).isEmpty)
        #expect(placements.servicesAway(from: fleet.za1.name, in: services) { $0.kind == .drill }.isEmpty)
    }

    @Test func `a service that was deleted is forgotten, unless it is on its way`() throws {
        let fleet = try SmallFleet("app", "shop")
        var placements = Placements()
        placements.carryOut(try fleet.failover(1, "app"), in: fleet)
        placements.carryOut(try fleet.failover(2, "shop"), in: fleet, isFinished: false)
        _ = placements.active(in: fleet.state)
        placements.forget(allBut: [])
        #expect(placements.placed.keys.map(\.text) == ["shop"])
        #expect(names(placements.active(in: fleet.state)[fleet.za1.name]) == ["app"], "its namesake is at home")
    }

    @Test func `a decision ends with its own failover, and with no other`() throws {
        let fleet = try SmallFleet("app", "shop")
        var placements = Placements()
        placements.begin(try fleet.failover(1, "app", "shop"))
        placements.begin(try fleet.failover(2, "shop"))
        placements.drop(FailoverID(number: 1), releasing: [try fleet.service("app"), try fleet.service("shop")])
        #expect(placements.decisions == [try fleet.service("shop"): FailoverID(number: 2)])
        #expect(placements.underWay.keys.map(\.number) == [2])
    }

    @Test func `its revision grows with each arrival and each end, and not with a decision`() throws {
        let fleet = try SmallFleet("app")
        var placements = Placements()
        placements.begin(try fleet.failover(1, "app"))
        placements.change(FailoverID(number: 1)) { $0.stage = .writing }
        placements.drop(FailoverID(number: 1), releasing: [try fleet.service("app")])
        #expect(placements.revision == 0)
        placements.carryOut(try fleet.failover(2, "app"), in: fleet)
        #expect(placements.revision == 2)
    }

    @Test func `a drill is over when its time is, and while nothing else moves its services`() throws {
        let fleet = try SmallFleet("app")
        let drill = try fleet.failover(1, "app", kind: .drill, returnsAt: SmallFleet.noon + 60)
        var placements = Placements()
        placements.carryOut(drill, in: fleet)
        #expect(placements.expiredDrill(drill.id, at: SmallFleet.noon + 59) == nil)
        #expect(placements.expiredDrill(drill.id, at: SmallFleet.noon + 60)?.id == drill.id)
        placements.begin(try fleet.failover(2, "app", from: "ie1", to: "za1", kind: .failback))
        #expect(placements.expiredDrill(drill.id, at: SmallFleet.noon + 60) == nil)
    }

    @Test
    func `servers are busy until what is done about them is proven: both of a failback, the one that is left else`()
        throws
    {
        let fleet = try SmallFleet("app", "shop")
        var placements = Placements()
        placements.begin(try fleet.failover(1, "app"))
        #expect(placements.busyServers == [fleet.za1.name])
        placements.begin(try fleet.failover(2, "shop", from: "us1", to: "ie1", kind: .failback))
        #expect(placements.busyServers == [fleet.za1.name, fleet.us1.name, fleet.ie1.name])
        for number in [Int64(1), 2] { placements.change(FailoverID(number: number)) { $0.stage = .following } }
        #expect(placements.busyServers.isEmpty)
    }
}

@Suite struct `The end of a zone` {
    @Test func `is the end of the moves whose last zone it was, and says where their services are`() throws {
        let fleet = try SmallFleet("app", "shop")
        var failover = try fleet.failover(1, "app", "shop")
        let other = Failover.ZoneWork(
            zone: try DomainName("acme.example"),
            records: failover.zones[0].records.filter { $0.service.text == "shop" })
        failover.zones.append(other)
        let first = failover.endZone(0, as: .written, in: fleet.state.services)
        #expect(first.moves.map(\.service.text) == ["app"])
        #expect(first.placed == [try fleet.service("app"): Placement(server: fleet.ie1.name, failover: failover.id)])
        #expect(failover.stage == .decided)
        let last = failover.endZone(1, as: .written, in: fleet.state.services)
        #expect(last.moves.map(\.service.text) == ["shop"])
        #expect(failover.stage == .verifying)
        #expect(failover.traffic.map(\.service.text) == ["app", "shop"])
    }

    @Test func `brings a service home, or leaves it away when only half of it could be changed`() throws {
        let fleet = try SmallFleet("app", "shop")
        var back = try fleet.failover(1, "app", "shop", from: "ie1", to: "za1", kind: .failback)
        back.zones[0].records.append(back.zones[0].records[1])
        back.zones[0].records[2].isConflict = true
        let settled = back.endZone(0, as: .written, in: fleet.state.services)
        #expect(settled.moves.map(\.state) == [.written, .conflict])
        #expect(settled.placed == [try fleet.service("app"): Placement?.none])
    }

    @Test func `of a service that was deleted meanwhile says nothing but that it is over`() throws {
        var fleet = try SmallFleet("app")
        var failover = try fleet.failover(1, "app")
        fleet.remove("app")
        let settled = failover.endZone(0, as: .written, in: fleet.state.services)
        #expect(settled.moves.map(\.state) == [.written])
        #expect(settled.placed.isEmpty)
        #expect(failover.traffic.isEmpty)
    }
}
