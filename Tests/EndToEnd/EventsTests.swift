import Glibc
import JSON
import Testing

/// What happens in the fleet, as it is told to those who watch.
@Suite(.realParts) struct `Events` {
    /// Follows the events, and returns when the control plane has let it in.
    private func follow(_ fleet: Fleet, _ options: String...) throws -> (Program, errors: String) {
        let errors = try Scene.present().path("follower.err")
        let before = requests(fleet)
        let follower = try Program(
            "ddirect", ["events", "--follow"] + options, name: "follower", errors: errors,
            environment: try Shell(fleet).environment)
        try eventually("the follower is let in; it says: \(follower.log)") { requests(fleet) > before }
        return (follower, errors)
    }

    private func requests(_ fleet: Fleet) -> Int {
        fleet.control.log.split(separator: "\n").count { $0.contains("Request answered") && $0.contains("/events") }
    }

    /// The lines of a follower that have this word.
    private func lines(_ follower: Program, having word: String) -> [Substring] {
        follower.log.split(separator: "\n").filter { $0.contains(word) }
    }

    @Test func `a follower sees changes, sessions and commands, and goes on after kill -9`() throws {
        let fleet = try Fleet()
        let (follower, errors) = try follow(fleet)
        let server = try fleet.addServer("za1")
        try eventually("the change is told") { follower.log.contains("create server za1") }
        #expect(
            lines(follower, having: "create server za1").allSatisfy { $0.contains("change") && $0.contains("admin") })
        try eventually("the session is told") { !lines(follower, having: "session.connected").isEmpty }
        let shell = try Shell(fleet)
        try shell.succeed("server drain za1")
        try eventually("the drain is told") { !lines(follower, having: "server.draining").isEmpty }
        try shell.succeed("server undrain za1")
        try eventually("its end is told") { !lines(follower, having: "server.undrained").isEmpty }
        try server.kill()
        try eventually("the end of the session is told") { !lines(follower, having: "session.ended").isEmpty }

        fleet.control.destroy()
        try fleet.restartControl()
        try eventually("the gap is told; it says: \(text(ofFile: errors))") {
            lines(follower, having: "gap").contains { $0.contains("read the resources anew") }
        }
        try shell.succeed("customer create acme")
        try eventually("what happens is told again") { follower.log.contains("create customer acme") }
        #expect(lines(follower, having: "create customer acme").count == 1)
        let said = text(ofFile: errors).split(separator: "\n")
        #expect(said.count == 1, "that it was cut off is said once: \(said)")
        #expect(follower.isRunning)
    }

    @Test func `with Last-Event-ID come those that were missed, and no others`() throws {
        let fleet = try Fleet()
        let shell = try Shell(fleet)
        for name in ["a1", "a2", "a3", "a4"] { try shell.succeed("customer create \(name)") }
        func events() throws -> [JSONValue] {
            try shell.succeed("events --json").split(separator: "\n").map { try JSONValue.parse($0.utf8) }
        }
        try eventually("all are told") { try events().count == 4 }
        let ids = try events().compactMap { $0["id"].text }
        let reader = try Program(
            "curl",
            [
                "-sSN", "-H", "Authorization: Bearer \(fleet.api.token)", "-H", "Last-Event-ID: \(ids[1])",
                "http://\(fleet.api.place)/api/v1/events",
            ])
        func told() -> [String] {
            reader.log.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
        }
        try eventually("all that were missed are told: \(reader.log)") { told().count >= ids.count - 1 }
        // One that is told twice, or should not be told, comes at once. The stream goes on.
        pause(.milliseconds(500))
        #expect(told() == Array(ids.dropFirst()), "first where it begins, and then each event: \(reader.log)")
        #expect(reader.log.hasPrefix("retry: 2000\n"))
        #expect(reader.isRunning)
    }

    @Test func `open streams do not hold up the end of the control plane, and are ended in order`() throws {
        let fleet = try Fleet()
        let (follower, errors) = try follow(fleet)
        let reader = try TCPConnection(to: fleet.api.place)
        try reader.send(
            "GET /api/v1/events HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer \(fleet.api.token)\r\n\r\n")
        _ = try reader.receive(until: "retry: 2000\n")
        let began = now()
        fleet.control.signal(SIGTERM)
        #expect(try fleet.control.waitForEnd() == .exited(0))
        figure("the control plane ends with streams open", now() - began, under: .seconds(10))
        let (rest, end) = reader.receiveAll()
        #expect(end == .end)
        #expect(rest.hasSuffix("0\r\n\r\n"), "the last chunk of RFC 9112: \(rest)")
        #expect(fleet.control.log.contains("Event stream ended"))
        #expect(fleet.control.log.contains("the daemon is stopping"))
        try eventually("the follower says so") { text(ofFile: errors).contains("Until it is back") }
        #expect(follower.isRunning)
    }

    @Test func `who goes away makes room at once`() throws {
        let fleet = try Fleet()
        func open() throws -> TCPConnection {
            let reader = try TCPConnection(to: fleet.api.place)
            try reader.send(
                "GET /api/v1/events HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer \(fleet.api.token)\r\n\r\n")
            _ = try reader.receive(until: "\r\n\r\n")
            return reader
        }
        var readers: [TCPConnection] = []
        for _ in 0..<64 { readers.append(try open()) }
        let refused = try fleet.api.call("GET", "/events")
        #expect(refused.status == 503)
        #expect(refused.fields["retry-after"] == "30")
        #expect(try fleet.api.call("GET", "/customers").status == 200, "the rest of the API has room")
        readers = []
        let left = now()
        try eventually("there is room again") {
            let reader = try TCPConnection(to: fleet.api.place)
            try reader.send(
                "GET /api/v1/events HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer \(fleet.api.token)\r\n\r\n")
            return try reader.receive(until: "\r\n\r\n").contains(" 200 ")
        }
        // Well before the next heartbeat.
        figure("a reader that goes makes room", now() - left, under: .seconds(5))
    }
}
