import Domain
import Testing
import Wire

@testable import Channel
@testable import JSON
@testable import Store

/// `?wait=applied` with data planes that are connected, and do not do as they are told.
@Suite(.timeLimit(.minutes(10))) struct `Waiting for data planes` {
    @Test func `a refusal ends the wait, is told with its reasons, and is shown until a version is applied`()
        async throws
    {
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                async let answer = bench.patch("/services/solo?wait=applied&timeout=30", #"{"forwardedFor":"off"}"#)
                // First the difference, and then, in case that only this did not fit, everything.
                let difference = try await client.nextSnapshot()
                #expect(difference.hasBase)
                try await client.send(.refused(SnapshotVersion(difference.version), reasons: ["not this"]))
                let whole = try await client.nextSnapshot()
                #expect(!whole.hasBase)
                try await client.send(.refused(SnapshotVersion(whole.version), reasons: ["one", "two"]))
                let refused = try await answer
                #expect(refused.status == 200, "it is stored all the same")
                #expect(refused.version == "6")
                #expect(refused["applied"] == applied(6, false, "refused", 5, ["one", "two"]))

                let shown = try await bench.get("/servers/za1")
                #expect(shown["refusal"] == ["version": 6, "reasons": ["one", "two"]])
                #expect(shown["connected"] == true)
                #expect(shown["appliedVersion"] == 5)
                #expect(shown["currentVersion"] == 6)
                #expect(try await bench.get("/servers").text.contains(#""refusal":{"version":6"#))

                async let next = bench.patch("/services/solo?wait=applied&timeout=30", #"{"forwardedFor":"replace"}"#)
                #expect(try await client.applyNext().version == 7)
                let taken = try await next
                #expect(taken["applied"] == applied(7, true, "applied", 7))
                let server = try await bench.get("/servers/za1")
                #expect(server["refusal"] == .null)
                #expect(server["appliedVersion"] == 7)
            }
        }
    }

    @Test func `a difference that did not fit is no refusal when everything is taken`() async throws {
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                async let answer = bench.patch("/services/solo?wait=applied&timeout=30", #"{"forwardedFor":"off"}"#)
                let difference = try await client.nextSnapshot()
                try await client.send(.refused(SnapshotVersion(difference.version), reasons: ["not this"]))
                #expect(try await client.applyNext().hasBase == false)
                let taken = try await answer
                #expect(taken["applied"] == applied(6, true, "applied", 6))
                #expect(try await bench.get("/servers/za1")["refusal"] == .null)
            }
        }
    }

    @Test func `silence is waited for until the timeout, and is pending`() async throws {
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                let clock = ContinuousClock()
                let asked = clock.now
                let answer = try await bench.patch(
                    "/services/solo?wait=applied&timeout=0.5", #"{"forwardedFor":"off"}"#)
                #expect(clock.now - asked >= .milliseconds(500))
                #expect(answer.status == 200)
                #expect(answer["applied"] == applied(6, false, "pending", 5))
                #expect(try await bench.get("/servers/za1")["refusal"] == .null, "no answer is not a no")

                // It was only late.
                try await client.applyNext()
                let same = try await bench.patch(
                    "/services/solo?wait=applied&timeout=30", #"{"forwardedFor":"off"}"#)
                #expect(same["applied"] == applied(6, true, "applied", 6))
            }
        }
    }

    @Test func `of several servers each is told of by itself`() async throws {
        let ie1 = try ServerName("ie1")
        try await Bench.run { bench in
            try await bench.withDataPlane { client in
                // One that does as it is told, until this test is over.
                async let _: Void = ChannelClient.connected(to: bench.channel) { follower in
                    try await follower.hello(ie1)
                    while true { try await follower.applyNext() }
                }
                try await bench.awaitApplied(5, by: "ie1")
                let path = "/services/acme-app?wait=applied&timeout=0.2"
                let first = try await bench.patch(path, #"{"forwardedFor":"off"}"#)
                #expect(first["applied"]?.object?["complete"] == false)
                try await bench.awaitApplied(6, by: "ie1")
                try await client.send(.heartbeat)
                let again = try await bench.patch(path, #"{"forwardedFor":"off"}"#)
                let servers: JSONValue = [
                    ["server": "ie1", "state": "applied", "version": 6, "reasons": []],
                    ["server": "za1", "state": "pending", "version": 5, "reasons": []],
                ]
                #expect(again["applied"] == ["version": 6, "complete": false, "servers": servers])
            }
        }
    }
}

/// What an answer says of a change that only za1 has to apply.
private func applied(
    _ version: Int, _ isComplete: Bool, _ state: String, _ has: Int, _ reasons: [String] = []
) -> JSONValue {
    let server: JSONValue = [
        "server": "za1", "state": .string(state), "version": .integer(has),
        "reasons": .array(reasons.map { .string($0) }),
    ]
    return ["version": .integer(version), "complete": .bool(isComplete), "servers": [server]]
}

extension Bench {
    /// Furnishes, adds service solo on za1 alone (version 5), and runs `body` with a data plane of za1 that has applied
    /// all that.
    func withDataPlane(_ body: @escaping @Sendable (ChannelClient) async throws -> Void) async throws {
        try await furnish()
        _ = try await post("/services", Bench.service("solo", domains: ["solo.test"]))
        try await untilListening(on: channel)
        let name = try ServerName("za1")
        // Changes come to the publisher a moment after they are stored, and before that it does not know the server.
        try await eventually("the publisher knows za1") { await publisher.statuses()[name] != nil }
        let newest = store.version
        try await ChannelClient.connected(to: channel) { client in
            try await client.hello(name)
            while client.current?.version != newest { try await client.applyNext() }
            try await awaitApplied(5, by: "za1")
            try await body(client)
        }
    }

    /// Waits until the API says that a server has applied a version.
    fileprivate func awaitApplied(_ version: Int, by server: String) async throws {
        try await eventually("\(server) has applied version \(version)") {
            try await get("/servers/\(server)")["appliedVersion"] == .integer(version)
        }
    }
}
