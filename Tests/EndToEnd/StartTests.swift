import Testing

/// What each daemon says, and ends with, when it cannot start.
@Suite(.realParts) struct `A start that fails` {
    @Test func `every wrong setting of a server is named, and the exit code is 64`() throws {
        let said = try run(
            "ddirect-proxy",
            [
                "--server", "Not A Name", "--control", "tcp:127.0.0.1", "--http", "nowhere", "--https",
                "127.0.0.1:70000", "--admin",
                "127.0.0.1", "--workers", "0", "--hello-timeout", "soon", "--flow-limit", "0",
            ])
        #expect(said.code == 64)
        for flag in [
            "--server", "--control", "--http", "--https", "--admin", "--workers", "--hello-timeout", "--flow-limit",
        ] {
            #expect(said.errors.contains("\(flag)"), "\(flag) is not named in: \(said.errors)")
        }
    }

    @Test func `wrong settings in the environment are named by their variables`() throws {
        let said = try run(
            "ddirect-proxy", [],
            environment: ["DDIRECT_SERVER": "za1", "DDIRECT_HTTP": "127.0.0.1:0x50,::1", "DDIRECT_WORKERS": "many"])
        #expect(said.code == 64)
        #expect(said.errors.contains("DDIRECT_HTTP"))
        #expect(said.errors.contains("DDIRECT_WORKERS"))
    }

    @Test func `a server without a name says that it needs one`() throws {
        let said = try run("ddirect-proxy", [])
        #expect(said.code == 64)
        #expect(said.errors.contains("--server"))
        #expect(said.errors.contains("is missing"))
    }

    @Test func `every wrong setting of a control plane is named, and the exit code is 64`() throws {
        let said = try run(
            "ddirect-control",
            [
                "--listen", "192.0.2.1:7080", "--channel", "tcp:control.example.net:7443", "--allow-endpoint",
                "10.0.0.0/40",
                "--database", "",
            ])
        #expect(said.code == 64)
        for flag in ["--listen", "--channel", "--allow-endpoint", "--database"] {
            #expect(said.errors.contains("\(flag)"), "\(flag) is not named in: \(said.errors)")
        }
    }

    @Test func `a port that is taken ends a server with 69`() throws {
        let taken = try TCPListener(Loopback.fresh())
        let free = try Place.fresh(2)
        for flag in ["--http", "--https", "--admin"] {
            var places = ["--http": "\(free[0])", "--https": "\(free[1])", "--admin": "\(try Place.fresh())"]
            places[flag] = "\(taken.place)"
            let said = try run(
                "ddirect-proxy",
                ["--server", "za1", "--control", "unix:/nowhere/channel.sock"] + places.flatMap { [$0, $1] })
            #expect(said.code == 69, "\(flag): \(said.errors)")
            #expect(said.errors.contains("\(taken.place)"), "\(flag): \(said.errors)")
        }
    }

    @Test func `a port that is taken ends a control plane with 69`() throws {
        let fleet = try Fleet()
        let folder = try Scene.present().path("other")
        _ = try makeFolder(folder)
        let said = try run(
            "ddirect-control",
            [
                "--database", "\(folder)/control.db", "--admin-token-file", "\(folder)/token", "--channel",
                "unix:\(folder)/c.sock",
                "--listen", "\(fleet.api.place)",
            ])
        #expect(said.code == 69, "\(said.errors)")
        #expect(said.errors.contains("\(fleet.api.place)"), "\(said.errors)")
    }

    @Test func `a second control plane on the same channel does not take it away`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet.single(to: nginx.first.endpoint)
        let folder = try makeFolder(Scene.present().path("other"))
        let said = try run(
            "ddirect-control",
            [
                "--database", "\(folder)/control.db", "--admin-token-file", "\(folder)/token", "--channel",
                fleet.channel, "--listen",
                "\(try Place.fresh())",
            ])
        // A socket of its own that it cannot make, which is not the same as an address that is taken.
        #expect(said.code == 73, "\(said.code): \(said.errors)")
        #expect(said.errors.contains("another process does"), "\(said.errors)")
        #expect(fleet.control.isRunning)
        try fleet.cutOver(to: nginx.first.endpoint)
    }
}
