import Hummingbird
import Testing

@testable import Fleet
@testable import JSON
@testable import Store

@Suite struct `The fleet's settings` {
    @Test func `are there before anybody has set any`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.get("/settings")
            #expect(answer.status == 200)
            #expect(
                answer["monitoring"] == [
                    "intervalSeconds": 2, "timeoutSeconds": 1, "threshold": 3, "recoveryThreshold": 5, "quorum": .null,
                ])
            #expect(answer["failover"] == ["automatic": true, "failback": "manual", "holdDownSeconds": 300])
            #expect(answer["webhooks"] == [])
            #expect(answer["revision"] == 0)
            #expect(answer["createdAt"] == .null && answer["updatedAt"] == .null)
            #expect(answer.headers[.eTag] == "\"0\"")
            #expect(bench.store.version.number == 0)
        }
    }

    @Test func `are changed by a merge patch, which makes a version`() async throws {
        try await Bench.run { bench in
            let first = try await bench.patch(
                "/settings", #"{"monitoring":{"intervalSeconds":60},"failover":{"automatic":false}}"#,
                [.ifMatch: "\"0\""])
            #expect(first.status == 200, "\(first.text)")
            #expect(first.version == "1")
            #expect(first["revision"] == 1)
            #expect(first["monitoring"]?.object?["intervalSeconds"] == 60)
            #expect(first["monitoring"]?.object?["threshold"] == 3)
            #expect(try await bench.patch("/settings", "{}", [.ifMatch: "\"0\""]).status == 412)
            let second = try await bench.patch("/settings", #"{"monitoring":null,"webhooks":null}"#)
            #expect(second["monitoring"]?.object?["intervalSeconds"] == 2)
            #expect(second["failover"]?.object?["automatic"] == false)
            #expect(try await bench.get("/settings").json == second.json)
            #expect(try await bench.get("/versions/1")["summary"] == "update settings: monitoring, failover")
            #expect(try await bench.get("/audit").text.contains("settings.update"))
        }
    }

    @Test func `that are so already make no version, and a dry run none either`() async throws {
        try await Bench.run { bench in
            let same = try await bench.patch("/settings", #"{"monitoring":{"threshold":3}}"#)
            #expect(same.status == 200)
            #expect(same["revision"] == 0)
            let dry = try await bench.patch("/settings?dry_run=true", #"{"monitoring":{"threshold":4}}"#)
            #expect(dry["dryRun"] == true)
            #expect(dry.text.contains(#""kind":"settings","name":"fleet","before":{"monitoring""#))
            #expect(bench.store.version.number == 0)
        }
    }

    @Test func `are neither created nor deleted`() async throws {
        try await Bench.run { bench in
            #expect(try await bench.post("/settings", "{}").status == 405)
            let answer = try await bench.delete("/settings")
            #expect(answer.status == 405)
            #expect(answer.headers[.allow] == "GET, HEAD, PATCH")
            #expect(try await bench.get("/settings/fleet").status == 404)
        }
    }

    @Test func `name what is wrong`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.patch(
                "/settings",
                #"{"monitoring":{"intervalSeconds":0,"quorum":"all"},"failover":{"failback":7},"webhooks":[{"url":"x"}],"name":"fleet"}"#
            )
            #expect(answer.status == 422)
            #expect(
                Set(answer.pointers) == [
                    "/monitoring/intervalSeconds", "/monitoring/quorum", "/failover/failback", "/webhooks/0/url",
                    "/webhooks/0/credential", "/name",
                ])
            #expect(try await bench.patch("/settings", "[]").status == 422)
            #expect(
                try await bench.patch("/settings", #"{"monitoring":{"timeoutSeconds":3}}"#).pointers == [
                    "/monitoring/timeoutSeconds"
                ])
        }
    }

    @Test func `and a server's own have to go together`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let patience = #"{"monitoring":{"timeoutSeconds":5,"httpPort":8080}}"#
            #expect(try await bench.patch("/servers/za1", patience).pointers == ["/monitoring/timeoutSeconds"])
            _ = try await bench.patch("/settings", #"{"monitoring":{"intervalSeconds":10}}"#)
            let server = try await bench.patch("/servers/za1", patience)
            #expect(
                server["monitoring"] == [
                    "intervalSeconds": .null, "timeoutSeconds": 5, "threshold": .null, "recoveryThreshold": .null,
                    "quorum": .null, "httpPort": 8080, "httpsPort": 443,
                ])
            let refused = try await bench.patch("/settings", #"{"monitoring":{"intervalSeconds":4}}"#)
            #expect(refused.status == 409)
            #expect(refused.pointers == ["/monitoring/intervalSeconds"])
            #expect(refused.text.contains("server za1"))
            _ = try await bench.patch("/servers/za1", #"{"monitoring":null}"#)
            #expect(try await bench.patch("/settings", #"{"monitoring":{"intervalSeconds":4}}"#).status == 200)
        }
    }

    @Test func `go back to the usual ones with a version from before they were set`() async throws {
        try await Bench.run { bench in
            _ = try await bench.post("/customers", #"{"name":"acme"}"#)
            _ = try await bench.patch("/settings", #"{"failover":{"holdDownSeconds":7}}"#)
            let restored = try await bench.post("/versions/1/restore")
            #expect(restored.status == 200, "\(restored.text)")
            let settings = try await bench.get("/settings")
            #expect(settings["failover"]?.object?["holdDownSeconds"] == 300)
            #expect(settings["revision"] == 3)
        }
    }

    @Test func `what a server's representation adds is not taken back`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let server = try #require(try await bench.get("/servers/za1").json.object)
            let document = try #require(bench.store.state.servers.values.first?.document.object)
            for member in server.keys where document[member] == nil {
                let patch = JSONValue.object([member: server[member] ?? .null]).description
                // A null would be no change of the document, which has no such member.
                guard server[member] != .null else { continue }
                let answer = try await bench.patch("/servers/za1", patch)
                #expect(answer.text.contains("is told by D-Direct and cannot be set"), "\(answer.text)")
            }
        }
    }
}
