import JSON
import Testing

/// What the API refuses, nothing stores and no server ever sees.
@Suite(.realParts) struct `Bad input` {
    @Test func `each wrong service is refused with the field that is wrong`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let api = fleet.api
        let before = try api.grant("GET", "/versions?limit=1").body["items"][0]["version"]
        func body(_ change: (inout JSONObject) -> Void) -> JSONValue {
            var members: JSONObject = [
                "name": "other", "customer": "acme", "clientDomains": ["other.acme.test"],
                "endpoint": nginx.first.endpoint.json,
                "primary": "za1",
            ]
            change(&members)
            return .object(members)
        }
        func endpoint(_ host: String, _ port: Int = 80) -> JSONValue {
            ["host": .string(host), "httpPort": .integer(port)]
        }
        let cases: [(JSONValue, Int, String)] = [
            (body { $0["name"] = .string(String(repeating: "a", count: 300)) }, 422, "/name"),
            (body { $0["customer"] = "nobody" }, 422, "/customer"),
            (body { $0["primary"] = "nowhere" }, 422, "/primary"),
            (body { $0["clientDomains"] = ["a.*.test"] }, 422, "/clientDomains/0"),
            (body { $0["clientDomains"] = ["*"] }, 422, "/clientDomains/0"),
            (body { $0["endpoint"] = endpoint("other.acme.test") }, 422, "/endpoint/host"),
            (body { $0["endpoint"] = endpoint("10.0.0.1") }, 422, "/endpoint/host"),
            (body { $0["endpoint"] = endpoint("169.254.169.254") }, 422, "/endpoint/host"),
            (body { $0["endpoint"] = endpoint(fleet.servers[0].address) }, 422, "/endpoint/host"),
            (body { $0["endpoint"] = endpoint("za1.dfree.test") }, 422, "/endpoint/host"),
            (body { $0["endpoint"] = endpoint("origin.test", 0) }, 422, "/endpoint/httpPort"),
            (body { $0["endpoint"] = endpoint("origin.test", 65536) }, 422, "/endpoint/httpPort"),
            (body { $0["sendProxyProtocol"] = "v3" }, 422, "/sendProxyProtocol"),
            (body { $0["colour"] = "red" }, 422, "/colour"),
        ]
        for (body, status, pointer) in cases {
            let answer = try api.call("POST", "/services", body)
            #expect(answer.status == status, "\(body): \(answer.body)")
            #expect(answer.pointers.contains(pointer), "\(body): \(answer.body)")
            #expect(answer.fields["content-type"]?.hasPrefix("application/problem+json") == true)
        }
        let taken = try api.call("POST", "/services", body { $0["clientDomains"] = ["app.acme.test"] })
        #expect(taken.status == 409)
        #expect(taken.body.description.contains("acme-app"), "who has it is named")
        #expect(try api.grant("GET", "/versions?limit=1").body["items"][0]["version"] == before, "nothing was stored")
    }

    @Test func `broken requests are refused without harm`() throws {
        let fleet = try Fleet()
        let api = fleet.api
        #expect(try api.send("POST", "/customers", text: "{\"name\":").status == 400)
        #expect(try api.send("POST", "/customers", text: "[1,2]").status == 422)
        #expect(
            try api.send("POST", "/customers", text: "name=acme", fields: ["Content-Type": "text/plain"]).status == 415)
        #expect(try api.send("POST", "/customers", text: String(repeating: "[", count: 100_000)).status == 400)
        #expect(try api.call("GET", "/customers?colour=red").status == 400)
        #expect(try api.call("GET", "/customers?cursor=nonsense").status == 400)
        #expect(try api.call("PUT", "/customers", ["name": "acme"]).status == 405)
        #expect(try api.call("GET", "/nothing").status == 404)
        #expect(try API(place: api.place, token: "wrong").call("GET", "/customers").status == 401)
        try api.grant("POST", "/customers", ["name": "acme"])
        #expect(try api.call("POST", "/customers", ["name": "acme"]).status == 409)
        #expect(fleet.control.isRunning)
    }

    @Test func `of two operators who edit the same service the second is told`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let tag = try fleet.api.grant("GET", "/services/acme-app").fields["etag"] ?? ""
        let change: JSONValue = ["endpoint": nginx.second.endpoint.json]
        #expect(try fleet.api.call("PATCH", "/services/acme-app", change, fields: ["If-Match": tag]).status == 200)
        #expect(try fleet.api.call("PATCH", "/services/acme-app", change, fields: ["If-Match": tag]).status == 412)
    }

    @Test func `a creation that is sent twice happens once`() throws {
        let fleet = try Fleet()
        let key = ["Idempotency-Key": "0d7c8a52"]
        let first = try fleet.api.call("POST", "/customers", ["name": "acme"], fields: key)
        let again = try fleet.api.call("POST", "/customers", ["name": "acme"], fields: key)
        #expect(first.status == 201)
        #expect(again.status == 201)
        #expect(again.fields["idempotency-replayed"] == "true")
        #expect(try fleet.api.call("POST", "/customers", ["name": "other"], fields: key).status == 422)
        #expect(try fleet.api.grant("GET", "/customers").body["items"].items.count == 1)
    }

    @Test func `nonsense on the channel ends that session and no other`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        for bytes in [
            [UInt8](repeating: 255, count: 64), [0, 0, 0, 4, 1, 2, 3, 4], Array("GET / HTTP/1.1\r\n\r\n".utf8),
        ] {
            let connection = try TCPConnection(toUnix: String(fleet.channel.dropFirst(5)))
            try connection.send(bytes)
            // It may hear a goodbye, and then the end.
            #expect([.end, .reset].contains(connection.receiveAll().end))
        }
        #expect(fleet.control.isRunning)
        try fleet.cutOver(to: nginx.first.endpoint)
    }
}
