import JSON
import Testing

/// `ddirect flows`: what is open on a server now, as an operator sees it.
@Suite(.realParts) struct `Open flows` {
    /// Connections on which the endpoint has said its name, and then `echoed` bytes.
    private func open(
        _ count: Int, _ host: String, to server: Server, from source: String, name: String, echoed: Int
    ) throws -> [TCPConnection] {
        try (0..<count).map { _ in
            let connection = try TCPConnection(to: server.https, from: source)
            try connection.send(clientHello(host))
            #expect(try connection.receive(until: "\n") == "\(name)\n")
            try connection.send([UInt8](repeating: 7, count: echoed))
            _ = try connection.receive(exactly: echoed)
            return connection
        }
    }

    @Test(arguments: [1, 3])
    func `are listed from end to end as long as they are open, and not afterwards`(workers: Int) throws {
        let (first, second) = (try Peer.echo("first"), try Peer.echo("second"))
        let fleet = try Fleet.single(to: Endpoint(first.place), flags: ["--workers", "\(workers)"])
        try fleet.addService("acme-web", domains: ["web.acme.test"], to: Endpoint(second.place))
        let server = fleet.servers[0]
        let shell = try Shell(fleet)
        let (home, away) = (Loopback.fresh(), Loopback.fresh())
        var apps = try open(5, "app.acme.test", to: server, from: home, name: "first", echoed: 1000)
        var webs = try open(2, "web.acme.test", to: server, from: away, name: "second", echoed: 10)

        func list(_ options: String) throws -> JSONValue {
            try JSONValue.parse(shell.succeed("flows za1 --json \(options)").utf8)
        }
        let list1 = try list("--service acme-app")
        #expect(list1["server"] == "za1")
        #expect(list1["matching"] == 5)
        #expect(list1["complete"] == true)
        #expect(list1["flows"].items.count == 5)
        let hello = clientHello("app.acme.test").count
        for flow in list1["flows"].items {
            #expect(flow["service"] == "acme-app")
            #expect(flow["protocol"] == "https")
            #expect(flow["stage"] == "relaying")
            #expect(flow["client"].text?.hasPrefix("\(home):") == true)
            #expect(flow["called"].text == "\(server.https)")
            #expect(flow["endpoint"].text == "\(first.place)")
            #expect(flow["bytesUp"].integer == hello + 1000)
            #expect(flow["bytesDown"].integer == "first\n".utf8.count + 1000)
        }
        #expect(Set(list1["flows"].items.compactMap { $0["client"].text }).count == 5)
        #expect(try list("--client \(away)")["matching"] == 2)
        #expect(try list("--client \(away) --service acme-app")["matching"] == 0)
        // The probes of the fleet may be among all flows.
        let named = try list("")["flows"].items.filter { $0["monitor"] != true }
        #expect(named.count == 7)

        let table = try shell.ddirect("flows za1 --service acme-app --limit 2")
        #expect(table.code == 0)
        #expect(table.output.hasPrefix("CLIENT"))
        #expect(table.output.split(separator: "\n").count == 3)
        #expect(table.output.contains("\(first.place)"))
        #expect(table.output.contains("1.0 kB"))
        #expect(table.errors.contains("5 flows match, and these are the 2 oldest"))

        apps.removeAll()
        try eventually("the flows of acme-app are gone from the list") {
            try list("--service acme-app")["matching"] == 0
        }
        #expect(try shell.succeed("flows za1 --service acme-app").contains("no flow that matches is open"))
        #expect(try list("--service acme-web")["matching"] == 2)
        webs.removeAll()
    }

    @Test(.enabled(if: Capability.held(.sysPtrace), "to hold a thread of another process takes CAP_SYS_PTRACE"))
    func `are listed without the worker that is stuck, and the operator is told so`() throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(to: Endpoint(peer.place), flags: ["--workers", "2"])
        let server = fleet.servers[0]
        let shell = try Shell(fleet)
        let holder = try StoppedThread.hold("worker-1", of: server.program.pid)
        let said = try shell.ddirect("flows za1")
        #expect(said.code == 0, "\(said.output)\(said.errors)")
        #expect(said.errors.contains("the list is incomplete"))
        holder.destroy()
        try eventually("the worker goes on") {
            try JSONValue.parse(shell.succeed("flows za1 --json").utf8)["complete"] == true
        }
    }
}
