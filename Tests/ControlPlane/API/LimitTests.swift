import Domain
import Hummingbird
import Testing

@testable import Fleet
@testable import JSON
@testable import Store

@Suite struct `Limits and what belongs to them, through the API` {
    @Test func `are what is standard where nobody says anything`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let service = try await bench.get("/services/acme-app")
            #expect(service["limits"] == ServiceLimits.standard.document)
            #expect(service["limits"]?.object?["clientConnections"] == .null)
            #expect(service["allow"] == [] && service["deny"] == [] && service["forwardedFields"] == .null)
            #expect(service["flowLog"] == ["oneIn": .null, "intervalSeconds": .null])
            let server = try await bench.get("/servers/za1")
            #expect(server["limits"] == ServerLimits.standard.document)
            #expect(server["flowLog"] == ["oneIn": .null, "intervalSeconds": .null])
        }
    }

    @Test func `are set one by one, and go back to the standard with null`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let path = "/services/acme-app"
            _ = try await bench.patch(path, #"{"limits":{"connections":5000,"clientConnections":"unlimited"}}"#)
            let second = try await bench.patch(
                path,
                #"{"limits":{"connections":null,"minimumBytesPerSecond":0},"flowLog":{"oneIn":100},"deny":["10.0.0.0/8"],"forwardedFields":"set"}"#
            )
            #expect(second.status == 200, "\(second.text)")
            let carriage = bench.store.state.services[try ServiceName("acme-app")]?.carriage
            #expect(try carriage?.limits == ServiceLimits(clientConnections: .unlimited, minimumRate: 0))
            #expect(try carriage?.flowLog == FlowLog(oneIn: 100))
            #expect(try carriage?.access == ClientAccess(deny: [Prefix("10.0.0.0/8")]))
            #expect(carriage?.forwardedFields == .set)
            #expect(second["limits"]?.object?["clientConnections"] == "unlimited")
            #expect(second["limits"]?.object?["minimumBytesPerSecond"] == 0)
            _ = try await bench.patch(
                path, #"{"limits":null,"flowLog":null,"deny":null,"forwardedFields":null}"#)
            let back = bench.store.state.services[try ServiceName("acme-app")]?.carriage
            #expect(back?.limits == .standard && back?.flowLog == .standard && back?.access == .open)
            #expect(back?.forwardedFields == nil)

            let server = try await bench.patch(
                "/servers/za1", #"{"limits":{"clientOpenings":99},"flowLog":{"oneIn":1,"intervalSeconds":0}}"#)
            #expect(server.status == 200, "\(server.text)")
            let za1 = bench.store.state.servers[try ServerName("za1")]
            #expect(try za1?.limits == ServerLimits(clientOpenings: Limit(99)))
            #expect(try za1?.flowLog == FlowLog(oneIn: 1, interval: 0))
        }
    }

    @Test func `are in the answer about a service that an earlier release has stored`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.store.write { connection in
                for kind in ["services", "servers"] {
                    try connection.execute(
                        "UPDATE \(kind) SET document = json_remove(document, '$.limits', '$.flowLog', '$.allow', '$.deny', '$.forwardedFields')",
                        [])
                }
                try connection.execute(
                    "UPDATE changes SET after = json_remove(after, '$.limits', '$.flowLog', '$.allow', '$.deny', '$.forwardedFields') WHERE kind = 'service'",
                    [])
                return true
            }
            _ = try await bench.patch("/services/acme-app", #"{"forwardedFor":"off"}"#)
            let difference = try await bench.get("/versions/4/diff/5")
            guard case .array(let changes)? = difference["changes"], let change = changes.first?.object else {
                Issue.record("no difference: \(difference.text)")
                return
            }
            for side in ["before", "after"] { #expect(change[side]?.object?["allow"] == [], "\(side)") }
            let service = try await bench.get("/services/acme-app")
            #expect(service["limits"] == ServiceLimits.standard.document && service["allow"] == [])
            #expect(service["forwardedFields"] == .null && service["flowLog"] == FlowLog.standard.document)
            let server = try await bench.get("/servers/za1")
            #expect(server["limits"] == ServerLimits.standard.document)
            let state = try await StateReader(driver: bench.store.driver).read()
            #expect(state.services == bench.store.state.services && state.servers == bench.store.state.servers)
            let patched = try await bench.patch("/services/acme-app", #"{"limits":{"connections":3}}"#)
            #expect(patched.status == 200)
        }
    }
}

@Suite struct `Ports of endpoints, through the API` {
    private static func rules(_ allowed: String...) throws -> EndpointPorts {
        EndpointPorts(allowed: try allowed.map { try PortRange($0) })
    }

    @Test func `below 1024 are for the operator to open`() async throws {
        let ports = try Self.rules("25", "500-600")
        try await Bench.run(ports: ports) { bench in
            try await bench.furnish()
            for (port, status) in [(25, 200), (500, 200), (600, 200), (601, 422), (24, 422), (81, 422), (1024, 200)] {
                let answer = try await bench.patch("/services/acme-app", #"{"endpoint":{"httpPort":\#(port)}}"#)
                #expect(answer.status == status, "\(port): \(answer.text)")
            }
        }
    }

    @Test func `that a service has already are its own to keep, but not to take elsewhere`() async throws {
        try await withStore(ports: Self.rules("22")) { folder, store in
            _ = try await store.change(ChangeRequest(author: "test", action: "service.create", target: "old")) { _ in
                Proposal([
                    .customer(try CustomerName("acme"), before: nil, after: Customer(name: try CustomerName("acme"))),
                    .server(try ServerName("za1"), before: nil, after: try Self.server()),
                    .service(try ServiceName("old"), before: nil, after: try Self.service(port: 22)),
                ])
            }
            try await store.close()
            // The same database, where nobody has opened the port any more.
            let strict = try await Store.open(at: folder + "/control.db", exceptions: [])
            let old = try #require(strict.state.services[try ServiceName("old")])
            let standing = strict.state.standingEndpoints(against: EndpointPolicy(), strict.ports)
            #expect(standing.map(\.service.text) == ["old"] && standing.allSatisfy { !$0.isRefused })
            #expect(standing.first?.reason.contains("port 22") == true)
            func change(to after: Domain.Service) async throws {
                _ = try await strict.change(ChangeRequest(author: "test", action: "service.update", target: "old")) {
                    _ in Proposal([.service(old.name, before: old, after: after)])
                }
            }
            let error = await #expect(throws: Rejection.self) {
                try await change(to: Self.service(host: "elsewhere.test", port: 22))
            }
            #expect(error?.violations.map(\.pointer) == ["/endpoint/httpPort"])
            try await change(to: Self.service(port: 22, domain: "other.acme.test"))
            #expect(strict.version == SnapshotVersion(2))
            try await strict.close()
        }
    }

    @Test func `and addresses that no service could be given now are found at the start`() throws {
        let services = [
            try Self.service("azure", host: "168.63.129.16", port: 80), try Self.service("good", port: 8080),
            try Self.service("mail", port: 25),
        ]
        let state = FleetState(incarnation: Incarnation(1), version: SnapshotVersion(1), services: services)
        let standing = state.standingEndpoints(against: EndpointPolicy(), EndpointPorts())
        #expect(standing.map(\.service.text) == ["azure", "mail"])
        #expect(standing.map(\.isRefused) == [true, false])
    }

    private static func service(
        _ name: String = "old", host: String = "origin.test", port: Int, domain: String? = nil
    ) throws -> Domain.Service {
        try Domain.Service(
            name: ServiceName(name), customer: CustomerName("acme"),
            carriage: Carriage(
                clientDomains: [ClientDomain(domain ?? "\(name).acme.test")],
                endpoint: Endpoint(EndpointTarget(host: EndpointHost(host), httpPort: Port(port)))),
            primary: ServerName("za1"), standbys: [])
    }

    private static func server() throws -> Server {
        try Server(
            name: ServerName("za1"), region: RegionName("af"), hostname: DomainName("za1.dfree.test"),
            addresses: [Address("127.0.0.11")])
    }

    private func withStore(
        ports: EndpointPorts, _ body: (String, Store) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            try await body(folder, try await Store.open(at: folder + "/control.db", exceptions: [], ports: ports))
        }
    }
}
