import Domain
import Testing
import Wire

@testable import Probing

@Suite struct `Probe plan` {
    static func server(
        _ name: String, region: String, monitoring: MonitoringOverrides = MonitoringOverrides()
    ) throws -> Server {
        try Server(
            name: ServerName(name), region: RegionName(region), hostname: DomainName("\(name).dfree.test"),
            addresses: [Address("192.0.2.1"), Address("2001:db8::1")], monitoring: monitoring)
    }

    static func service(_ name: String, on servers: [String], isChecked: Bool = true) throws -> Service {
        let domain = try DomainName("\(name).acme.test")
        return try Service(
            name: ServiceName(name), customer: CustomerName("acme"),
            carriage: Carriage(
                clientDomains: [ClientDomain(domain.text)],
                endpoint: Endpoint(EndpointTarget(host: EndpointHost("origin.acme.test")))),
            primary: ServerName(servers[0]), standbys: servers.dropFirst().map { try ServerName($0) },
            check: isChecked ? ServiceCheck(host: domain, path: "/health") : nil)
    }

    static func plan(
        _ servers: [Server], _ services: [Service] = [], connected: Set<ServerName> = []
    ) -> ProbePlan {
        ProbePlan(
            servers: Dictionary(uniqueKeysWithValues: servers.map { ($0.name, $0) }),
            services: Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0) }), monitoring: .standard,
            connected: connected)
    }

    @Test func `the control plane probes every server, whether it carries anything or not`() throws {
        let plan = `Probe plan`.plan([
            try `Probe plan`.server("za1", region: "south"), try `Probe plan`.server("ie1", region: "north"),
        ])
        #expect(plan.targets.map(\.server.text) == ["ie1", "za1"])
        let target = try #require(plan.targets.last)
        #expect(target.hostname.text == "za1.dfree.test")
        #expect(target.interval == .seconds(2))
        #expect(target.timeout == .seconds(1))
        #expect(
            target.series.first?.question.doors.map { "\($0.address) \($0.usesTLS)" } == [
                "192.0.2.1:80 false", "192.0.2.1:443 true", "[2001:db8::1]:80 false", "[2001:db8::1]:443 true",
            ])
    }

    @Test func `a data plane probes the servers of other regions`() throws {
        let plan = `Probe plan`.plan([
            try `Probe plan`.server("za1", region: "south"), try `Probe plan`.server("za2", region: "south"),
            try `Probe plan`.server("ie1", region: "north"),
        ])
        let lists = Dictionary(
            uniqueKeysWithValues: plan.targetsByServer.map { ($0.key.text, $0.value.map(\.server.text)) })
        #expect(lists == ["za1": ["ie1"], "za2": ["ie1"], "ie1": ["za1", "za2"]])
    }

    /// Three regions of ten servers each, those connected that are not named.
    private static func largeFleet(but missing: Set<String> = []) throws -> ProbePlan {
        let servers = try ["south", "north", "west"].flatMap { region in
            try (0..<10).map { try server("\(region)-\($0)", region: region) }
        }
        return plan(servers, connected: Set(servers.map(\.name).filter { !missing.contains($0.text) }))
    }

    /// Who probes a server.
    private static func vantages(of server: String, in plan: ProbePlan) -> Set<String> {
        Set(plan.targetsByServer.filter { $0.value.contains { $0.server.text == server } }.map(\.key.text))
    }

    @Test func `of a large fleet six data planes probe each server, of all other regions, and each of them a few`()
        throws
    {
        let plan = try `Probe plan`.largeFleet()
        for target in plan.targets {
            let vantages = `Probe plan`.vantages(of: target.server.text, in: plan)
            let region = target.server.text.prefix { $0 != "-" }
            let regions = Dictionary(grouping: vantages) { $0.prefix { $0 != "-" } }
            #expect(regions.count == 2 && regions[region] == nil && regions.values.allSatisfy { $0.count == 3 })
        }
        #expect(plan.targetsByServer.values.allSatisfy { (1...14).contains($0.count) }, "six are fair")
    }

    @Test func `a data plane that is away is stood in for by another one, and the others go on as they were`() throws {
        let before = try `Probe plan`.largeFleet()
        let lost = try #require(`Probe plan`.vantages(of: "south-0", in: before).min())
        let after = try `Probe plan`.largeFleet(but: [lost])
        for target in before.targets.map(\.server.text) {
            let (old, new) = (
                `Probe plan`.vantages(of: target, in: before), `Probe plan`.vantages(of: target, in: after)
            )
            #expect(new.count == 6 && !new.contains(lost))
            #expect(old.subtracting(new) == (old.contains(lost) ? [lost] : []))
        }
    }

    @Test func `where there are few data planes all of them are asked, whoever is connected`() throws {
        let servers = try (0..<7).map { try `Probe plan`.server("s\($0)", region: "r\($0)") }
        #expect(`Probe plan`.plan(servers) == `Probe plan`.plan(servers, connected: [servers[3].name]))
        #expect(`Probe plan`.plan(servers).targetsByServer.values.allSatisfy { $0.count == 6 })
    }

    @Test func `a service is checked through every server that carries it`() throws {
        let plan = `Probe plan`.plan(
            [
                try `Probe plan`.server("za1", region: "south"), try `Probe plan`.server("ie1", region: "north"),
                try `Probe plan`.server("us1", region: "west"),
            ],
            [
                try `Probe plan`.service("shop", on: ["za1", "ie1"]),
                try `Probe plan`.service("plain", on: ["za1"], isChecked: false),
                try `Probe plan`.service("app", on: ["za1"]),
            ])
        let checks = Dictionary(
            uniqueKeysWithValues: plan.targets.map { ($0.server.text, $0.checks.map(\.service.text)) })
        #expect(checks == ["za1": ["app", "shop"], "ie1": ["shop"], "us1": []])
        let series = plan.targets.first { $0.server.text == "ie1" }?.series ?? []
        #expect(series.count == 2)
        #expect(series.last?.question.host.text == "shop.acme.test")
        #expect(series.last?.question.doors.map(\.address.description) == ["192.0.2.1:443"])
    }

    @Test func `a server's own settings go before the fleet's`() throws {
        var overrides = MonitoringOverrides()
        overrides.interval = 60
        overrides.timeout = 10
        overrides.httpPort = try Port(8080)
        overrides.httpsPort = try Port(8443)
        let plan = `Probe plan`.plan([try `Probe plan`.server("za1", region: "south", monitoring: overrides)])
        let target = try #require(plan.targets.first)
        #expect(target.interval == .seconds(60))
        #expect(target.timeout == .seconds(10))
        #expect(target.series.first?.question.doors.first?.address.port == 8080)
        #expect(target.series.first?.question.doors.last?.address.port == 8443)
    }

    @Test func `what is too much is cut in the order of names, and servers that nobody probes are told`() throws {
        let names = (0..<260).map { "server-\(1000 + $0)" }
        let services = try (0..<250).map { try `Probe plan`.service("service-\(1000 + $0)", on: [names[0]]) }
        let plan = `Probe plan`.plan(
            try names.map { try `Probe plan`.server($0, region: $0 == "server-1000" ? "south" : "north") }, services)
        #expect(plan.targets.count == 256)
        #expect(plan.unwatched.map(\.text) == ["server-1256", "server-1257", "server-1258", "server-1259"])
        #expect(plan.targets.first?.checks.count == 200)
        #expect(plan.targets.first?.checks.last?.service.text == "service-1199")
        #expect(plan.unchecked.mapValues(\.count) == [try ServerName("server-1000"): 50])
        #expect(plan.targetsByServer[try ServerName("server-1000")]?.count == 256)
        #expect(
            plan.targetsByServer.values.count { $0.map(\.server.text) == ["server-1000"] } == ProbePlan.mostVantages)
    }

    @Test func `becomes the list that a data plane is sent`() throws {
        let plan = `Probe plan`.plan(
            [try `Probe plan`.server("za1", region: "south")], [try `Probe plan`.service("shop", on: ["za1"])])
        let watch = WireWatch(plan.targets)
        let target = try #require(watch.targets.first)
        #expect(target.server == "za1")
        #expect(target.hostname == "za1.dfree.test")
        #expect(target.addresses == ["192.0.2.1", "2001:db8::1"])
        #expect(target.httpPort == 80)
        #expect(target.httpsPort == 443)
        #expect(target.intervalMilliseconds == 2000)
        #expect(target.timeoutMilliseconds == 1000)
        let check = try #require(target.checks.first)
        #expect(check.service == "shop")
        #expect(check.host == "shop.acme.test")
        #expect(check.path == "/health")
        #expect(check.usesTls)
    }
}
