import Foundation
import Glibc
import JSON
import Testing

/// docs/operating.md, "Install a server in another region": what stands there is typed on three machines.
@Suite(
    .load,
    .enabled(
        if: Capability.held(.sysAdmin, .netAdmin), "networks of its own take CAP_SYS_ADMIN and CAP_NET_ADMIN"))
struct `Installing a server in another region` {
    private static let title = "Install a server in another region"
    private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The parts of a section that are to be typed, in their order.
    private static func blocks(of title: String) throws -> [String] {
        let sections = text(ofFile: "\(project)/docs/operating.md").components(separatedBy: "\n## ")
        guard let section = sections.first(where: { $0.hasPrefix("\(title)\n") }) else {
            throw Failure("docs/operating.md has no section '\(title)'")
        }
        let parts = section.components(separatedBy: "```").enumerated()
        return parts.filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element.dropFirst("sh\n".count)) }
    }

    /// A machine with an operator's shell. What is said to systemctl, which is not there, is done by the test as the
    /// units would.
    private struct Machine {
        let host: Host
        let folder: String
        /// What an operator has in the environment.
        var environment: [String: String]

        init(_ host: Host, environment: [String: String] = [:]) throws {
            self.host = host
            folder = try makeFolder(Scene.present().path(host.name))
            self.environment = environment.merging(
                [
                    "PATH": "\(Executables.products):/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder,
                    "XDG_CONFIG_HOME": "",
                ]
            ) { $1 }
        }

        /// Types a block of that page with what is this test's own in the place of its examples, all of which must be
        /// there, and gives what was shown and what systemctl was told.
        func enter(
            _ block: String, with substitutes: [String: String], input: String = ""
        ) throws -> (shown: String, systemctl: [String]) {
            var text = block
            for (example, own) in substitutes {
                guard text.contains(example) else { throw Failure("\(example) is not in:\n\(block)") }
                text = text.replacingOccurrences(of: example, with: own)
            }
            let lines = text.split(separator: "\n").map(String.init)
            let typed = lines.filter { !$0.hasPrefix("systemctl ") }.joined(separator: "\n")
            let said = try host.run(
                "sh", ["-euc", "cd \"$HOME\"\n\(typed)"], input: input, environment: environment)
            guard said.code == 0 else {
                throw Failure("\(typed)\nended with \(said.code): \(said.errors)\(said.output)")
            }
            return (said.output, lines.filter { $0.hasPrefix("systemctl ") })
        }

        /// Starts a service by its unit's command and the file with its settings; `settings` are those that a test
        /// cannot leave at their defaults.
        func start(_ unit: String, settings: [String: String]) throws -> Program {
            let lines = text(ofFile: "\(project)/deploy/systemd/\(unit).service").split(separator: "\n")
            guard let command = lines.first(where: { $0.hasPrefix("ExecStart=/usr/bin/\(unit)") }) else {
                throw Failure("\(unit).service starts something else")
            }
            let arguments = command.split(separator: " ").dropFirst().map(String.init)
            let name = unit == "ddirect-control" ? "control.env" : "proxy.env"
            let file = text(ofFile: "\(folder)/\(name)").split(separator: "\n").map { line -> (String, String) in
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }
            // As in systemd, of a variable that is there twice the last counts.
            return try host.start(unit, arguments, environment: settings.merging(file) { $1 })
        }
    }

    @Test func `as the page says leads to a page`() throws {
        let blocks = try Self.blocks(of: Self.title)
        try #require(blocks.count == 4)
        let network = try Network(["control", "za1", "origin", "device"], slow: ["control"])
        // 150 ms each way: another continent.
        try network.link(of: "control").slow(by: .milliseconds(150), losing: 0)
        let (control, za1) = (try network.host("control"), try network.host("za1"))
        let origin = try network.host("origin")
        let site = try origin.inside { try Peer.site("first", at: origin.address).place }

        // A control plane as it is installed on one machine, with a service whose server is not there yet.
        let place = Place(address: "127.0.0.1", port: 7080)
        var controlRoom = try Machine(control)
        let state = controlRoom.folder
        controlRoom.environment["DDIRECT_TOKEN_FILE"] = "\(state)/token"
        let settings = [
            "DDIRECT_DATABASE": "\(state)/control.db", "DDIRECT_ADMIN_TOKEN_FILE": "\(state)/token",
            "DDIRECT_CHANNEL": "unix:\(state)/channel.sock", "DDIRECT_CHANNEL_AUTHORITY": "\(state)/authority.pem",
            "DDIRECT_ALLOW_ENDPOINT": "10.77.0.0/24",
        ]
        let before = try controlRoom.start("ddirect-control", settings: settings)
        try awaitAnswers(before, at: place, on: control)

        let once = try controlRoom.enter(
            blocks[0], with: ["/etc/ddirect/": "\(state)/", "/run/ddirect/": "\(state)/"])
        #expect(once.systemctl == ["systemctl restart ddirect-control"])
        before.signal(SIGTERM)
        #expect(try before.waitForEnd() == .exited(0))
        let after = try controlRoom.start("ddirect-control", settings: settings)
        try awaitAnswers(after, at: place, on: control)

        // An operator copies from the terminal; a test reads JSON.
        let granted = try controlRoom.enter(
            blocks[1], with: ["192.0.2.7": za1.address, "server enroll za1": "server enroll za1 --json"]
        ).shown
        let answer = try JSONValue.parse(granted.drop { $0 != "{" }.utf8)
        let token = try #require(answer["token"].text)
        let fingerprint = try #require(answer["authorityFingerprint"].text)
        #expect(fingerprint.hasPrefix("sha256:"))

        var server = try Machine(za1)
        server.environment["DDIRECT_CREDENTIALS"] = "\(server.folder)/credentials"
        let installed = try server.enter(
            blocks[2],
            with: [
                "control.dfree.example": control.address, "sha256:FINGERPRINT": fingerprint,
                "/etc/ddirect/": "\(server.folder)/",
            ],
            input: token + "\n")
        #expect(installed.shown.contains("za1"), "\(installed.shown)")
        #expect(installed.systemctl == ["systemctl enable --now ddirect-proxy.socket ddirect-proxy"])
        let proxy = try server.start(
            "ddirect-proxy", settings: ["DDIRECT_CREDENTIALS": "\(server.folder)/credentials"])
        try za1.inside {
            try eventually("za1 is ready; it says: \(proxy.log)") {
                guard proxy.isRunning else { throw Failure("za1 has ended: \(proxy.log)") }
                return (try? HTTPResponse.get("/readyz", at: Place(address: "127.0.0.1", port: 7081)))?.status == 200
            }
        }

        let secret = text(ofFile: "\(state)/token").trimmingCharacters(in: .whitespacesAndNewlines)
        try control.inside {
            let api = API(place: place, token: secret)
            try api.grant("POST", "/customers", ["name": "acme"])
            try api.apply(
                "POST", "/services",
                [
                    "name": "acme-app", "customer": "acme", "clientDomains": ["app.acme.example"],
                    "endpoint": Endpoint(site).json, "primary": "za1",
                ])
        }
        let look = blocks[3].split(separator: "\n").map(String.init)
        try #require(look.count == 2)
        let shown = try controlRoom.enter(look[0], with: [:]).shown
        #expect(shown.contains("connected") && shown.contains("yes"), "\(shown)")
        let page = try Machine(network.host("device")).enter(look[1], with: ["192.0.2.7": za1.address]).shown
        #expect(page == "name=first\n")
    }

    private func awaitAnswers(_ program: Program, at place: Place, on host: Host) throws {
        try host.inside {
            try eventually("the control plane answers; it says: \(program.log)") {
                guard program.isRunning else { throw Failure("the control plane has ended: \(program.log)") }
                return (try? HTTPResponse.get("/healthz", at: place))?.status == 200
            }
        }
    }
}
