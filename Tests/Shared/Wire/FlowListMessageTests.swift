import Domain
import Testing
import Wire

@Suite struct `Lists of flows in messages` {
    private static func flow(_ change: (inout OpenFlow) -> Void = { _ in }) throws -> OpenFlow {
        var flow = OpenFlow(
            owner: .service(try ServiceName("acme-app")), isHTTP: false, stage: .relaying,
            client: try TransportAddress("[2001:db8::7]:50000"), called: try TransportAddress("192.0.2.1:443"),
            endpoint: try TransportAddress("198.51.100.1:8443"), bytesUp: 517, bytesDown: .max,
            age: .milliseconds(86_400_123), idle: .milliseconds(100), worker: 3)
        change(&flow)
        return flow
    }

    @Test func `come out as they went in`() throws {
        var flows = try OpenFlow.Stage.allCases.map { stage in try Self.flow { $0.stage = stage } }
        flows += [
            try Self.flow { $0.owner = .monitor }, try Self.flow { $0.owner = .nobody },
            try Self.flow { $0.isHTTP = true },
            try Self.flow { ($0.client, $0.called, $0.endpoint) = (nil, nil, nil) },
            try Self.flow { $0.target = 0 }, try Self.flow { $0.target = 2 }, try Self.flow { $0.age = .zero },
        ]
        for isComplete in [true, false] {
            let list = FlowList(flows: flows, matching: 1_000_000, isComplete: isComplete)
            let message = WireFlowList(command: 9, list)
            #expect(message.command == 9 && message.refusal.isEmpty)
            #expect(try FlowList(message) == list)
        }
    }

    @Test func `that are as long as they may be fit into a frame with ease`() throws {
        let name = try ServiceName(String(repeating: "a", count: 63))
        let end = try TransportAddress("[2001:db8:1111:2222:3333:4444:5555:6666]:65535")
        let flow = OpenFlow(
            owner: .service(name), isHTTP: true, stage: .lingering, client: end, called: end, endpoint: end, target: 9,
            bytesUp: .max, bytesDown: .max, age: .seconds(1_000_000_000), idle: .seconds(1_000_000_000), worker: 1000)
        let flows = [OpenFlow](repeating: flow, count: FlowQuery.limits.upperBound)
        let list = FlowList(flows: flows, matching: .max, isComplete: true)
        let frame = WireFrame.flowList(WireFlowList(command: .max, list))
        let octets = try FrameEncoder(longestFrame: ChannelRules.longestFrameUp).encoded(frame)
        #expect(octets.count < ChannelRules.longestFrameUp / 2)
    }

    @Test func `are asked for by queries that come out as they went in`() throws {
        let service = try ServiceName("acme-app")
        let queries = try [
            FlowQuery(), FlowQuery(service: service), FlowQuery(client: Prefix("2001:db8::/32")),
            FlowQuery(service: service, client: Prefix("192.0.2.7"), limit: 1), FlowQuery(limit: 1000),
        ]
        for query in queries { #expect(try FlowQuery(WireListFlows(query)) == query) }
    }

    @Test(arguments: [0, 1001, -1, Int.max]) func `are never longer than a thousand`(limit: Int) {
        #expect(throws: InvalidValue.self) { try FlowQuery(limit: limit) }
    }

    @Test func `are refused with every reason when they cannot be`() throws {
        var query = WireListFlows()
        query.service = "Not A Name"
        query.client = "10.0.0.1/8"
        let refusal = #expect(throws: InvalidMessage.self) { try FlowQuery(query) }
        #expect(refusal?.reasons.count == 3, "service, client and limit: \(refusal?.description ?? "")")

        let spoilt: [(String, (inout WireOpenFlow) -> Void)] = [
            ("service: ", { $0.service = "Not A Name" }), ("client: ", { $0.client = "nowhere" }),
            ("called: ", { $0.called = "192.0.2.1" }), ("endpoint: ", { $0.endpoint = "192.0.2.1:65536" }),
            ("stage: 9", { $0.stage = .UNRECOGNIZED(9) }),
        ]
        for (reason, spoil) in spoilt {
            let list = FlowList(flows: [try Self.flow()], matching: 1, isComplete: true)
            var message = WireFlowList(command: 1, list)
            spoil(&message.flows[0])
            let refusal = #expect(throws: InvalidMessage.self) { try FlowList(message) }
            #expect(refusal?.reasons.first?.hasPrefix(reason) == true, "\(refusal?.description ?? "")")
        }
        var long = WireFlowList()
        long.flows = [WireOpenFlow](repeating: WireOpenFlow(), count: 1001)
        #expect(throws: InvalidMessage.self) { try FlowList(long) }
    }

    @Test func `with numbers that cannot be true are read all the same`() throws {
        var message = WireFlowList()
        var flow = WireOpenFlow()
        flow.ageMilliseconds = .max
        flow.idleMilliseconds = .max
        flow.target = .max
        flow.worker = .max
        message.flows = [flow]
        let read = try #require(try FlowList(message).flows.first)
        #expect(read.age == .milliseconds(3_155_760_000_000))
        #expect(read.worker == Int(UInt32.max))
    }
}
