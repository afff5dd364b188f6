import Glibc
import Testing

/// Listeners that the service manager opens and passes (sd_listen_fds(3)): systemd's own tool plays its part here.
@Suite(.realParts) struct `Sockets from the service manager` {
    /// A fleet whose one server is given its sockets, with the names that their unit has.
    private func fleet(names: String, to endpoint: Endpoint, flags: [String]) throws -> (Fleet, Server, Program) {
        let fleet = try Fleet()
        let server = try fleet.addServer("za1")
        try fleet.addService(to: endpoint)
        // The same server again, at the same places, now with sockets that it did not open itself.
        try server.kill()
        let line =
            ["--listen=\(server.http)", "--listen=\(server.https)", "--fdname=\(names)"]
            + [try Executables.path(of: "ddirect-proxy")]
            + ["--server", "za1", "--control", fleet.channel, "--admin", "\(server.admin)", "--workers", "1"] + flags
        let program = try Program("systemd-socket-activate", line, name: "za1 activated")
        // It is started by the first connection, which waits in the queue until the server has its snapshot.
        return (fleet, server, program)
    }

    @Test func `traffic is taken from them, each by what its name says`() throws {
        let nginx = try Nginx("first")
        let (_, server, program) = try fleet(names: "http:https", to: nginx.first.endpoint, flags: [])
        try eventually("systemd-socket-activate listens") { (try? TCPConnection(to: server.http)) != nil }
        let response = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        #expect(told(response.body)["name"] == "first")
        let secure = try Curl(server: server, certificate: nginx.certificate.certificate).get("https://app.acme.test/")
        #expect(told(secure.body)["name"] == "first")
        // At its end the sockets are not the server's to close: who comes next finds them listening.
        program.signal(SIGTERM)
        #expect(try program.waitForEnd() == .exited(0))
    }

    @Test func `without a name the port tells what a socket speaks`() throws {
        let nginx = try Nginx("first")
        let fleet = try Fleet()
        let server = try fleet.addServer("za1")
        try fleet.addService(to: nginx.first.endpoint)
        try server.kill()
        let line =
            ["--listen=\(server.http)", "--listen=\(server.https)", try Executables.path(of: "ddirect-proxy")]
            + server.arguments
        _ = try Program("systemd-socket-activate", line, name: "za1 activated")
        try eventually("systemd-socket-activate listens") { (try? TCPConnection(to: server.http)) != nil }
        let response = try HTTPResponse.get("/", at: server.http, host: "app.acme.test")
        #expect(told(response.body)["name"] == "first")
    }

    @Test func `one that tells by neither is refused, with what to do about it`() throws {
        let nginx = try Nginx("first")
        let (_, server, program) = try fleet(names: "web:secure", to: nginx.first.endpoint, flags: [])
        try eventually("systemd-socket-activate listens") { (try? TCPConnection(to: server.http)) != nil }
        #expect(try program.waitForEnd() == .exited(69))
        #expect(program.log.contains("FileDescriptorName=http or https"))
    }
}
