import Domain
import Hummingbird
import Testing

@testable import Fleet
@testable import JSON
@testable import Store

@Suite struct `Reading` {
    @Test func `pages lead through a whole list, each element once`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            for number in 0..<7 {
                _ = try await bench.post(
                    "/services", Bench.service("s\(number)", domains: ["s\(number).test"], primary: "ie1"))
            }
            #expect(try await bench.names("/services", limit: 3) == ["acme-app"] + (0..<7).map { "s\($0)" })
            #expect(try await bench.names("/services?customer=acme&server=za1", limit: 1) == ["acme-app"])
            #expect(try await bench.names("/services?server=ie1", limit: 8).count == 8)
            #expect(try await bench.names("/services?customer=acme", limit: 4).count == 8)
            #expect(try await bench.names("/services?customer=nobody", limit: 4) == [])
            #expect(try await bench.names("/servers", limit: 1) == ["ie1", "za1"])
            #expect(try await bench.names("/customers", limit: 1000) == ["acme"])
            #expect(try await bench.names("/tokens", limit: 1) == ["admin"])
        }
    }

    @Test func `a server tells how it is and what it carries`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let server = try await bench.get("/servers/ie1")
            #expect(server["connected"] == false)
            #expect(server["currentVersion"] == 4)
            #expect(server["appliedVersion"] == .null)
            #expect(server["refusal"] == .null)
            #expect(server["services"] == 1)
            #expect(server.headers[.eTag] == "\"3\"")
        }
    }

    @Test func `a version tells what it changed, when, and who did it`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.patch("/services/acme-app", #"{"forwardedFor":"off"}"#)
            let version = try await bench.get("/versions/5")
            #expect(version["author"] == "admin")
            #expect(version["summary"] == "update service acme-app: forwardedFor")
            #expect(version["at"] == "2027-01-15T08:00:00.000Z")
            #expect(version["restoredFrom"] == .null)
            #expect(version.text.contains(#""kind":"service","name":"acme-app","before":{"#))
            let list = try await bench.get("/versions?limit=2")
            #expect(list.text.contains(#"{"items":[{"version":5,"#))
            let rest = try await bench.pages("/versions", limit: 2).flatMap { $0 }.compactMap { $0.object?["version"] }
            #expect(rest == [5, 4, 3, 2, 1])
        }
    }

    @Test func `two versions are compared in either order`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.patch("/services/acme-app", #"{"forwardedFor":"off"}"#)
            _ = try await bench.patch("/services/acme-app", #"{"forwardedFor":"append"}"#)
            _ = try await bench.post("/customers", #"{"name":"new"}"#)
            let change = { (before: JSONValue, after: JSONValue) -> JSONValue in
                [["kind": "customer", "name": "new", "before": before, "after": after]]
            }
            #expect(try await bench.get("/versions/4/diff/7")["changes"] == change(.null, ["name": "new"]))
            #expect(try await bench.get("/versions/7/diff/4")["changes"] == change(["name": "new"], .null))
            #expect(try await bench.get("/versions/4/diff/6")["changes"] == [])
            #expect(try await bench.get("/versions/6/diff/6")["changes"] == [])
        }
    }

    @Test func `a restored version is a new one, checked against the rules of today`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.delete("/services/acme-app")
            _ = try await bench.post("/services", Bench.service("thief", domains: ["app.acme.test"]))
            let dry = try await bench.post("/versions/4/restore?dry_run=true")
            #expect(dry["dryRun"] == true)
            let restored = try await bench.post("/versions/4/restore")
            #expect(restored.status == 200)
            #expect(restored["version"] == 7)
            #expect(restored["restoredFrom"] == 4)
            #expect(restored.version == "7")
            #expect(try await bench.get("/services/thief").status == 404)
            #expect(try await bench.get("/services/acme-app")["revision"] == 7)
            #expect(try await bench.get("/versions/7")["restoredFrom"] == 4)
            #expect(try await bench.post("/versions/99/restore").status == 404)
            let again = try await bench.post("/versions/4/restore")
            #expect(again["version"] == 7 && again["changes"] == [])
        }
    }

    @Test func `a restored version that today's policy forbids is refused with the resource named`() async throws {
        try await withFolder { folder in
            let path = folder + "/control.db"
            let lenient = try await Store.open(at: path, exceptions: [try Prefix("10.0.0.0/8")])
            try await lenient.furnish(endpoint: "10.0.0.9")
            let app = try #require(lenient.state.services.values.first)
            try await lenient.propose([.service(app.name, before: app, after: nil)])
            try await lenient.close()
            let strict = try await Store.open(at: path, exceptions: [])
            let request = ChangeRequest(author: "test", action: "version.restore", target: "3")
            let rejection = await #expect(throws: Rejection.self) {
                _ = try await strict.restore(SnapshotVersion(3), request)
            }
            #expect(rejection?.violations.map(\.pointer) == ["/services/app/endpoint/host"])
            try await strict.close()
        }
    }

    @Test func `the audit trail has what was done and what was refused`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.post("/customers", #"{"name":"acme"}"#)
            _ = try await bench.delete("/services/acme-app", [.ifMatch: "\"1\""])
            _ = try await bench.post("/tokens", #"{"name":"deploy"}"#)
            _ = try await bench.post("/servers/za1/drain")
            let entries = try await bench.pages("/audit", limit: 3).flatMap { $0 }.compactMap(\.object)
            let lines = entries.map { entry in
                ["action", "target", "outcome", "version"].map { entry[$0]?.description ?? "" }.joined(separator: " ")
            }
            #expect(
                lines == [
                    #""server.drain" "za1" "refused" null"#, #""token.create" "deploy" "done" null"#,
                    #""service.delete" "acme-app" "refused" null"#, #""customer.create" "acme" "refused" null"#,
                    #""service.create" "acme-app" "done" 4"#, #""server.create" "ie1" "done" 3"#,
                    #""server.create" "za1" "done" 2"#, #""customer.create" "acme" "done" 1"#,
                    #""token.create" "admin" "done" null"#,
                ])
        }
    }

    @Test func `HEAD answers as GET does, without the body`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            let head = try await bench.send(.head, "/api/v1/services/acme-app")
            #expect(head.status == 200)
            #expect(head.headers[.eTag] == "\"4\"")
            #expect(head.text.isEmpty)
        }
    }

    @Test func `metrics are in the form that Prometheus reads`() async throws {
        try await Bench.run { bench in
            try await bench.furnish()
            _ = try await bench.get("/nothing")
            let metrics = try await bench.send(.get, "/metrics").text
            #expect(metrics.contains("\nddirect_control_requests_total{class=\"2xx\"} 4\n"))
            #expect(metrics.contains("\nddirect_control_requests_total{class=\"4xx\"} 1\n"))
            #expect(metrics.contains("\nddirect_control_version 4\n"))
        }
    }
}

extension Bench {
    /// Every page of a list, following its cursors.
    func pages(_ path: String, limit: Int) async throws -> [[JSONValue]] {
        var pages: [[JSONValue]] = []
        var cursor = ""
        repeat {
            let answer = try await get("\(path)\(path.contains("?") ? "&" : "?")limit=\(limit)\(cursor)")
            guard case .array(let items)? = answer["items"], items.count <= limit else {
                throw Unexpected(text: answer.text)
            }
            pages.append(items)
            cursor = if case .string(let next)? = answer["next"] { "&cursor=\(next)" } else { "" }
        } while !cursor.isEmpty
        return pages
    }

    func names(_ path: String, limit: Int) async throws -> [String] {
        try await pages(path, limit: limit).flatMap { $0 }.compactMap { item in
            if case .string(let name)? = item.object?["name"] { name } else { nil }
        }
    }

    struct Unexpected: Error {
        let text: String
    }
}
