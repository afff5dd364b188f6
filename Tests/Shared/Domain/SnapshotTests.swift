import Domain
import Testing

@Suite struct `Snapshot values` {
    static func settings(hostname: String = "za1.dfree.test", defaults: [String: String] = [:]) throws -> ServerSettings
    {
        var services: [Address: ServiceName] = [:]
        for (address, name) in defaults { services[try Address(address)] = try ServiceName(name) }
        return ServerSettings(
            server: try Server(
                name: ServerName("za1"), region: RegionName("af"), hostname: DomainName(hostname),
                addresses: [Address("192.0.2.1"), Address("192.0.2.2")], defaultServices: services),
            policy: EndpointPolicy())
    }

    static func services(_ domains: [String: [String]], origin: String = "origin.test.example") throws -> [ServiceName:
        Carriage]
    {
        var services: [ServiceName: Carriage] = [:]
        for (name, texts) in domains {
            services[try ServiceName(name)] = try Carriage(
                clientDomains: texts.map { try ClientDomain($0) },
                endpoint: Endpoint(EndpointTarget(host: EndpointHost(origin))))
        }
        return services
    }

    static func snapshot(
        settings: ServerSettings? = nil, _ services: [ServiceName: Carriage]
    ) throws -> Snapshot {
        try Snapshot(
            incarnation: Incarnation(1), version: SnapshotVersion(1),
            settings: settings ?? `Snapshot values`.settings(), services: services)
    }

    @Test func `is refused with every inconsistency, not only the first`() throws {
        let settings = try `Snapshot values`.settings(defaults: ["192.0.2.1": "nowhere", "192.0.2.2": "a"])
        let services = try `Snapshot values`.services([
            "a": ["app.example.test", "x.example.test"], "b": ["app.example.test"], "c": ["za1.dfree.test"],
            "d": ["*.dfree.test"],
        ])
        let error = #expect(throws: Snapshot.Inconsistency.self) {
            try `Snapshot values`.snapshot(settings: settings, services)
        }
        #expect(
            error?.reasons == [
                "client domain app.example.test belongs to both service a and service b",
                "client domain za1.dfree.test of service c is the host name of this server's monitor endpoint",
                "the default service of 192.0.2.1 is nowhere, which this server does not carry",
            ])
    }

    @Test func `changed by a difference is refused for what the difference makes inconsistent`() throws {
        let before = try `Snapshot values`.snapshot(
            `Snapshot values`.services(["a": ["a.test.example"], "b": ["b.test.example"]]))
        func applying(
            _ carried: [String: [String]], removed: [String] = [], settings: ServerSettings? = nil, base: UInt64 = 1,
            version: UInt64 = 2
        ) throws -> [String] {
            let difference = SnapshotDifference(
                base: SnapshotVersion(base), version: SnapshotVersion(version), settings: settings,
                carried: try `Snapshot values`.services(carried), removed: Set(try removed.map { try ServiceName($0) }))
            do {
                _ = try before.applying(difference)
                return []
            } catch {
                return error.reasons
            }
        }
        #expect(try applying(["c": ["a.test.example"]]).count == 1)
        #expect(try applying(["c": ["a.test.example"]], removed: ["a"]) == [])
        // Two services change places.
        #expect(try applying(["a": ["b.test.example"], "b": ["a.test.example"]]) == [])
        #expect(try applying(["c": ["c.test.example"], "d": ["c.test.example"]]).count == 1)
        #expect(try applying(["c": ["za1.dfree.test"]]).count == 1)
        #expect(try applying([:], settings: `Snapshot values`.settings(hostname: "a.test.example")).count == 1)
        #expect(try applying([:], settings: `Snapshot values`.settings(defaults: ["192.0.2.1": "c"])).count == 1)
        #expect(try applying([:], removed: ["x", "y"]).count == 2)
        #expect(try applying([:], base: 3, version: 4).count == 1)
        #expect(try applying([:], base: 0, version: 0).count == 2)
    }

    @Test func `whose default service is removed is refused, though nothing else is touched`() throws {
        let settings = try `Snapshot values`.settings(defaults: ["192.0.2.1": "a"])
        let before = try `Snapshot values`.snapshot(
            settings: settings, `Snapshot values`.services(["a": ["a.test.example"]]))
        let difference = SnapshotDifference(
            base: SnapshotVersion(1), version: SnapshotVersion(2), settings: nil, carried: [:],
            removed: [try ServiceName("a")])
        #expect(throws: Snapshot.Inconsistency.self) { try before.applying(difference) }
    }

    @Test func `has a digest that tells apart whatever can differ`() throws {
        var digests: Set<Digest> = []
        let target = EndpointTarget(host: try EndpointHost("o.test.example"))
        let name = try ServiceName("a")
        func add(
            _ domains: [String], _ target: EndpointTarget, fallbacks: [EndpointTarget] = [], accept: Bool = false,
            send: SendProxyProtocol = .off, forwarded: ForwardedFor = .append, as name: ServiceName
        ) throws {
            let carriage = try Carriage(
                clientDomains: domains.map { try ClientDomain($0) },
                endpoint: Endpoint(target, fallbacks: fallbacks),
                acceptProxyProtocol: accept, sendProxyProtocol: send, forwardedFor: forwarded)
            #expect(digests.insert(carriage.digest(as: name)).inserted)
        }
        let other = EndpointTarget(host: try EndpointHost("192.0.2.1"))
        try add(["a.test.example"], target, as: name)
        try add(["a.test.example"], target, as: try ServiceName("b"))
        try add(["*.a.test.example"], target, as: name)
        try add(["a.test.example", "b.test.example"], target, as: name)
        try add(["b.test.example", "a.test.example"], target, as: name)
        try add(["a.test.example"], other, as: name)
        try add(["a.test.example"], target, fallbacks: [other], as: name)
        try add(["a.test.example"], EndpointTarget(host: target.host, httpPort: try Port(8080)), as: name)
        try add(["a.test.example"], EndpointTarget(host: target.host, httpsPort: try Port(8080)), as: name)
        try add(["a.test.example"], target, accept: true, as: name)
        try add(["a.test.example"], target, send: .v1, as: name)
        try add(["a.test.example"], target, send: .v2, as: name)
        try add(["a.test.example"], target, forwarded: .off, as: name)
        for number in 0..<20_000 { try add(["app\(number).test.example"], target, as: name) }
    }

    @Test func `has the same digest in whatever order its parts came`() throws {
        let services = try `Snapshot values`.services(["a": ["a.test.example"], "b": ["b.test.example"]])
        let whole = try `Snapshot values`.snapshot(services)
        let empty = try `Snapshot values`.snapshot([:])
        let difference = SnapshotDifference(
            base: SnapshotVersion(1), version: SnapshotVersion(1), settings: nil, carried: services, removed: [])
        #expect(try empty.applying(difference) == whole)
        #expect(whole.digest.description.count == 32)
    }
}
