import Domain
import Testing

@testable import DNS
@testable import Failover

@Suite struct `A failover plan` {
    private let servers: [ServerName: Server]
    private let service: Service

    init() throws {
        let all = try [("za1", "192.0.2.1"), ("ie1", "192.0.2.2"), ("us1", "192.0.2.3")].map { name, address in
            try Server(
                name: ServerName(name), region: RegionName("somewhere"), hostname: DomainName("\(name).dfree.test"),
                addresses: [Address(address), Address("2001:db8::\(name.hasPrefix("za") ? 1 : 2)")])
        }
        servers = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
        service = try Service(
            name: ServiceName("acme-app"), customer: CustomerName("acme"),
            carriage: Carriage(
                clientDomains: [ClientDomain("app.acme.test")],
                endpoint: Endpoint(EndpointTarget(host: .name(DomainName("origin.acme.test"))))),
            primary: ServerName("za1"), standbys: [ServerName("ie1"), ServerName("us1")],
            bindings: [
                DNSBinding(
                    zone: DomainName("acme.test"), name: DomainName("app.acme.test"), kind: .cname, timeToLive: 5),
                DNSBinding(
                    zone: DomainName("acme.example"), name: DomainName("acme.example"), kind: .addresses, timeToLive: 5),
            ])
    }

    private func base(
        obstacles: [String: [String]] = [:], warnings: [String: [String]] = [:],
        conflicts: [ServiceName: String] = [:], busy: [ServiceName: FailoverID] = [:]
    ) throws -> PlanningBase {
        PlanningBase(
            servers: servers, busy: busy,
            obstacles: { server, _ in obstacles[server.text] ?? [] },
            warnings: { server, _ in warnings[server.text] ?? [] }, conflicts: conflicts)
    }

    private func plan(_ base: PlanningBase, leaving server: String = "za1", force: Bool = false) throws -> FailoverPlan
    {
        FailoverPlan(leaving: try ServerName(server), [service], base, force: force)
    }

    @Test func `the first standby takes over, and each record says what it is to replace`() throws {
        let plan = try plan(try base())
        #expect(plan.obstacle == nil)
        #expect(plan.moves.map(\.to.text) == ["ie1"])
        #expect(plan.zones.map(\.zone.text) == ["acme.example", "acme.test"], "one change for each zone")
        let alias = try #require(plan.zones.last?.records.first?.change)
        #expect(alias.expected.map(\.text) == ["CNAME 5 za1.dfree.test"])
        #expect(alias.wanted.map(\.text) == ["CNAME 5 ie1.dfree.test"])
        let apex = try #require(plan.zones.first?.records.first?.change)
        #expect(apex.wanted.map(\.text) == ["A 5 192.0.2.2", "AAAA 5 2001:db8::2"])
    }

    @Test func `a standby that must not take over is passed over for the next, and told`() throws {
        let plan = try plan(try base(obstacles: ["ie1": ["it is down"]]))
        #expect(plan.moves.map(\.to.text) == ["us1"])
        #expect(plan.services.first?.candidates.map(\.obstacles) == [["it is down"], []])
    }

    @Test func `one that has a flaw is taken when there is none without`() throws {
        #expect(try plan(try base(warnings: ["ie1": ["no way to the endpoint"]])).moves.map(\.to.text) == ["us1"])
        let both = try base(
            obstacles: ["us1": ["it is draining"]], warnings: ["ie1": ["no way to the endpoint"]])
        #expect(try plan(both).moves.map(\.to.text) == ["ie1"])
    }

    @Test func `with nobody to take over nothing moves, and the plan says who and why`() throws {
        let plan = try plan(try base(obstacles: ["ie1": ["it is down"], "us1": ["it is draining"]]))
        #expect(plan.moves.isEmpty)
        #expect(plan.zones.isEmpty)
        #expect(
            plan.obstacle
                == "service acme-app: none of its standbys may take it over: ie1: it is down; us1: it is draining")
    }

    @Test func `forced, it passes over what is known against a standby`() throws {
        let plan = try plan(try base(obstacles: ["ie1": ["it is down"], "us1": ["it is draining"]]), force: true)
        #expect(plan.moves.map(\.to.text) == ["ie1"])
    }

    @Test func `a service that failed over to a standby goes on to another server when that fails, home first`() throws
    {
        let plan = try plan(try base(), leaving: "ie1")
        #expect(plan.moves.map(\.to.text) == ["za1"])
        #expect(plan.zones.last?.records.first?.change.expected.map(\.text) == ["CNAME 5 ie1.dfree.test"])
    }

    @Test func `what another decision is moving, and what is somebody else's, stays`() throws {
        let name = service.name
        let busy = try plan(try base(busy: [name: FailoverID(number: 7)]))
        #expect(busy.obstacle == "service acme-app: failover 7 is moving it now")
        let foreign = try base(conflicts: [name: "app.acme.test is CNAME 5 elsewhere.test"])
        #expect(try plan(foreign).moves.isEmpty)
        #expect(try plan(foreign, force: true).moves.count == 1)
    }

    @Test func `a server that nothing leads to has nothing to move`() throws {
        let plan = FailoverPlan(leaving: try ServerName("us1"), [], try base())
        #expect(plan.obstacle?.contains("nothing to move") == true)
    }
}
