import Hummingbird
import Testing

@testable import API
@testable import JSON
@testable import Store

@Suite struct `Zones` {
    private static let zone = #"""
        {"name":"acme.test","provider":{"kind":"rfc2136","server":"127.0.0.1:5353","keyName":"ddirect",
         "algorithm":"hmac-sha256","credential":"acme-tsig"},"authorities":["127.0.0.1:5353","127.0.0.1:5354"]}
        """#

    @Test func `are created, read, changed and deleted under their apex`() async throws {
        try await Bench.run { bench in
            let created = try await bench.post("/zones", Self.zone)
            #expect(created.status == 201, "\(created.text)")
            #expect(created.headers[.location] == "/api/v1/zones/acme.test")
            #expect(created.headers[.eTag] == "\"1\"")
            let shown = try await bench.get("/zones/acme.test")
            #expect(shown.json == created.json)
            let sent = try JSONValue.parse(Self.zone.utf8)
            #expect(shown["provider"] == sent.object?["provider"])
            #expect(shown["authorities"] == sent.object?["authorities"])
            #expect(try await bench.get("/zones/acme.test", [.ifNoneMatch: "\"1\""]).status == 304)
            let changed = try await bench.patch(
                "/zones/acme.test", #"{"provider":{"credential":"other"},"authorities":null}"#, [.ifMatch: "\"1\""])
            #expect(changed["provider"]?.object?["credential"] == "other")
            #expect(changed["provider"]?.object?["keyName"] == "ddirect")
            #expect(changed["authorities"] == [])
            #expect(try await bench.delete("/zones/acme.test", [.ifMatch: "\"1\""]).status == 412)
            #expect(try await bench.delete("/zones/acme.test").status == 204)
            #expect(try await bench.get("/zones/acme.test").status == 404)
            #expect(bench.store.version.number == 3)
            let audit = try await bench.get("/audit").text
            #expect(audit.contains("zone.create") && audit.contains("zone.update") && audit.contains("zone.delete"))
        }
    }

    @Test func `are the same however their name is written`() async throws {
        try await Bench.run { bench in
            _ = try await bench.post("/zones", Self.zone)
            let again = try await bench.post("/zones", Self.zone.replacing("acme.test", with: "ACME.test."))
            #expect(again.status == 409)
            #expect(again.pointers == ["/name"])
            #expect(try await bench.get("/zones/Acme.Test").status == 200)
            let path = "/zones/ACME.TEST"
            #expect(try await bench.patch(path, #"{"name":"Acme.test","authorities":[]}"#).status == 200)
            #expect(try await bench.patch(path, #"{"name":"other.test"}"#).pointers == ["/name"])
            #expect(try await bench.delete(path).status == 204)
        }
    }

    @Test func `become of another kind when the members of the old one go`() async throws {
        try await Bench.run { bench in
            _ = try await bench.post("/zones", Self.zone)
            let kept = try await bench.patch(
                "/zones/acme.test", #"{"provider":{"kind":"command","command":"change-dns"}}"#)
            #expect(kept.status == 422)
            #expect(
                Set(kept.pointers) == [
                    "/provider/server", "/provider/keyName", "/provider/algorithm", "/provider/credential",
                ])
            let changed = try await bench.patch(
                "/zones/acme.test",
                #"{"provider":{"kind":"command","command":"change-dns","server":null,"keyName":null,"algorithm":null,"credential":null}}"#
            )
            #expect(changed["provider"] == ["kind": "command", "command": "change-dns"])
        }
    }

    @Test func `are listed page by page, and the same creation sent twice is done once`() async throws {
        try await Bench.run { bench in
            for name in ["c.test", "a.test", "b.test"] {
                let zone = Self.zone.replacing("acme.test", with: name)
                let key: HTTPFields = [.idempotencyKey: name]
                let first = try await bench.post("/zones", zone, key)
                #expect(first.status == 201)
                let again = try await bench.post("/zones", zone, key)
                #expect(again.headers[.idempotencyReplayed] == "true")
            }
            let names = try await bench.names("/zones", limit: 2)
            #expect(names == ["a.test", "b.test", "c.test"])
        }
    }

    @Test func `that services use are not deleted, and what steers a service is judged`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let binding = #"{"dns":[{"zone":"acme.test","name":"app.acme.test"}]}"#
            #expect(try await bench.patch("/services/acme-app", binding).pointers == ["/dns/0/zone"])
            _ = try await bench.post("/zones", Self.zone)
            let bound = try await bench.patch("/services/acme-app", binding)
            #expect(bound.status == 200, "\(bound.text)")
            #expect(bound["dns"] == [["zone": "acme.test", "name": "app.acme.test", "kind": "cname", "ttl": 5]])
            let refused = try await bench.delete("/zones/acme.test")
            #expect(refused.status == 409)
            #expect(refused.text.contains("Zone acme.test has names that steer service acme-app"))
            _ = try await bench.post("/services", Bench.service("other", domains: ["other.test"], host: "o.test"))
            #expect(try await bench.patch("/services/other", binding).status == 409)
            let server = try await bench.post(
                "/servers", Bench.server("za2", "127.0.0.13").replacing("za2.dfree.test", with: "app.acme.test"))
            #expect(server.status == 409)
            let check = try await bench.post(
                "/services/other/endpoint-check", #"{"endpoint":{"host":"app.acme.test"}}"#)
            #expect(check.pointers == ["/endpoint/host"])
            _ = try await bench.patch("/services/acme-app", #"{"dns":null}"#)
            #expect(try await bench.delete("/zones/acme.test").status == 204)
        }
    }

    @Test func `come back with the version that had them`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.post("/zones", Self.zone)
            _ = try await bench.patch("/services/acme-app", #"{"dns":[{"zone":"acme.test","name":"app.acme.test"}]}"#)
            _ = try await bench.patch("/services/acme-app", #"{"dns":[]}"#)
            _ = try await bench.delete("/zones/acme.test")
            let difference = try await bench.get("/versions/6/diff/8").text
            #expect(difference.contains(#""kind":"zone","name":"acme.test""#))
            #expect(try await bench.post("/versions/6/restore").status == 200)
            #expect(try await bench.get("/zones/acme.test").status == 200)
            #expect(try await bench.post("/versions/4/restore").status == 200)
            #expect(try await bench.get("/zones/acme.test").status == 404)
        }
    }
}
