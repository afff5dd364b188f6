import JSON
import Testing

/// `ddirect`, as an operator types it.
@Suite(.realParts) struct `The command line` {
    private func target(_ endpoint: Endpoint) -> String {
        "\(endpoint.host):\(endpoint.httpPort):\(endpoint.httpsPort)"
    }

    @Test func `the quick start: from nothing to a service that moves to another endpoint`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        let server = try Server("za1", channel: fleet.channel, flags: [])
        try shell.succeed("customer create acme")
        try shell.succeed("server create za1 --region af-south-1 --hostname za1.dfree.test --address \(server.address)")
        try server.start()
        try shell.succeed(
            "service create acme-app --customer acme --client-domain app.acme.test --endpoint \(target(nginx.first.endpoint)) --primary za1"
                + " --wait")
        func site() throws -> String? {
            told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"]
        }
        #expect(try site() == "first")
        let moved = try shell.succeed("endpoint set acme-app \(nginx.second.address) --wait")
        #expect(moved.contains("is applied on 1 of 1 server"))
        #expect(try site() == "second")
        #expect(try shell.succeed("server list").contains("za1"))
        #expect(try shell.succeed("endpoint check acme-app").contains("connected"))
        #expect(try shell.succeed("endpoint show acme-app").contains(nginx.second.address))
        let versions = try JSONValue.parse(shell.succeed("version list --json").utf8)
        #expect((versions.items.isEmpty ? versions["items"] : versions).items.count >= 4)
        #expect(try shell.succeed("audit list").contains("service.update"))
    }

    @Test func `a dry run shows the change and makes none`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let shell = try Shell(fleet)
        let before = try fleet.api.grant("GET", "/versions?limit=1").body["items"][0]["version"]
        let shown = try shell.succeed("endpoint set acme-app \(nginx.second.address) --dry-run")
        #expect(shown.contains(nginx.first.address))
        #expect(shown.contains(nginx.second.address))
        #expect(try fleet.api.grant("GET", "/versions?limit=1").body["items"][0]["version"] == before)
        let response = try HTTPResponse.get("/", at: fleet.servers[0].http, host: "app.acme.test")
        #expect(told(response.body)["name"] == "first")
    }

    @Test func `waiting for servers that are away ends with 2`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let shell = try Shell(fleet)
        try fleet.servers[0].kill()
        try fleet.awaitServer("za1", "is away") { $0["connected"] != true }
        let said = try shell.ddirect("endpoint set acme-app \(nginx.second.address) --wait")
        #expect(said.code == 2)
        #expect((said.output + said.errors).contains("za1"))
    }

    @Test func `a check of an endpoint says what each server saw, and fails when one cannot connect`() throws {
        let nginx = try Nginx("first")
        let knot = try Knot("origin 60 A \(nginx.first.address)")
        let ports = nginx.first.ports
        let endpoint = Endpoint(host: "origin.acme.test", httpPort: ports.http, httpsPort: ports.https)
        let fleet = try Fleet.pair(to: endpoint, flags: knot.resolver)
        let shell = try Shell(fleet)
        let good = try shell.succeed("endpoint check acme-app")
        for part in ["za1:", "ie1:", nginx.first.address, "\(ports.http)", "\(ports.https)", "for 60 s"] {
            #expect(good.contains(part), "\(good)")
        }
        let dead = try shell.ddirect("endpoint check acme-app --host \(Loopback.fresh())")
        #expect(dead.code == 2)
        #expect((dead.output + dead.errors).contains("refused"))
        let unknown = try shell.ddirect("endpoint check acme-app --host nobody.acme.test")
        #expect(unknown.code == 2)
        #expect((unknown.output + unknown.errors).contains("nobody.acme.test cannot be resolved"))
        let json = try JSONValue.parse(shell.succeed("endpoint check acme-app --json").utf8)
        #expect(json["servers"].items.count == 2)
        #expect(json["servers"][0]["state"] == "answered")
    }

    @Test func `exit codes tell a slip from a refusal from a failure`() throws {
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        #expect(try shell.ddirect("customer create NOT_A_NAME").code == 1)
        #expect(try shell.ddirect("service show nobody").code == 1)
        #expect(try shell.ddirect("endpoint set").code == 64)
        #expect(try shell.ddirect("customer list --token-file /nowhere").code == 64)
        #expect(try shell.ddirect("customer list --api http://\(try Place.fresh())").code == 69)
        let stranger = try run(
            "ddirect", ["customer", "list"], environment: shell.environment.merging(["DDIRECT_TOKEN": "wrong"]) { $1 })
        #expect(stranger.code == 77)
        #expect(try shell.ddirect("customer list").code == 0)
    }
}
