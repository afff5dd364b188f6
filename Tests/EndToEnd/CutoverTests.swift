import Testing

/// The endpoint of a service changes while its traffic goes on.
@Suite(.load, .serialized) struct `Cutover under load` {
    @Test func `no connection fails, none breaks, and after the answer all reach the new endpoint`() throws {
        let peers = try [Peer.echo("first")]
        let port = peers[0].place.port
        let second = try Peer.echo("second", port: port)
        let fleet = try Fleet.pair(to: Endpoint(peers[0].place))
        let loads = try fleet.servers.map { try Load.hellos(to: $0) }
        let pingPongs = try fleet.servers.map { try PingPong(10, through: $0) }
        var moves: [(to: String, asked: ContinuousClock.Instant, applied: ContinuousClock.Instant)] = []
        for (name, peer) in [("second", second), ("first", peers[0]), ("second", second), ("first", peers[0])] {
            for load in loads { try load.awaitMore(100) }
            let asked = now()
            try fleet.cutOver(to: Endpoint(peer.place))
            moves.append((name, asked, now()))
        }
        for load in loads { try load.awaitMore(100) }
        for pingPong in pingPongs { try pingPong.awaitMore(200) }
        let outcomes = loads.map { $0.stop() }
        for pingPong in pingPongs { #expect(pingPong.stop() == []) }
        for seen in outcomes {
            #expect(seen.failures.map(\.description) == [])
            #expect(seen.answers(from: seen[0].opened, to: moves[0].asked - .seconds(1)).subtracting(["first"]) == [])
            for (index, move) in moves.enumerated() {
                let end = index + 1 < moves.count ? moves[index + 1].asked : nil
                #expect(seen.answers(from: move.applied, to: end) == [move.to])
            }
        }
        for server in fleet.servers { try server.awaitNoFlows() }
    }

    @Test func `requests of plain HTTP follow at once, to nginx`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let load = try Load.requests(to: fleet.servers[0], threads: 4)
        try load.awaitMore(200)
        try fleet.cutOver(to: nginx.second.endpoint)
        let applied = now()
        try load.awaitMore(200)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(from: applied) == ["second"])
    }

    @Test func `a burst of changes ends at the last of them everywhere`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.pair(to: nginx.first.endpoint)
        let load = try Load.requests(to: fleet.servers[0])
        for number in 0..<40 {
            let site = number.isMultiple(of: 2) ? nginx.second : nginx.first
            try fleet.api.grant("PATCH", "/services/acme-app", ["endpoint": site.endpoint.json])
        }
        let last = try fleet.cutOver(to: nginx.second.endpoint)
        let applied = now()
        try load.awaitMore(50)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(from: applied) == ["second"])
        for server in fleet.servers {
            #expect(try server.metric("ddirect_snapshot_version") == UInt64(last.version ?? 0))
        }
    }

    @Test func `a restored version brings the former endpoint back`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let before = try fleet.api.grant("GET", "/versions?limit=1").body["items"][0]["version"].number ?? 0
        try fleet.cutOver(to: nginx.second.endpoint)
        try fleet.api.apply("POST", "/versions/\(before)/restore")
        let response = try HTTPResponse.get("/", at: fleet.servers[0].http, host: "app.acme.test")
        #expect(told(response.body)["name"] == "first")
    }
}
