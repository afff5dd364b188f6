import Domain
import Testing

@testable import DataPlane

@Suite struct `Slots of services, as snapshots come` {
    private func snapshot(_ names: [String], version: UInt64) throws -> Snapshot {
        let server = try Server(
            name: ServerName("za1"), region: RegionName("af-south-1"), hostname: DomainName("za1.dfree.test"),
            addresses: [Address("127.0.0.1")], trustedSenders: [], defaultServices: [:])
        return try Snapshot(
            incarnation: Incarnation(1), version: SnapshotVersion(version),
            settings: ServerSettings(server: server, policy: EndpointPolicy()),
            services: Dictionary(
                uniqueKeysWithValues: try names.map {
                    (try ServiceName($0), try carriage(["\($0).acme.test"], to: [("\($0).example", 80)]))
                }))
    }

    @Test func `a slot that becomes free is not another's in the same snapshot, but in the next`() throws {
        var tables = TableBuilder(monitor: (1, 1), seed: 1)
        _ = try tables.build(try snapshot(["old"], version: 1)) { _ in true }
        let slot = tables.slot(of: try ServiceName("old"))
        let second = try tables.build(try snapshot(["new"], version: 2)) { _ in true }
        // A worker that has not taken the second table yet still sends the old service's clients to this slot.
        #expect(tables.slot(of: try ServiceName("new")) != slot)
        #expect(second.moved.isEmpty)
        let third = try tables.build(try snapshot(["new", "newer"], version: 3)) { _ in true }
        #expect(tables.slot(of: try ServiceName("newer")) == slot)
        #expect(third.moved == [slot])
    }

    @Test func `a slot with open flows waits until they have closed`() throws {
        var tables = TableBuilder(monitor: (1, 1), seed: 1)
        _ = try tables.build(try snapshot(["old"], version: 1)) { _ in false }
        let slot = tables.slot(of: try ServiceName("old"))
        _ = try tables.build(try snapshot([], version: 2)) { _ in false }
        _ = try tables.build(try snapshot(["a"], version: 3)) { _ in false }
        #expect(tables.slot(of: try ServiceName("a")) != slot)
        let last = try tables.build(try snapshot(["a", "b"], version: 4)) { $0 == slot }
        #expect(tables.slot(of: try ServiceName("b")) == slot)
        #expect(last.moved == [slot])
    }

    @Test func `a name that comes back is another tenant of its place`() throws {
        var tables = TableBuilder(monitor: (1, 1), seed: 1)
        let first = try tables.build(try snapshot(["a"], version: 1)) { _ in true }
        let second = try tables.build(try snapshot([], version: 2)) { _ in true }
        let third = try tables.build(try snapshot(["a"], version: 3)) { _ in true }
        #expect(second.removed == first.added.map(\.slot))
        #expect(third.added.map(\.slot.index) == first.added.map(\.slot.index))
        #expect(third.added.map(\.slot.tenant) != first.added.map(\.slot.tenant))
    }

    private func snapshot(
        of services: [String: [String]], check: HealthCheck?, domain: String = "acme.test", version: UInt64
    ) throws -> Snapshot {
        let plain = try snapshot([], version: version)
        return try Snapshot(
            incarnation: plain.incarnation, version: plain.version, settings: plain.settings,
            services: Dictionary(
                uniqueKeysWithValues: try services.map { name, hosts in
                    (
                        try ServiceName(name),
                        try carriage(["\(name).\(domain)"], to: hosts.map { ($0, 80) }, check: check)
                    )
                }))
    }

    @Test func `a list of targets that is checked keeps its number until it changes`() throws {
        var tables = TableBuilder(monitor: (1, 1), seed: 1)
        let check = try HealthCheck(kind: .tcp)
        func edition(_ hosts: [String], check: HealthCheck?, domain: String = "acme.test", _ version: UInt64) throws
            -> UInt32
        {
            let snapshot = try snapshot(of: ["a": hosts], check: check, domain: domain, version: version)
            let outcome = try tables.build(snapshot) { _ in true }
            let slot = try #require(tables.slot(of: try ServiceName("a")))
            let edition = outcome.table.view.route(slot).edition
            #expect(outcome.checked.map(\.edition) == (check == nil ? [] : [edition]))
            #expect(outcome.checked.allSatisfy { $0.slot == slot && $0.targets.count == hosts.count })
            return edition
        }
        let first = try edition(["192.0.2.1", "192.0.2.2"], check: check, 1)
        #expect(first != 0)
        // Neither another check nor another client domain makes it another list.
        #expect(try edition(["192.0.2.1", "192.0.2.2"], check: HealthCheck(kind: .tls), 2) == first)
        #expect(try edition(["192.0.2.1", "192.0.2.2"], check: check, domain: "b.test", 3) == first)
        let second = try edition(["192.0.2.2", "192.0.2.1"], check: check, 4)
        #expect(second != first && second != 0)
        #expect(try edition(["192.0.2.2", "192.0.2.1"], check: nil, 5) == 0)
        // One that was not checked in between is another: nobody has looked after it.
        let third = try edition(["192.0.2.2", "192.0.2.1"], check: check, 6)
        #expect(![0, first, second].contains(third))
    }

    @Test func `a slot that changes hands has another list of targets`() throws {
        var tables = TableBuilder(monitor: (1, 1), seed: 1)
        let check = try HealthCheck(kind: .tcp)
        let hosts = ["192.0.2.1", "192.0.2.2"]
        let first = try tables.build(try snapshot(of: ["old": hosts], check: check, version: 1)) { _ in true }
        _ = try tables.build(try snapshot(of: [:], check: check, version: 2)) { _ in true }
        let last = try tables.build(try snapshot(of: ["new": hosts], check: check, version: 3)) { _ in true }
        #expect(last.checked.map(\.slot) == first.checked.map(\.slot))
        #expect(last.checked.map(\.edition) != first.checked.map(\.edition))
    }

    @Test
    func `a route has its service's limits, clients, flow log and fields, with what is right where nothing was said`()
        throws
    {
        func table(_ carriage: Carriage, limits: ServerLimits = .standard, flowLog: FlowLog = .standard) throws -> (
            table: RoutingTable, route: RoutingTable.Route
        ) {
            let server = try Server(
                name: ServerName("za1"), region: RegionName("af-south-1"), hostname: DomainName("za1.dfree.test"),
                addresses: [Address("127.0.0.1")], limits: limits, flowLog: flowLog)
            var registry = TableBuilder(monitor: (1, 1), seed: 1)
            let name = try ServiceName("a")
            let outcome = try registry.build(
                try Snapshot(
                    incarnation: Incarnation(1), version: SnapshotVersion(1),
                    settings: ServerSettings(server: server, policy: EndpointPolicy()), services: [name: carriage])
            ) { _ in true }
            return (outcome.table, outcome.table.view.route(try #require(registry.slot(of: name))))
        }
        let domains = [try ClientDomain("app.acme.test")]
        let endpoint = try Endpoint(EndpointTarget(host: EndpointHost("origin.example")))
        let client = try Address("192.0.2.1")
        let (plain, route) = try table(Carriage(clientDomains: domains, endpoint: endpoint, forwardedFor: .replace))
        #expect(route.limits.connections == .max && route.limits.newConnections == .max)
        #expect(route.limits.clientConnections == 4096 && route.limits.newClientConnections == 1000)
        #expect(route.limits.minimumRate == 100 && route.flowLog.oneIn == 0 && route.flowLog.interval == 300)
        #expect(route.forwardedFields == .strip && plain.view.admits(client, to: route))
        #expect(plain.view.limits.clientConnections == 8192 && plain.view.limits.newClientConnections == 2000)
        #expect(plain.view.limits.clientOpenings == 1024 && plain.view.limits.minimumRate == 100)
        let (other, set) = try table(
            Carriage(
                clientDomains: domains, endpoint: endpoint, forwardedFields: .set,
                limits: ServiceLimits(
                    connections: Limit(1), newConnections: Limit(2), clientConnections: Limit(3),
                    newClientConnections: .unlimited, minimumRate: 0),
                access: ClientAccess(deny: [Prefix("192.0.2.0/24")]), flowLog: FlowLog(oneIn: 7)),
            limits: ServerLimits(
                clientConnections: Limit(4), newClientConnections: .unlimited, clientOpenings: Limit(5), minimumRate: 6),
            flowLog: FlowLog(oneIn: 8, interval: 9))
        #expect(set.limits.connections == 1 && set.limits.newConnections == 2 && set.limits.clientConnections == 3)
        #expect(set.limits.newClientConnections == .max && set.limits.minimumRate == 0)
        #expect(set.flowLog.oneIn == 7 && set.flowLog.interval == 9 && set.forwardedFields == .set)
        #expect(!other.view.admits(client, to: set))
        let stranger = try Address("198.51.100.1")
        #expect(other.view.admits(stranger, to: set))
        #expect(other.view.limits.clientConnections == 4 && other.view.limits.newClientConnections == .max)
        #expect(other.view.limits.clientOpenings == 5 && other.view.limits.minimumRate == 6)
        #expect(other.view.flowLog.oneIn == 8 && other.view.flowLog.interval == 9)
    }
}
