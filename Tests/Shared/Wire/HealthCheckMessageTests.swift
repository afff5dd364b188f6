import Domain
import Testing
import Wire

@Suite struct `Health checks in messages` {
    private func snapshot(_ check: HealthCheck?) throws -> Snapshot {
        let fallback = EndpointTarget(host: try EndpointHost("192.0.2.9"))
        let carriage = try Carriage(
            clientDomains: [ClientDomain("app.acme.example")],
            endpoint: Endpoint(
                EndpointTarget(host: EndpointHost("192.0.2.1")), fallbacks: [fallback], check: check))
        return try Snapshot(
            incarnation: Sample.incarnation, version: SnapshotVersion(1),
            settings: ServerSettings(
                server: Server(
                    name: ServerName("za1"), region: RegionName("r"), hostname: DomainName("za1.dfree.test"),
                    addresses: [Address("192.0.2.1")]), policy: EndpointPolicy()),
            services: [Sample.name(0): carriage])
    }

    @Test(arguments: HealthCheck.Kind.allCases)
    func `come out as they went in`(kind: HealthCheck.Kind) throws {
        let extremes = [
            try HealthCheck(
                kind: kind, path: "/h?a=b&c=%20", interval: 3600, timeout: 3600, rise: 100, fall: 100, holdDown: 86_400),
            try HealthCheck(kind: kind, interval: 1, timeout: 1, rise: 1, fall: 1, holdDown: 0),
            try HealthCheck(kind: kind),
        ]
        for check in extremes {
            let snapshot = try snapshot(check)
            #expect(try SnapshotContent(WireSnapshot(snapshot)) == .whole(snapshot))
        }
    }

    @Test func `that come or go are a difference, and another digest`() throws {
        let (without, with) = (try snapshot(nil), try snapshot(HealthCheck(kind: .tcp)))
        #expect(without.digest != with.digest)
        #expect(with.difference(from: without).carried.count == 1)
        #expect(WireSnapshot(without).services[0].hasHealthCheck == false)
        #expect(WireSnapshot(with).services[0].hasHealthCheck)
    }

    @Test func `that cannot be are refused, with the service and the reason`() throws {
        let spoilt: [(String, (inout WireHealthCheck) -> Void)] = [
            ("health check 9", { $0.kind = .UNRECOGNIZED(9) }), ("'0' is no interval", { $0.intervalSeconds = 0 }),
            ("'4294967295' is no interval", { $0.intervalSeconds = .max }),
            ("'6' is no timeout", { $0.timeoutSeconds = 6 }), ("'0' is no timeout", { $0.timeoutSeconds = 0 }),
            ("'0' is no number of checks", { $0.rise = 0 }), ("'101' is no number of checks", { $0.fall = 101 }),
            ("'86401' is no hold-down", { $0.holdDownSeconds = 86_401 }), ("'' is no path", { $0.path = "" }),
            ("is no path", { $0.path = "/a\r\nHost: b" }),
        ]
        for (reason, spoil) in spoilt {
            var message = WireSnapshot(try snapshot(HealthCheck(kind: .http)))
            spoil(&message.services[0].healthCheck)
            let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
            #expect(error?.reasons.count == 1)
            #expect(error?.reasons.first?.hasPrefix("service service-0: ") == true)
            #expect(error?.reasons.first?.contains(reason) == true, "\(error?.reasons ?? [])")
        }
    }
}
