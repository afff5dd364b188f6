import Foundation
import Glibc
import JSON
import Testing

/// The monitor endpoint among strangers: nobody from outside orders a failover, and what has really failed is still
/// found out.
@Suite(.load, .serialized) struct `Strangers at the monitor endpoint` {
    /// za1, probed by the control plane and by ie1 from another region, with a service on it. A round has five seconds,
    /// so that a slow machine is not taken for a failure.
    private func fleet(to endpoint: Endpoint, flags: [String] = []) throws -> Fleet {
        let fleet = try Fleet()
        try fleet.api.grant(
            "PATCH", "/settings",
            ["monitoring": ["intervalSeconds": 5, "timeoutSeconds": 5, "threshold": 3, "recoveryThreshold": 2]])
        for (name, region) in [("za1", "af-south-1"), ("ie1", "eu-west-1")] {
            let server = try fleet.registerServer(name, region: region, flags: flags)
            try fleet.api.grant(
                "PATCH", "/servers/\(name)",
                [
                    "monitoring": [
                        "httpPort": .integer(Int(server.http.port)), "httpsPort": .integer(Int(server.https.port)),
                    ]
                ])
            try server.start()
        }
        try fleet.addService(to: endpoint)
        try awaitHealth(fleet)
        return fleet
    }

    private func standing(_ fleet: Fleet, _ name: String = "za1") throws -> JSONValue {
        let servers = try fleet.api.grant("GET", "/failover").body["servers"].items
        return servers.first { $0["server"].text == name } ?? .null
    }

    private func awaitStanding(
        _ fleet: Fleet, _ what: String, within limit: Duration = .seconds(180), _ condition: (JSONValue) -> Bool
    ) throws {
        var last = JSONValue.null
        do {
            try eventually("za1 \(what)", within: limit, every: .milliseconds(100)) {
                last = try standing(fleet)
                return condition(last)
            }
        } catch {
            throw Failure("\(error): \(last)")
        }
    }

    private func awaitHealth(_ fleet: Fleet) throws {
        try awaitStanding(fleet, "is answered from both vantages") { server in
            let vantages = server["vantages"].items
            return server["state"].text == "healthy" && vantages.count == 2
                && vantages.allSatisfy { $0["outcome"].text == "answered" }
        }
    }

    /// Strangers who say a TLS hello with the server's host name, for so many seconds.
    private func strangers(to server: Server, seconds: Int, rate: Int = 20_000, linger: Int = 1) throws -> Program {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Harness/strangers.py"
        ).path
        let program = try Program(
            "python3",
            [
                script, server.https.address, "\(server.https.port)", "\(server.name).dfree.test", "\(seconds)",
                "\(rate)", "\(linger)",
            ],
            name: "strangers", isDaemon: false)
        try eventually("strangers come; they say: \(program.log)") { program.log.contains("begun\n") }
        return program
    }

    @Test func `a flood of hellos for the server's name makes it no suspect, and every probe is answered`() throws {
        let peer = try Peer.echo("first")
        let fleet = try fleet(to: Endpoint(peer.place), flags: ["--workers", "2"])
        let server = fleet.servers[0]
        let flood = try strangers(to: server, seconds: 30)
        var looks = 0
        while flood.isRunning {
            let standing = try standing(fleet)
            #expect(standing["state"].text == "healthy", "\(standing)")
            for vantage in standing["vantages"].items {
                #expect(vantage["outcome"].text == "answered", "\(vantage)")
            }
            looks += 1
            pause(.milliseconds(250))
        }
        #expect(looks > 10)
        print("strangers: \(flood.log)")
        #expect(flood.log.contains("made "))
        #expect(try server.incidents("monitor_refused") > 1000)
        // Once they have gone, the endpoint is anybody's again.
        try eventually("a stranger is answered") {
            let answer = try? HTTPResponse.get("/", at: server.http, host: "za1.dfree.test", from: Loopback.fresh())
            return answer?.status == 200 && answer?.body.contains("\"server\":\"za1\"") == true
        }
    }

    @Test func `a stranger's curl is answered, by both ports`() throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        for (scheme, place) in [("http", server.http), ("https", server.https)] {
            let said = try run(
                "curl",
                [
                    "--silent", "--insecure", "--interface", Loopback.fresh(), "--resolve",
                    "za1.dfree.test:\(place.port):\(place.address)", "\(scheme)://za1.dfree.test:\(place.port)/",
                ])
            #expect(said.output.contains("\"server\":\"za1\""), "\(scheme): \(said.output)\(said.errors)")
        }
    }

    @Test func `who asks too often is told so, and the others are answered`() throws {
        let peer = try Peer.echo("first")
        let fleet = try Fleet.single(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        try fleet.liftClientLimits()
        let hasty = Loopback.fresh()
        let http = server.http
        let load = try Load(threads: 8) {
            let answer = try HTTPResponse.get("/", at: http, host: "za1.dfree.test", from: hasty)
            return "\(answer.status) \(answer.fields["retry-after"] ?? "")"
        }
        try server.awaitIncident("monitor_refused", beyond: 10)
        #expect(load.stop().answers() == ["200 ", "429 1"])
        let other = try HTTPResponse.get("/", at: server.http, host: "za1.dfree.test", from: Loopback.fresh())
        #expect(other.status == 200)
    }

    @Test func `a token that somebody has read on its way is good for nobody else`() throws {
        let peer = try Peer.echo("first")
        let fleet = try fleet(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        let heads = Heads()
        // Somebody on the way, who hands everything on and reads it.
        let place = server.http
        let way = try Peer { device in
            let head = try device.receive(until: "\r\n\r\n")
            heads.add(head)
            let onward = try TCPConnection(to: place)
            try onward.send(head)
            try device.send(onward.receiveAll().text)
        }
        try fleet.api.grant(
            "PATCH", "/servers/za1",
            [
                "addresses": [.string(way.place.address), .string(server.address)],
                "monitoring": [
                    "httpPort": .integer(Int(way.place.port)), "httpsPort": .integer(Int(server.https.port)),
                ],
            ])
        let token = try eventually("a token comes by", within: .seconds(60)) { heads.token }
        let refused = "ddirect_monitor_proofs_total{outcome=\"refused\"}"
        try eventually("the token was taken", within: .seconds(60)) {
            try server.metric("ddirect_monitor_proofs_total{outcome=\"taken\"}") > 0
        }
        let before = try server.metric(refused)
        let answer = try HTTPResponse.get(
            "/", at: server.http, host: "za1.dfree.test", from: Loopback.fresh(), fields: "DDirect-Probe: \(token)\r\n")
        #expect(answer.status == 200)
        #expect(try server.metric(refused) == before + 1)
    }

    @Test func `answers that are missing while traffic flows move nothing and are told, until the traffic ends`() throws
    {
        let peer = try Peer.echo("first")
        let fleet = try fleet(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        let load = try Load.hellos(to: server)
        // The endpoint does not answer any more, and everything else goes on: as if strangers had crowded it out.
        let holder = try StoppedThread.hold("responder", of: server.program.pid)
        try awaitStanding(fleet, "lacks answers") { standing in
            standing["detail"].text?.hasPrefix("answers missing though traffic flows") == true
        }
        let standing = try standing(fleet)
        #expect(standing["state"].text == "healthy", "\(standing)")
        #expect(standing["vantages"].items.allSatisfy { $0["outcome"].text == "unanswered" }, "\(standing)")
        let status = try run(
            "ddirect", ["failover", "status"], environment: try Shell(fleet).environment)
        #expect(status.output.contains("is the monitor endpoint being flooded?"), "\(status.output)")
        #expect(load.stop().failures.isEmpty)
        // Without traffic there is nothing that speaks for it.
        try awaitStanding(fleet, "has failed") { $0["state"].text == "failed" }
        holder.destroy()
        try awaitHealth(fleet)
    }

    @Test func `a process that is stopped fails although its kernel takes connections and traffic flowed before`()
        throws
    {
        let peer = try Peer.echo("first")
        let fleet = try fleet(to: Endpoint(peer.place))
        let server = fleet.servers[0]
        let load = try Load.hellos(to: server)
        try load.awaitMore(20)
        try server.program.signal(SIGSTOP)
        try awaitStanding(fleet, "has failed") { $0["state"].text == "failed" }
        try server.program.signal(SIGCONT)
        try awaitHealth(fleet)
        load.stop()
    }
}

/// The heads of requests that somebody on the way has read.
private final class Heads: @unchecked Sendable {
    private let lock = NSLock()
    private var heads: [String] = []

    func add(_ head: String) { lock.withLock { heads.append(head) } }

    /// The first token that was among them.
    var token: String? {
        lock.withLock {
            heads.lazy.flatMap { $0.split(separator: "\r\n") }.first { $0.hasPrefix("DDirect-Probe: ") }.map {
                String($0.dropFirst(15))
            }
        }
    }
}
