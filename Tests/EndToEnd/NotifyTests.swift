import Foundation
import Glibc
import Testing

/// What the daemons tell the service manager, which starts others after them and restarts what stands still.
@Suite(.realParts) struct `The service manager` {
    @Test func `hears that a server is ready with its first snapshot and not before, and what it carries`() throws {
        let peer = try Peer.echo("first")
        let manager = try ServiceManager()
        let fleet = try Fleet()
        let server = try fleet.registerServer("za1", environment: manager.environment)
        fleet.control.destroy()
        try server.launch()
        try manager.awaitHeard("STATUS=Waiting for a snapshot")
        #expect(try HTTPResponse.get("/readyz", at: server.admin).status == 503)
        #expect(manager.count("READY=1") == 0)

        try fleet.restartControl()
        try manager.awaitHeard("READY=1")
        let ready = manager.heard.first { $0.hasPrefix("READY=1\n") }
        #expect(ready?.hasPrefix("READY=1\nSTATUS=Carrying 0 services, version ") == true, "\(manager.heard)")
        #expect(try HTTPResponse.get("/readyz", at: server.admin).status == 200)

        try fleet.addService(to: Endpoint(peer.place))
        try eventually("the status follows") {
            manager.assignments.contains { $0.hasPrefix("STATUS=Carrying 1 services, version ") }
        }
        #expect(manager.count("READY=1") == 1)
        #expect(manager.count("WATCHDOG=1") == 0, "it has asked for no watchdog")
    }

    @Test func `hears that a server stops before the drain begins, and that it is alive until the end`() throws {
        let peer = try Peer.echo("first")
        let manager = try ServiceManager(watchdog: .seconds(2))
        let fleet = try Fleet()
        let server = try fleet.addServer("za1", flags: ["--drain-timeout", "3600"], environment: manager.environment)
        try fleet.addService(to: Endpoint(peer.place))
        let connection = try TCPConnection(to: server.https)
        try connection.send(clientHello("app.acme.test"))
        #expect(try connection.receive(until: "\n") == "first\n")
        try manager.awaitHeard("WATCHDOG=1", times: 10)

        try server.program.signal(SIGTERM)
        try manager.awaitHeard("STOPPING=1")
        try manager.awaitHeard("WATCHDOG=1", times: manager.count("WATCHDOG=1") + 10)
        #expect(try server.program.isRunning)
        connection.endWriting()
        #expect(connection.receive() == .end)
        #expect(try server.program.waitForEnd() == .exited(0))
        #expect(manager.assignments.filter { $0 == "READY=1" || $0 == "STOPPING=1" } == ["READY=1", "STOPPING=1"])
    }

    @Test func `hears that a server reads its name servers anew, and that it is ready again`() throws {
        let manager = try ServiceManager()
        let fleet = try Fleet()
        let server = try fleet.addServer("za1", environment: manager.environment)
        try manager.awaitHeard("READY=1")
        try server.program.signal(SIGHUP)
        try manager.awaitHeard("READY=1", times: 2)
        let words = manager.assignments.filter { $0 == "READY=1" || $0 == "RELOADING=1" }
        #expect(words == ["READY=1", "RELOADING=1", "READY=1"])
        #expect(manager.heard.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") })
        #expect(try server.program.isRunning)
    }

    @Test(
        .enabled(if: Capability.held(.sysPtrace), "to hold a thread of another process takes CAP_SYS_PTRACE"),
        arguments: ["worker-0", "responder"])
    func `hears nothing of a server of which a thread is stuck that traffic needs, until that goes on`(name: String)
        throws
    {
        let manager = try ServiceManager(watchdog: .seconds(2))
        let fleet = try Fleet()
        let server = try fleet.addServer("za1", environment: manager.environment)
        try manager.awaitHeard("WATCHDOG=1", times: 5)
        let holder = try StoppedThread.hold(name, of: try server.program.pid)
        // It comes five times a second as long as it comes.
        try eventually("the watchdog is starved") {
            let before = manager.count("WATCHDOG=1")
            pause(.seconds(2))
            return manager.count("WATCHDOG=1") == before
        }
        #expect(try server.program.isRunning)
        try eventually("/healthz says so too") {
            let answer = try HTTPResponse.get("/healthz", at: server.admin)
            return answer.status == 503 && answer.body == "Thread \(name) makes no progress.\n"
        }
        #expect(try HTTPResponse.get("/readyz", at: server.admin).status == 503)
        // The kernel lets go of a thread whose tracer has ended.
        holder.destroy()
        try manager.awaitHeard("WATCHDOG=1", times: manager.count("WATCHDOG=1") + 5)
        try eventually("/healthz is well again") { try HTTPResponse.get("/healthz", at: server.admin).status == 200 }
    }

    @Test func `hears that the control plane is ready when servers can connect, and that it stops`() throws {
        let manager = try ServiceManager()
        let fleet = try Fleet(environment: manager.environment)
        try manager.awaitHeard("READY=1")
        _ = try TCPConnection(toUnix: String(fleet.channel.dropFirst("unix:".count)))
        #expect(manager.heard[0].hasPrefix("READY=1\nSTATUS=API on \(fleet.api.place), version "), "\(manager.heard)")
        fleet.control.signal(SIGTERM)
        #expect(try fleet.control.waitForEnd() == .exited(0))
        #expect(manager.heard.count == 2, "\(manager.heard)")
        #expect(manager.heard.last == "STOPPING=1")
    }

    @Test func `does not hear that a control plane is ready whose channel is another's`() throws {
        let fleet = try Fleet()
        let manager = try ServiceManager()
        let folder = try makeFolder(Scene.present().path("other"))
        let said = try run(
            "ddirect-control",
            [
                "--database", "\(folder)/control.db", "--admin-token-file", "\(folder)/token", "--channel",
                fleet.channel, "--listen", "\(try Place.fresh())",
            ], environment: manager.environment)
        #expect(said.code == 73, "\(said.errors)")
        #expect(manager.count("READY=1") == 0)
    }
}
