import Hummingbird
import Testing

@testable import API
@testable import JSON
@testable import Store

@Suite struct `Changes by the API` {
    @Test func `a creation answers where the resource is and which version it made`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.post("/customers", #"{"name":"acme"}"#)
            #expect(answer.status == 201)
            #expect(answer.headers[.location] == "/api/v1/customers/acme")
            #expect(answer.headers[.eTag] == "\"1\"")
            #expect(answer.version == "1")
            #expect(answer.json == (try await bench.get("/customers/acme").json))
        }
    }

    @Test func `a name is taken once`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            for (path, body) in [
                ("/customers", #"{"name":"acme"}"#), ("/servers", Bench.server("za1", "127.0.0.13")),
                ("/services", Bench.service("acme-app", domains: ["other.test"])),
            ] {
                let answer = try await bench.post(path, body)
                #expect(answer.status == 409 && answer.pointers.contains("/name"), "\(answer.text)")
            }
        }
    }

    @Test func `a merge patch changes what it names and keeps the rest`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let answer = try await bench.patch(
                "/services/acme-app", #"{"endpoint":{"host":"new.test"},"standbys":null}"#)
            #expect(answer.status == 200)
            #expect(
                answer["endpoint"] == [
                    "host": "new.test", "httpPort": 80, "httpsPort": 443, "fallbacks": [], "check": .null,
                ])
            #expect(answer["standbys"] == [])
            #expect(answer["customer"] == "acme")
            #expect(answer["revision"] == 5)
        }
    }

    @Test func `a change that changes nothing makes no version`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let answer = try await bench.patch("/services/acme-app", #"{"primary":"za1"}"#)
            #expect(answer.status == 200)
            #expect(answer["revision"] == 4)
            #expect(bench.store.version.number == 4)
        }
    }

    @Test func `a stale revision is refused and a right one is not`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.patch("/services/acme-app", #"{"forwardedFor":"off"}"#, [.ifMatch: "\"4\""])
            let stale = try await bench.patch("/services/acme-app", #"{"forwardedFor":"append"}"#, [.ifMatch: "\"4\""])
            #expect(stale.status == 412)
            #expect(stale.problem == "stale")
            #expect(try await bench.delete("/services/acme-app", [.ifMatch: "\"4\""]).status == 412)
            #expect(try await bench.delete("/services/acme-app", [.ifMatch: "W/\"5\""]).status == 412)
            #expect(try await bench.delete("/services/acme-app", [.ifMatch: "5"]).status == 400)
            #expect(try await bench.delete("/services/acme-app", [.ifMatch: "\"3\", \"5\""]).status == 204)
            #expect(try await bench.delete("/servers/za1", [.ifMatch: "*"]).status == 204)
        }
    }

    @Test func `a reader who has the newest revision is not sent it again`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let known = try await bench.get("/services/acme-app", [.ifNoneMatch: "\"4\""])
            #expect(known.status == 304)
            #expect(known.text.isEmpty)
            #expect(known.headers[.eTag] == "\"4\"")
            #expect(try await bench.get("/services/acme-app", [.ifNoneMatch: "\"3\""]).status == 200)
            // A server's state changes without a revision, so it is always sent.
            #expect(try await bench.get("/servers/za1", [.ifNoneMatch: "\"2\""]).status == 200)
        }
    }

    @Test func `a dry run tells the difference and stores nothing`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let before = try await bench.get("/services/acme-app").json
            let answer = try await bench.patch("/services/acme-app?dry_run=true", #"{"forwardedFor":"off"}"#)
            #expect(answer.status == 200)
            #expect(answer["dryRun"] == true)
            #expect(
                answer.text.contains(#""flowLog":{"oneIn":null,"intervalSeconds":null},"dns":[],"check":null},"after""#)
            )
            let deleted = try await bench.delete("/services/acme-app?dry_run=true")
            #expect(deleted.text.hasSuffix(#""after":null}]}"#))
            let created = try await bench.post("/customers?dry_run=true", #"{"name":"new"}"#)
            #expect(
                created.json == [
                    "dryRun": true,
                    "changes": [["kind": "customer", "name": "new", "before": .null, "after": ["name": "new"]]],
                ])
            #expect(try await bench.post("/customers?dry_run=true", #"{"name":"acme"}"#).status == 409)
            #expect(try await bench.get("/services/acme-app").json == before)
            #expect(bench.store.version.number == 4)
            #expect(try await bench.get("/audit").text.contains("refused") == false)
        }
    }

    @Test func `waiting tells which servers have applied and which are not connected`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let answer = try await bench.patch(
                "/services/acme-app?wait=applied&timeout=0.2", #"{"forwardedFor":"off"}"#)
            #expect(answer.status == 200)
            let disconnected = { (name: JSONValue) -> JSONValue in
                ["server": name, "state": "disconnected", "version": .null, "reasons": []]
            }
            #expect(
                answer["applied"] == [
                    "version": 5, "complete": false, "servers": [disconnected("ie1"), disconnected("za1")],
                ])
            let deleted = try await bench.delete("/services/acme-app?wait=applied&timeout=0.2")
            #expect(deleted.status == 200)
            #expect(deleted.version == "6")
        }
    }

    @Test func `the same creation sent twice is done once`() async throws {
        try await Bench.run { bench in
            let key: HTTPFields = [.idempotencyKey: "k-1"]
            let first = try await bench.post("/customers", #"{"name":"acme"}"#, key)
            let second = try await bench.post("/customers", #"{"name":"acme"}"#, key)
            #expect(first.status == 201 && second.status == 201)
            #expect(second.text == first.text)
            #expect(second.version == "1")
            #expect(second.headers[.eTag] == "\"1\"")
            #expect(second.headers[.location] == first.headers[.location])
            #expect(first.headers[.idempotencyReplayed] == nil)
            #expect(second.headers[.idempotencyReplayed] == "true")
            #expect(bench.store.version.number == 1)

            let other = try await bench.post("/customers", #"{"name":"other"}"#, key)
            #expect(other.status == 422)
            #expect(other.problem == "idempotency-mismatch")
            #expect(try await bench.post("/servers", Bench.server("za1", "127.0.0.11"), key).status == 422)
            #expect(try await bench.post("/customers", #"{"name":"x"}"#, [.idempotencyKey: "a b"]).status == 400)
        }
    }

    @Test func `a repeated creation answers as it did then, whatever happened since`() async throws {
        try await Bench.run { bench in
            let key: HTTPFields = [.idempotencyKey: "k-1"]
            let first = try await bench.post("/customers", #"{"name":"acme"}"#, key)
            _ = try await bench.delete("/customers/acme")
            let again = try await bench.post("/customers", #"{"name":"acme"}"#, key)
            #expect(again.status == 201)
            #expect(again.text == first.text)
            #expect(try await bench.get("/customers/acme").status == 404)
        }
    }

    @Test func `a refused creation may be sent again with its key`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let body = Bench.service("new", domains: ["new.test"], customer: "later")
            let key: HTTPFields = [.idempotencyKey: "k-1"]
            #expect(try await bench.post("/services", body, key).status == 422)
            _ = try await bench.post("/customers", #"{"name":"later"}"#)
            #expect(try await bench.post("/services", body, key).status == 201)
        }
    }

    @Test func `a key is forgotten after a day`() async throws {
        let clock = TestClock()
        try await Bench.run(clock: clock) { bench in
            let key: HTTPFields = [.idempotencyKey: "k-1"]
            _ = try await bench.post("/customers", #"{"name":"acme"}"#, key)
            clock.advance(by: Store.keyLifetime + 1)
            #expect(try await bench.post("/customers", #"{"name":"other"}"#, key).status == 201)
        }
    }
}
