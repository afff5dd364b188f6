import Foundation
import Glibc
import Testing

/// A pipe with a name, into which a process writes whatever it has to say, and a reader that sleeps until it is asked.
private final class SleepyReader: Sendable {
    let path: String
    private let descriptor: Int32
    static let filling = "filling the pipe\n"

    /// The pipe is full from the beginning.
    init() throws {
        path = try Scene.present().path("pipe")
        guard unsafe mkfifo(path, 0o600) == 0 else { throw Failure("mkfifo: errno \(errno)") }
        // Open for both, so that whoever writes finds a reader.
        descriptor = unsafe open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("open: errno \(errno)") }
        let line = Array(SleepyReader.filling.utf8)
        while unsafe Glibc.write(descriptor, line, line.count) > 0 {}
    }

    deinit { Glibc.close(descriptor) }

    /// Runs a program with standard output and standard error in this pipe.
    var wrapper: [String] { ["sh", "-c", "exec \"$@\" > '\(path)' 2>&1", "sh"] }

    /// What there is to read.
    func read() -> String {
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = unsafe Glibc.read(descriptor, &room, room.count)
            guard got > 0 else { break }
            all += room.prefix(got)
        }
        return String(decoding: all, as: UTF8.self)
    }
}

/// Who reads the log may sleep; nothing else does then.
@Suite(.realParts) struct `A reader of the log that sleeps` {
    private func fleet(_ reader: SleepyReader, _ manager: ServiceManager, to endpoint: Endpoint) throws -> Server {
        let fleet = try Fleet()
        let server = try fleet.addServer("za1", environment: manager.environment, wrapper: reader.wrapper)
        try fleet.addService(to: endpoint)
        try fleet.liftClientLimits()
        _ = try Shell(fleet).succeed("service edit acme-app --flow-log 1 --wait")
        return server
    }

    @Test func `holds up neither the start, nor traffic, nor the watchdog, nor the end`() throws {
        let nginx = try Nginx("first")
        let reader = try SleepyReader()
        let manager = try ServiceManager(watchdog: .seconds(2))
        let server = try fleet(reader, manager, to: nginx.first.endpoint)
        let load = try Load.requests(to: server)
        try load.awaitMore(300)
        try manager.awaitHeard("WATCHDOG=1", times: manager.count("WATCHDOG=1") + 10)
        #expect(load.stop().failures.map(\.description) == [])
        #expect(try HTTPResponse.get("/healthz", at: server.admin).body == "ok\n")
        try server.program.signal(SIGTERM)
        #expect(try server.program.waitForEnd() == .exited(0))
        #expect(manager.count("STOPPING=1") == 1)
    }

    @Test func `finds whole lines when it wakes, of the log and of the flow log in one pipe`() throws {
        let nginx = try Nginx("first")
        let reader = try SleepyReader()
        let manager = try ServiceManager()
        let server = try fleet(reader, manager, to: nginx.first.endpoint)
        let load = try Load.requests(to: server)
        try load.awaitMore(300)
        var said = ""
        try eventually("the log and the flow log") {
            said += reader.read()
            return said.contains(" Carrying traffic\n") && said.contains("\"service\":\"acme-app\"")
        }
        try load.awaitMore(100)
        #expect(load.stop().failures.map(\.description) == [])
        try server.program.signal(SIGTERM)
        try eventually("the end") {
            said += reader.read()
            return try !server.program.isRunning
        }
        said += reader.read()
        #expect(try server.program.waitForEnd() == .exited(0))
        #expect(said.hasPrefix(SleepyReader.filling) && said.hasSuffix(" Stopped\n"), "\(said.suffix(1000))")
        for line in said.split(separator: "\n") where line + "\n" != SleepyReader.filling {
            let isFlow = line.hasPrefix("{\"time\":") && line.hasSuffix("}")
            // A time and the place in the program.
            let isLog = line.hasPrefix("2") && line.contains(" ddirect.") && !line.contains("{\"time\":")
            #expect(isFlow || isLog, "\(line)")
        }
    }
}
