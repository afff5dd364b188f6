import Foundation
import Glibc
import Testing

/// `make run`, as somebody meets it who has just cloned this: what it prints is typed into a second terminal.
@Suite(
    .realParts,
    .enabled(
        if: Capability.held(.sysAdmin, .netAdmin), "a network of its own takes CAP_SYS_ADMIN and CAP_NET_ADMIN"))
struct `The quick start` {
    /// The script in a network of its own, since its ports are fixed.
    private struct QuickStart {
        private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("deploy/quickstart/run")
            .path

        let program: Program

        init(state: String) throws {
            // Without --fork unshare becomes the shell, and the shell becomes the script: one process, and the one that
            // gets the signals.
            program = try Program(
                "unshare",
                [
                    "--net", "--", "/bin/sh", "-c", #""$0" link set lo up && exec "$1""#,
                    try Executables.path(of: "ip"), QuickStart.script,
                ],
                name: "quickstart",
                environment: ["DDIRECT_BINARIES": Executables.products, "DDIRECT_STATE": state])
        }

        func awaitAdvice() throws {
            try eventually("the quick start says what to try") {
                guard program.isRunning else { throw Failure("the quick start has ended: \(program.log)") }
                return program.log.contains("Ctrl-C stops everything.")
            }
        }

        /// The line that it has printed with all of these parts.
        func line(_ parts: String...) throws -> String {
            let lines = program.log.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            guard let line = lines.first(where: { line in parts.allSatisfy { line.contains($0) } }) else {
                throw Failure("no line with \(parts) in: \(program.log)")
            }
            return line
        }

        /// Types a line into a second terminal, and gives what that shows.
        func enter(_ line: String) throws -> String {
            let said = try run(
                "nsenter", ["--target", "\(program.pid)", "--net", "--", "/bin/sh", "-c", line],
                environment: ["HOME": try Scene.present().folder])
            guard said.code == 0 else { throw Failure("\(line) ended with \(said.code): \(said.errors)\(said.output)") }
            return said.output
        }

        /// The network that it is in, with all that it has started.
        var network: String { get throws { try QuickStart.network(of: "\(program.pid)") } }

        static func network(of process: String) throws -> String {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
        }

        /// The processes in a network, by their numbers.
        static func processes(in network: String) throws -> [String] {
            // Others come and go while we look.
            try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
                Int(name) != nil && (try? QuickStart.network(of: name)) == network
            }
        }
    }

    @Test func `what it prints moves a service to the second site, and Ctrl-C stops everything`() throws {
        let quickStart = try QuickStart(state: Scene.present().path("state"))
        try quickStart.awaitAdvice()
        let calls = [
            try quickStart.line("curl ", "http://app.acme.test"), try quickStart.line("curl ", "https://app.acme.test"),
        ]
        for call in calls { #expect(try quickStart.enter(call).contains("This is the first site.")) }
        let move = try quickStart.line("export DDIRECT_") + "\n" + quickStart.line(" endpoint set acme-app ")
        _ = try quickStart.enter(move)
        for call in calls { #expect(try quickStart.enter(call).contains("This is the second site.")) }
        let back = try quickStart.enter(
            quickStart.line("export DDIRECT_") + "\n" + quickStart.line(" version restore "))
        #expect(back.contains("127.0.0.22 → 127.0.0.21") && !back.contains("deleted"), "\(back)")

        let network = try quickStart.network
        // Itself, two sites, the DNS server, the control plane and two servers.
        #expect(try QuickStart.processes(in: network).count >= 7)
        quickStart.program.signal(SIGINT)
        #expect(try quickStart.program.waitForEnd() == .exited(0))
        #expect(quickStart.program.log.contains("Everything is stopped"))
        #expect(!quickStart.program.log.contains("was killed"), "\(quickStart.program.log)")
        #expect(try QuickStart.processes(in: network) == [])
    }

    @Test func `its first server may be killed: record and traffic move to the other, and back when it is told to`()
        throws
    {
        let quickStart = try QuickStart(state: Scene.present().path("state"))
        try quickStart.awaitAdvice()
        let ask = try quickStart.line("kdig +short @127.0.0.53 -p 8053 app.acme.test CNAME")
        let call = try quickStart.line("curl ", "kdig ")
        let login = try quickStart.line("export DDIRECT_")
        let ddirect = try quickStart.line(" failover status").replacing(" failover status", with: "")
        #expect(try quickStart.enter(ask) == "za1.dfree.test.\n")
        try eventually("ie1 may take over", every: .milliseconds(500)) {
            try quickStart.enter("\(login)\n\(ddirect) failover plan za1 || true").contains(
                "would move 1 service to ie1")
        }
        _ = try quickStart.enter(try quickStart.line("kill -9"))
        try eventually("the record leads to ie1", every: .milliseconds(200)) {
            try quickStart.enter(ask) == "ie1.dfree.test.\n"
        }
        #expect(try quickStart.enter(call).contains("This is the first site."), "a device goes by the record")
        try eventually("za1 is failed over", every: .milliseconds(500)) {
            try quickStart.enter("\(login)\n\(ddirect) failover status").contains("failedOver")
        }
        try eventually("the traffic is seen at the standby", every: .milliseconds(500)) {
            try quickStart.enter("\(login)\n\(ddirect) failover show 1").contains("1 to the standby")
        }
        #expect(try quickStart.enter("\(login)\n\(ddirect) failover show 1").contains("first"))
        // The line that it has printed meanwhile.
        let again = try quickStart.line("za1 has ended", "kill -USR1").split(separator: ":").last.map(String.init) ?? ""
        _ = try quickStart.enter(again)
        try eventually("za1 is well again", every: .milliseconds(500)) {
            try quickStart.enter("\(login)\n\(ddirect) failover status").contains("recovering")
        }
        _ = try quickStart.enter("\(login)\n\(ddirect) failback za1 --reason test")
        try eventually("the record leads to za1", every: .milliseconds(200)) {
            try quickStart.enter(ask) == "za1.dfree.test.\n"
        }
        quickStart.program.signal(SIGINT)
        #expect(try quickStart.program.waitForEnd() == .exited(0))
    }

    @Test func `a folder that it has not made stays as it is`() throws {
        let folder = try makeFolder(Scene.present().path("mine"))
        try write("precious", to: "\(folder)/thesis")
        let quickStart = try QuickStart(state: folder)
        #expect(try quickStart.program.waitForEnd() == .exited(1))
        #expect(quickStart.program.log.contains("no quick start has made it"), "\(quickStart.program.log)")
        #expect(text(ofFile: "\(folder)/thesis") == "precious")
    }
}
