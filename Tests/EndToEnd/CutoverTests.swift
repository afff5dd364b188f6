import Testing

/// The endpoint of a service changes while its traffic goes on.
@Suite(.load, .serialized) struct `Cutover under load` {
    @Test(arguments: [1, 3])
    func `no connection fails, none breaks, and after the answer all reach the new endpoint`(workers: Int) throws {
        let first = try Peer.echo("first")
        let second = try Peer.echo("second", port: first.place.port)
        // Without a pause, so that each cutover meets some connections; that is more than one client may have.
        let limits = Fleet.unlimited("newClientConnectionsPerSecond")
        let fleet = try Fleet.pair(
            to: Endpoint(first.place), options: ["limits": limits], flags: ["--workers", "\(workers)"])
        try fleet.liftClientLimits()
        let descriptors = try fleet.servers.map { try $0.atRest(\.descriptorCount) }
        let loads = try fleet.servers.map { try Load.hellos(to: $0, threads: 4, pausing: .zero) }
        let pingPongs = try fleet.servers.map { try PingPong(10, through: $0) }
        var moves: [(to: String, asked: ContinuousClock.Instant, applied: ContinuousClock.Instant)] = []
        for (name, peer) in [("second", second), ("first", first), ("second", second), ("first", first)] {
            for load in loads { try load.awaitMore(200) }
            let asked = now()
            try fleet.cutOver(to: Endpoint(peer.place))
            moves.append((name, asked, now()))
        }
        for load in loads { try load.awaitMore(200) }
        for pingPong in pingPongs { try pingPong.awaitMore(200) }
        let outcomes = loads.map { $0.stop() }
        for pingPong in pingPongs { #expect(pingPong.stop() == []) }
        for seen in outcomes {
            #expect(seen.failures.map(\.description) == [])
            #expect(seen.answers(to: moves[0].asked) == ["first"])
            for (index, move) in moves.enumerated() {
                let end = index + 1 < moves.count ? moves[index + 1].asked : nil
                #expect(seen.answers(from: move.applied, to: end) == [move.to])
                // Had it fallen between two connections, nothing would have been tried.
                #expect(seen.contains { $0.opened < move.applied && $0.ended > move.asked })
            }
        }
        print("figure: cutovers under \(outcomes.flatMap { $0 }.rate.rounded()) new connections a second")
        for (server, before) in zip(fleet.servers, descriptors) {
            try server.awaitNoFlows()
            try eventually("the descriptors of \(server.name) are back to \(before)") {
                try server.program.descriptorCount <= before
            }
        }
    }

    @Test(arguments: [1, 3]) func `requests of plain HTTP follow at once, to nginx`(workers: Int) throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint, flags: ["--workers", "\(workers)"])
        let load = try Load.requests(to: fleet.servers[0], threads: 4)
        try load.awaitMore(200)
        let asked = now()
        try fleet.cutOver(to: nginx.second.endpoint)
        let applied = now()
        try load.awaitMore(200)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(to: asked) == ["first"])
        #expect(seen.answers(from: applied) == ["second"])
    }

    @Test func `a burst of changes ends at the last of them everywhere`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.pair(to: nginx.first.endpoint)
        let load = try Load.requests(to: fleet.servers[0])
        try load.awaitMore(50)
        let began = now()
        for number in 0..<40 {
            let site = number.isMultiple(of: 2) ? nginx.second : nginx.first
            try fleet.api.grant("PATCH", "/services/acme-app", ["endpoint": site.endpoint.json])
        }
        let last = try fleet.cutOver(to: nginx.second.endpoint)
        let applied = now()
        try load.awaitMore(50)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(to: began) == ["first"])
        #expect(seen.answers(from: applied) == ["second"])
        for server in fleet.servers {
            #expect(try server.metric("ddirect_snapshot_version") == UInt64(last.version ?? 0))
        }
    }

    @Test func `a restored version brings the former endpoint back`() throws {
        let nginx = try Nginx("first", "second")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let before = try fleet.api.grant("GET", "/versions?limit=1").body["items"][0]["version"].integer ?? 0
        try fleet.cutOver(to: nginx.second.endpoint)
        try fleet.api.apply("POST", "/versions/\(before)/restore")
        let response = try HTTPResponse.get("/", at: fleet.servers[0].http, host: "app.acme.test")
        #expect(told(response.body)["name"] == "first")
    }
}
