import Domain
import Testing
import Wire

@testable import JSON

/// `GET /servers/{name}/flows`, with a data plane that answers as a test says.
@Suite(.timeLimit(.minutes(10))) struct `Listing open flows` {
    /// The next command that a data plane is given.
    private static func command(of client: ChannelClient) async throws -> WireCommand {
        guard case .command(let command) = try await client.nextMessage() else { throw ChannelClient.Failure.closed }
        return command
    }

    private static func list() throws -> FlowList {
        let flows = [
            OpenFlow(
                owner: .service(try ServiceName("solo")), isHTTP: false, stage: .relaying,
                client: try TransportAddress("[2001:db8::7]:50000"), called: try TransportAddress("192.0.2.1:443"),
                endpoint: try TransportAddress("198.51.100.1:8443"), bytesUp: 517, bytesDown: .max,
                age: .milliseconds(90_500), idle: .milliseconds(100), worker: 1),
            OpenFlow(owner: .monitor, isHTTP: true, stage: .dialling, target: 0),
        ]
        return FlowList(flows: flows, matching: 7, isComplete: false)
    }

    @Test func `a server is asked for what the query says, and its answer is shown`() async throws {
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                async let answer = bench.get("/servers/za1/flows?service=solo&client=192.0.2.0/24&limit=2")
                let command = try await Self.command(of: client)
                let query = try FlowQuery(
                    service: ServiceName("solo"), client: Prefix("192.0.2.0/24"), limit: 2)
                #expect(try FlowQuery(command.listFlows) == query)
                try await client.send(.flowList(WireFlowList(command: command.id, Self.list())))
                let shown = try await answer
                #expect(shown.status == 200)
                #expect(shown["server"] == "za1")
                #expect(shown["matching"] == 7)
                #expect(shown["complete"] == false)
                let flows: JSONValue = [
                    [
                        "service": "solo", "monitor": false, "protocol": "https", "stage": "relaying",
                        "client": "[2001:db8::7]:50000", "called": "192.0.2.1:443", "endpoint": "198.51.100.1:8443",
                        "target": .null, "bytesUp": 517, "bytesDown": .integer(.max), "ageMilliseconds": 90500,
                        "idleMilliseconds": 100, "worker": 1,
                    ],
                    [
                        "service": .null, "monitor": true, "protocol": "http", "stage": "dialling", "client": .null,
                        "called": .null, "endpoint": .null, "target": 0, "bytesUp": 0, "bytesDown": 0,
                        "ageMilliseconds": 0, "idleMilliseconds": 0, "worker": 0,
                    ],
                ]
                #expect(shown["flows"] == flows)

                async let all = bench.get("/servers/za1/flows")
                let second = try await Self.command(of: client)
                #expect(try FlowQuery(second.listFlows) == FlowQuery())
                let nothing = FlowList(flows: [], matching: 0, isComplete: true)
                try await client.send(.flowList(WireFlowList(command: second.id, nothing)))
                #expect(try await all["flows"] == [])
            }
        }
    }

    @Test func `a refusal, and an answer that makes no sense, are told`() async throws {
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                async let refused = bench.get("/servers/za1/flows")
                let first = try await Self.command(of: client)
                try await client.send(.flowList(WireFlowList(command: first.id, refusal: "4 other lists")))
                let answer = try await refused
                #expect(answer.status == 503 && answer.headers[.retryAfter] != nil)
                #expect(answer.text.contains("does not list its flows now: 4 other lists."))

                async let spoilt = bench.get("/servers/za1/flows")
                let second = try await Self.command(of: client)
                var message = WireFlowList(command: second.id, try Self.list())
                message.flows[0].client = "nowhere"
                try await client.send(.flowList(message))
                let told = try await spoilt
                #expect(told.status == 503)
                #expect(told.text.contains("makes no sense: client: 'nowhere'"))
            }
        }
    }

    @Test func `a data plane of an older release does not answer, and the operator is told what that may mean`()
        async throws
    {
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                let answer = try await bench.get("/servers/za1/flows")
                #expect(answer.status == 503)
                #expect(answer.text.contains("did not answer in time. Its software (test) may be of a release"))
                let late = try await Self.command(of: client)
                try await client.send(.flowList(WireFlowList(command: late.id, Self.list())))
                // The session goes on.
                async let again = bench.get("/servers/za1/flows")
                let command = try await Self.command(of: client)
                try await client.send(.flowList(WireFlowList(command: command.id, Self.list())))
                #expect(try await again.status == 200)
            }
        }
    }

    @Test func `a session that ends meanwhile, and none at all, are conflicts`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let none = try await bench.get("/servers/ie1/flows")
            #expect(none.status == 409)
            #expect(none.text.contains("Server ie1 is not connected"))
        }
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                async let answer = bench.get("/servers/za1/flows")
                _ = try await Self.command(of: client)
                try await client.send(.goodbye("the test is over"))
                #expect(try await answer.status == 409)
            }
        }
    }

    @Test(arguments: [
        ("nobody/flows", 404, "There is no server 'nobody'"),
        ("za1/flows?service=nobody", 404, "There is no service 'nobody'"),
        ("za1/flows?service=Not+A", 400, "service: "), ("za1/flows?client=10.0.0.1/8", 400, "client: '10.0.0.1/8'"),
        ("za1/flows?limit=0", 400, "limit is '0'"), ("za1/flows?limit=1001", 400, "limit is '1001'"),
        ("za1/flows?cursor=x", 400, "'cursor' is an unknown query parameter"),
    ])
    func `what cannot be asked is refused before anybody is asked`(path: String, status: Int, words: String)
        async throws
    {
        try await Bench.run { bench in
            try await bench.furnish()
            let answer = try await bench.get("/servers/\(path)")
            #expect(answer.status == status)
            #expect(answer.text.contains(words), "\(answer.text)")
        }
    }
}
