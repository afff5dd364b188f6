import ArgumentParser
import Testing

@testable import ddirect

@Suite struct `Failover on the command line` {
    func parse<Command>(_ line: [String], as type: Command.Type = Command.self) throws -> Command {
        try #require(try DDirect.parseAsRoot(line) as? Command)
    }

    @Test func `a failover is sent with its reason, and forced only when asked to`() throws {
        let run: FailoverCommand.Run = try parse(["failover", "run", "za1", "--reason", "loses packets", "--wait"])
        #expect(run.body == ["reason": "loses packets", "forSeconds": .null, "force": false])
        #expect(run.following.wait)
        let forced: FailoverCommand.Run = try parse(["failover", "run", "za1", "--reason", "x", "--force"])
        #expect(forced.body["force"] == true && !forced.following.wait)
    }

    @Test func `a drill ends by itself`() throws {
        let drill: FailoverCommand.Drill = try parse(["failover", "drill", "za1", "--for", "10m"])
        #expect(drill.body == ["reason": "drill", "forSeconds": 600, "force": false])
    }

    @Test func `a failback has its reason too`() throws {
        let failback: FailbackCommand = try parse(["failback", "za1", "--reason", "mended", "--force"])
        #expect(failback.body == ["reason": "mended", "force": true])
    }

    @Test func `a server is forced until the end that is given, and left to the probes again without one`() throws {
        let now = try Moment(parsing: "2026-03-01T12:00:00Z").date
        let down: ServerCommand.Force = try parse([
            "server", "force", "za1", "down", "--for", "1h", "--reason", "fibre",
        ])
        let call = try down.call(now: now)
        #expect(call.method == .put)
        #expect(call.url(below: "http://a") == "http://a/api/v1/servers/za1/override")
        #expect(call.body == ["state": "down", "until": "2026-03-01T13:00:00Z", "reason": "fibre"])
        #expect(call.headers.contains { $0 == ("Content-Type", "application/json") })
        let off: ServerCommand.Force = try parse(["server", "force", "za1", "off"])
        #expect(try off.call(now: now).method == .delete)
        #expect(try off.call(now: now).body == nil)
    }

    @Test(arguments: [
        ["failover", "run", "za1"], ["failover", "run", "--reason", "x"], ["failover", "run", "za1", "--reason", "  "],
        ["failover", "drill", "za1"], ["failover", "drill", "za1", "--for", "10"],
        ["failover", "drill", "za1", "--for", "10m", "--force"], ["failover", "plan"], ["failover", "show"],
        ["failover", "show", "latest"], ["failover", "history", "--limit", "0"], ["failback", "za1"],
        ["freeze", "--reason", "x"], ["freeze", "--for", "2h"],
        ["freeze", "--for", "2h", "--until", "2026-03-01 12:00", "--reason", "x"],
        ["freeze", "--until", "tomorrow", "--reason", "x"],
        ["server", "force", "za1"], ["server", "force", "za1", "sideways", "--for", "1h", "--reason", "x"],
        ["server", "force", "za1", "up", "--for", "1h"], ["server", "force", "za1", "up", "--reason", "x"],
        ["server", "force", "za1", "off", "--for", "1h"], ["server", "force", "za1", "off", "--reason", "x"],
    ])
    func `what cannot be is refused with 64 before anything is sent`(line: [String]) {
        let error = #expect(throws: (any Error).self) { try parse(line, as: (any ParsableCommand).self) }
        #expect(error.map { DDirect.exitCode(for: $0).rawValue } == 64)
    }

    @Test func `a time that is none is told what one looks like`() {
        let error = #expect(throws: (any Error).self) {
            try parse(["failover", "drill", "za1", "--for", "ten"], as: (any ParsableCommand).self)
        }
        #expect(error.map { DDirect.message(for: $0).contains("such as 90s, 10m, 2h, 1d") } == true)
    }

    @Test func `a failover is never sent twice, and what ends or replaces something may be`() {
        #expect(!Call(.post, "servers", "za1", "failover").mayBeRepeated)
        #expect(Call(.put, "failover", "freeze").mayBeRepeated)
        #expect(Call(.delete, "failover", "freeze").mayBeRepeated)
    }
}
