import Foundation
import Glibc

/// A real systemd, with both daemons as its services: the units of deploy/systemd, with places and executables of the
/// test's own.
final class Systemd {
    let http: Place
    let https: Place
    let admin: Place
    let api: API
    /// What a host sees as the process that is PID 1 inside.
    private let system: String
    private static let units = ["ddirect-control.service", "ddirect-proxy.service", "ddirect-proxy.socket"]

    /// Boots, installs the units, and starts the control plane with a server `za1` that nobody plays yet.
    init(flags: [String] = []) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "systemd-sandbox"
        ).path
        let folder = try makeFolder(Scene.present().path("systemd"))
        // Killing unshare kills all that it has started.
        let program = try Program(
            "unshare",
            ["--fork", "--pid", "--mount", "--uts", "--ipc", "--kill-child=KILL", "--", "/bin/bash", script, folder],
            name: "systemd")
        let system = try eventually("systemd runs; it says: \(program.log)") { () -> String? in
            guard program.isRunning else { throw Failure("systemd did not boot: \(program.log)") }
            let children = text(ofFile: "/proc/\(program.pid)/task/\(program.pid)/children")
            guard let child = children.split(separator: " ").first.map(String.init) else { return nil }
            let state = try run("nsenter", Systemd.entering(child) + ["systemctl", "is-system-running"]).output
            return state.hasPrefix("running") || state.hasPrefix("degraded") ? child : nil
        }
        self.system = system
        let places = try Place.fresh(3)
        (http, https, admin) = (places[0], places[1], places[2])
        let apiPlace = try Place.fresh(1, at: "127.0.0.1")[0]
        // Everything inside is reached by way of the kernel's view of that process.
        let root = "/proc/\(system)/root"
        _ = try makeFolder("\(root)/run/test")
        _ = try makeFolder("\(root)/etc/ddirect")
        for daemon in ["ddirect-control", "ddirect-proxy"] {
            try succeed("cp", [try Executables.path(of: daemon), "\(root)/run/test/\(daemon)"])
        }
        try write("DDIRECT_SERVER=za1\n", to: "\(root)/etc/ddirect/proxy.env")
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("deploy/systemd").path
        let proxy = ["--http", "\(http)", "--https", "\(https)", "--admin", "\(admin)", "--workers", "2"] + flags
        let own = [
            "[Service]\nExecStart=\nExecStart=/run/test/ddirect-control --listen \(apiPlace) --allow-endpoint 127.0.0.0/8\n",
            "[Service]\nExecStart=\nExecStart=/run/test/ddirect-proxy \(proxy.joined(separator: " "))\n",
            "[Socket]\nListenStream=\nListenStream=\(http)\nListenStream=\(https)\n",
        ]
        for (unit, text) in zip(Systemd.units, own) {
            try succeed("cp", ["\(sources)/\(unit)", "\(root)/etc/systemd/system/\(unit)"])
            let folder = try makeFolder("\(root)/etc/systemd/system/\(unit).d")
            try write(text, to: "\(folder)/test.conf")
        }
        let groups = URL(fileURLWithPath: sources).deletingLastPathComponent().appendingPathComponent("sysusers.d").path
        try succeed("cp", ["\(groups)/ddirect.conf", "\(root)/etc/ddirect.sysusers"])
        try Systemd.inside(system, "systemd-sysusers", "/etc/ddirect.sysusers")
        try Systemd.inside(system, "systemctl", "daemon-reload")
        try Systemd.inside(system, "systemctl", "start", "ddirect-control.service")
        let token = text(ofFile: "\(root)/var/lib/private/ddirect/admin.token")
        api = API(place: apiPlace, token: token.trimmingCharacters(in: .whitespacesAndNewlines))
        try api.grant(
            "POST", "/servers",
            [
                "name": "za1", "region": "af-south-1", "hostname": "za1.dfree.test",
                "addresses": [.string(http.address)],
            ])
    }

    /// A service of customer acme on that server.
    func addService(to endpoint: Endpoint) throws {
        try api.grant("POST", "/customers", ["name": "acme"])
        try api.grant(
            "POST", "/services",
            [
                "name": "acme-app", "customer": "acme", "clientDomains": ["app.acme.test"], "endpoint": endpoint.json,
                "primary": "za1",
            ])
    }

    private static func entering(_ system: String) -> [String] {
        ["--target", system, "--mount", "--pid", "--uts", "--ipc", "--"]
    }

    @discardableResult
    private static func inside(_ system: String, _ line: String...) throws -> String {
        try succeed("nsenter", entering(system) + line)
    }

    @discardableResult
    func systemctl(_ words: String...) throws -> String {
        try succeed("nsenter", Systemd.entering(system) + ["systemctl"] + words)
    }

    /// Runs a program inside, as root.
    @discardableResult
    func asRoot(_ line: String...) throws -> String { try succeed("nsenter", Systemd.entering(system) + line) }

    /// Where a path inside is for a test.
    func path(_ inside: String) -> String { "/proc/\(system)/root\(inside)" }

    /// Adds lines to a unit's `[Service]` section.
    func add(_ lines: String, to unit: String, as name: String) throws {
        try write("[Service]\n\(lines)\n", to: path("/etc/systemd/system/\(unit).d/\(name).conf"))
        try systemctl("daemon-reload")
    }

    /// One property of a unit, as systemd has it.
    func property(_ name: String, of unit: String) throws -> String {
        try systemctl("show", "--property", name, "--value", unit).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The process that is now this unit's, as numbered inside.
    func process(of unit: String) throws -> String { try property("MainPID", of: unit) }

    func journal(of unit: String) throws -> String {
        try Systemd.inside(system, "journalctl", "--no-pager", "--output", "cat", "--unit", unit)
    }

    /// The exposure that `systemd-analyze security` finds, from 0 to 10.
    func exposure(of unit: String) throws -> Double {
        let said = try Systemd.inside(system, "systemd-analyze", "security", "--no-pager", unit)
        let line = said.split(separator: "\n").last { $0.contains("Overall exposure level") } ?? ""
        let number = line.split(separator: " ").compactMap { Double($0) }.first
        guard let number else { throw Failure("no exposure in: \(said.suffix(500))") }
        return number
    }

    /// What a host sees of the process with that number inside.
    func outerProcess(of unit: String) throws -> pid_t {
        let inner = try process(of: unit)
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let pid = pid_t(entry) else { continue }
            let lines = text(ofFile: "/proc/\(entry)/status").split(separator: "\n")
            guard let line = lines.first(where: { $0.hasPrefix("NSpid:") }) else { continue }
            let numbers = line.split(whereSeparator: \.isWhitespace).dropFirst()
            guard numbers.count == 2, numbers.last.map(String.init) == inner else { continue }
            let space = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(entry)/ns/pid")
            let ours = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(system)/ns/pid")
            if space == ours { return pid }
        }
        throw Failure("no process \(inner) of \(unit)")
    }
}
