import Domain
import Testing
import Wire

/// The options of services and servers that were added to the channel later than the rest.
@Suite struct `Options in messages` {
    private static func carriage(
        forwardedFields: ForwardedFields? = nil, limits: ServiceLimits = .standard, access: ClientAccess = .open,
        flowLog: FlowLog = .standard
    ) throws -> Carriage {
        try Carriage(
            clientDomains: [ClientDomain("app.acme.example")],
            endpoint: Endpoint(EndpointTarget(host: EndpointHost("192.0.2.1"))), forwardedFields: forwardedFields,
            limits: limits, access: access, flowLog: flowLog)
    }

    private static func snapshot(
        _ carriage: Carriage, limits: ServerLimits = .standard, flowLog: FlowLog = .standard
    ) throws -> Snapshot {
        try Snapshot(
            incarnation: Sample.incarnation, version: SnapshotVersion(1),
            settings: ServerSettings(
                server: Server(
                    name: ServerName("za1"), region: RegionName("r"), hostname: DomainName("za1.dfree.test"),
                    addresses: [Address("192.0.2.1")], limits: limits, flowLog: flowLog), policy: EndpointPolicy()),
            services: [Sample.name(0): carriage])
    }

    private static func option(_ make: (inout WireServiceOption) -> Void) -> WireServiceOption {
        var option = WireServiceOption()
        make(&option)
        return option
    }

    private static func carriages() throws -> [Carriage] {
        var carriages = try ForwardedFields.allCases.map { try carriage(forwardedFields: $0) }
        carriages += [
            try carriage(limits: ServiceLimits(connections: .unlimited)),
            try carriage(limits: ServiceLimits(connections: Limit(1))),
            try carriage(limits: ServiceLimits(newConnections: Limit(1))),
            try carriage(limits: ServiceLimits(clientConnections: Limit(1_000_000_000))),
            try carriage(limits: ServiceLimits(newClientConnections: .unlimited)),
            try carriage(limits: ServiceLimits(minimumRate: 0)), try carriage(limits: ServiceLimits(minimumRate: 1)),
            try carriage(access: ClientAccess(allow: [Prefix("10.0.0.0/8")])),
            try carriage(access: ClientAccess(deny: [Prefix("10.0.0.0/8")])),
            try carriage(access: ClientAccess(allow: [Prefix("::/0")], deny: [Prefix("2001:db8::1/128")])),
            try carriage(flowLog: FlowLog(oneIn: 0)), try carriage(flowLog: FlowLog(oneIn: 1)),
            try carriage(flowLog: FlowLog(interval: 0)), try carriage(flowLog: FlowLog(oneIn: 100, interval: 86_400)),
        ]
        return carriages
    }

    @Test func `of services come out as they went in, and no two have the same digest`() throws {
        let carriages = try Self.carriages()
        for carriage in carriages {
            let snapshot = try Self.snapshot(carriage)
            #expect(try SnapshotContent(WireSnapshot(snapshot)) == .whole(snapshot))
        }
        let name = try Sample.name(0)
        let digests = carriages.map { $0.digest(as: name) } + [try Self.carriage().digest(as: name)]
        #expect(Set(digests).count == digests.count)
        #expect(Set(carriages + [try Self.carriage()]).count == digests.count)
    }

    @Test func `of servers come out as they went in, and no two have the same digest`() throws {
        let plain = try Self.carriage()
        var snapshots = [try Self.snapshot(plain)]
        let limits = [
            try ServerLimits(clientConnections: Limit(1)), try ServerLimits(newClientConnections: Limit(1)),
            try ServerLimits(clientOpenings: Limit(1)), try ServerLimits(clientOpenings: .unlimited),
            try ServerLimits(minimumRate: 0),
        ]
        snapshots += try limits.map { try Self.snapshot(plain, limits: $0) }
        snapshots += try [FlowLog(oneIn: 0), FlowLog(oneIn: 5), FlowLog(interval: 5)].map {
            try Self.snapshot(plain, flowLog: $0)
        }
        for snapshot in snapshots { #expect(try SnapshotContent(WireSnapshot(snapshot)) == .whole(snapshot)) }
        #expect(Set(snapshots.map(\.digest)).count == snapshots.count)
    }

    @Test func `that nobody has set are not sent, and leave the digest as it was before there were any`() throws {
        let snapshot = try Self.snapshot(Self.carriage())
        let message = WireSnapshot(snapshot)
        #expect(message.settings.options.isEmpty && message.services[0].options.isEmpty)
        #expect(message.services[0].allow.isEmpty && message.services[0].deny.isEmpty)
        // Computed from the encoding as it was before, without this code.
        #expect(snapshot.digest.description == "11106a1bd5951b14a0dd8ac4456f5f51")
    }

    @Test func `that cannot be are refused, with the service and the reason`() throws {
        let spoilt: [(String, (inout WireService) -> Void)] = [
            (
                "setting 9 for forwarded fields",
                { $0.options = [Self.option { $0.forwardedFields = .UNRECOGNIZED(9) }] }
            ),
            ("limits: '4294967295' is no limit", { $0.options = [Self.option { $0.limits.connections = .max }] }),
            (
                "limits: '1000001' is no minimum rate",
                { $0.options = [Self.option { $0.limits.minimumRate = 1_000_001 }] }
            ),
            ("has an option that this release does not know", { $0.options = [WireServiceOption()] }),
            (
                "has two options for flow log",
                { $0.options = [WireServiceOption](repeating: Self.option { $0.flowLog.oneIn = 1 }, count: 2) }
            ),
            ("clients: 'x'", { $0.allow = ["x"] }),
            ("clients: '10.0.0.1/8' has bits set", { $0.deny = ["10.0.0.0/8", "10.0.0.1/8"] }),
            ("clients: '1001' are too many", { $0.deny = (0...1000).map { "10.\($0 / 256).\($0 % 256).0/24" } }),
            ("flow log: '1000001' is no sampling", { $0.options = [Self.option { $0.flowLog.oneIn = 1_000_001 }] }),
            (
                "flow log: '86401' is no interval",
                { $0.options = [Self.option { $0.flowLog.intervalSeconds = 86_401 }] }
            ),
        ]
        for (reason, spoil) in spoilt {
            var message = WireSnapshot(try Self.snapshot(Self.carriage()))
            spoil(&message.services[0])
            let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
            #expect(error?.reasons.count == 1)
            #expect(error?.reasons.first?.hasPrefix("service service-0: ") == true)
            #expect(error?.reasons.first?.contains(reason) == true, "\(error?.reasons ?? [])")
        }
        var message = WireSnapshot(try Self.snapshot(Self.carriage()))
        var options = [WireServerOption(), WireServerOption(), WireServerOption()]
        options[0].limits.clientOpenings = .max
        options[1].flowLog.oneIn = .max
        message.settings.options = options
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        #expect(error?.reasons.count == 3)
    }
}
