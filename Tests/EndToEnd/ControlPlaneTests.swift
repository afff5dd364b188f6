import Foundation
import Glibc
import Testing

/// Invariant 1: a data plane never stops or degrades traffic because the control plane is away, slow, or wrong.
@Suite(.load, .serialized) struct `Without a control plane` {
    @Test func `kill -9 is not noticed by traffic, and versions go on after the restart`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.pair(to: nginx.first.endpoint)
        let loads = try fleet.servers.map { try Load.requests(to: $0) }
        for load in loads { try load.awaitMore(50) }
        let before = try fleet.api.grant("GET", "/servers/za1").body["currentVersion"].integer ?? 0
        let incarnation = try incarnation(of: fleet.servers[0])
        fleet.control.destroy()
        for server in fleet.servers {
            try eventually("\(server.name) knows that it is alone") {
                try server.metric("ddirect_control_plane_connected") == 0
            }
            #expect(try HTTPResponse.get("/readyz", at: server.admin).status == 200)
        }
        for load in loads { try load.awaitMore(100) }

        try fleet.restartControl()
        for server in fleet.servers {
            try fleet.awaitServer(server.name, "is back") {
                $0["connected"] == true && $0["appliedVersion"].integer == before
            }
        }
        let change = try fleet.cutOver(to: nginx.second.endpoint)
        #expect(change.version == before + 1)
        let applied = now()
        for load in loads { try load.awaitMore(50) }
        for seen in loads.map({ $0.stop() }) {
            #expect(seen.failures.map(\.description) == [])
            #expect(seen.answers(from: applied) == ["second"])
        }
        #expect(try self.incarnation(of: fleet.servers[0]) == incarnation)
    }

    private func incarnation(of server: Server) throws -> String? {
        try server.metrics().keys.first { $0.hasPrefix("ddirect_snapshot_info") }
    }

    @Test func `a control plane that hangs is not waited for, and is back when it goes on`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        let load = try Load.requests(to: server)
        try load.awaitMore(50)
        fleet.control.signal(SIGSTOP)
        try eventually("three heartbeats are missed") { server.log.contains("has been silent for") }
        try load.awaitMore(100)
        fleet.control.signal(SIGCONT)
        try fleet.awaitServer("za1", "is back") { $0["connected"] == true }
        try eventually("the session is back") { try server.metric("ddirect_control_plane_connected") == 1 }
        try fleet.cutOver(to: nginx.second.endpoint)
        let applied = now()
        try load.awaitMore(50)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(from: applied) == ["second"])
    }

    @Test func `a change made while a server is away reaches it when it is back`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.pair(to: nginx.first.endpoint)
        let (za1, ie1) = (fleet.servers[0], fleet.servers[1])
        try ie1.kill()
        try fleet.awaitServer("ie1", "is away") { $0["connected"] != true }
        let change = try fleet.api.grant(
            "PATCH", "/services/acme-app?wait=applied", ["endpoint": nginx.second.endpoint.json])
        #expect(change.body["applied"]["complete"] != true)
        let states = change.body["applied"]["servers"].items.map {
            "\($0["server"].text ?? "")=\($0["state"].text ?? "")"
        }
        #expect(states.sorted() == ["ie1=disconnected", "za1=applied"])
        try ie1.start()
        for server in [za1, ie1] {
            let response = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
            #expect(told(response.body)["name"] == "second")
        }
    }

    @Test func `a killed server gets its snapshot back`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        for _ in 0..<2 {
            try server.kill()
            #expect((try? TCPConnection(to: server.http)) == nil)
            try server.start()
            #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
            try fleet.awaitServer("za1", "has applied everything") {
                $0["connected"] == true && $0["appliedVersion"] == $0["currentVersion"]
            }
        }
    }

    @Test func `a server that starts without a control plane waits, and takes no traffic until then`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        try server.kill()
        fleet.control.destroy()
        try server.launch()
        try eventually("it says that it is not ready") {
            (try? HTTPResponse.get("/readyz", at: server.admin))?.status == 503
        }
        #expect((try? TCPConnection(to: server.http)) == nil, "devices are refused, and try elsewhere")
        try fleet.restartControl()
        try server.awaitReady()
        #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
    }

    @Test(.enabled(if: getuid() == 0, "only root can be somebody else"))
    func `a process of another user is turned away from the channel`() throws {
        let fleet = try Fleet()
        let path = String(fleet.channel.dropFirst("unix:".count))
        // Even where the files' modes would let it in.
        for (place, mode) in [(try Scene.present().folder, "755"), (fleet.folder, "755"), (path, "666")] {
            try succeed("chmod", [mode, place])
        }
        let stranger =
            "import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(200); s.connect('\(path)'); print(s.recv(1))"
        let said = try succeed(
            "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", stranger])
        #expect(said == "b''\n")
        try eventually("it is logged; it says: \(fleet.control.log)") {
            fleet.control.log.contains("runs as user 65534 and group 65534")
        }
    }

    @Test func `a database of another store is refused, until an operator says that it is the right one`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let server = fleet.servers[0]
        let load = try Load.requests(to: server)
        try load.awaitMore(20)
        // The database is lost, and somebody sets everything up anew.
        fleet.control.destroy()
        for file in ["control.db", "control.db-wal", "control.db-shm", "token"] {
            try? FileManager.default.removeItem(atPath: "\(fleet.folder)/\(file)")
        }
        try fleet.restartControl()
        try fleet.readToken()
        try fleet.api.grant(
            "POST", "/servers",
            [
                "name": "za1", "region": "af-south-1", "hostname": "za1.dfree.test",
                "addresses": [.string(server.address)],
            ])
        try fleet.api.grant("POST", "/customers", ["name": "acme"])
        try fleet.api.grant(
            "POST", "/services",
            [
                "name": "acme-app", "customer": "acme", "clientDomains": ["app.acme.test"],
                "endpoint": nginx.second.endpoint.json, "primary": "za1",
            ])
        try fleet.awaitServer("za1", "refuses") { status in
            status["refusal"]["reasons"].items.contains { $0.text?.contains("of store") == true }
        }
        #expect(try fleet.api.grant("GET", "/servers/za1").body["appliedVersion"] == .null)
        #expect(told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"] == "first")
        try fleet.api.grant("POST", "/servers/za1/accept")
        try fleet.awaitServer("za1", "has taken it") {
            $0["refusal"] == .null && $0["appliedVersion"] == $0["currentVersion"]
        }
        #expect(told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"] == "second")
        #expect(load.stop().failures.map(\.description) == [])
        let audit = try fleet.api.grant("GET", "/audit").body["items"].items
        #expect(audit.contains { $0["action"].text == "server.accept" })
        // From then on it is this store's server as any other.
        try fleet.cutOver(to: nginx.first.endpoint)
        #expect(told(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").body)["name"] == "first")
    }

    @Test func `of two servers with one name the newer has the session`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let older = fleet.servers[0]
        let newer = try Server("za1", channel: fleet.channel, flags: [])
        try newer.start()
        try eventually("the older is told; it says: \(older.log)") {
            older.log.contains("a newer session of server za1 has taken its place")
        }
        // Whoever has the session, both carry traffic.
        for server in [older, newer] {
            #expect(try HTTPResponse.get("/", at: server.http, host: "app.acme.test").status == 200)
        }
    }
}
