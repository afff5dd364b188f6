import Foundation
import Glibc
import JSON
import Testing

/// Both daemons as services of a real systemd, by the units that we ship.
@Suite(
    .load, .serialized,
    .enabled(
        if: Capability.held(.sysAdmin, .sysPtrace, .netAdmin),
        "a systemd of its own takes root and all of its capabilities"))
struct `Under systemd` {
    private func site(_ systemd: Systemd) throws -> String? {
        told(try HTTPResponse.get("/", at: systemd.http, host: "app.acme.test").body)["name"]
    }

    @Test func `a server is started when it listens and has a snapshot, and not before`() throws {
        let nginx = try Nginx("first")
        let systemd = try Systemd()
        try systemd.addService(to: nginx.first.endpoint)
        try systemd.systemctl("stop", "ddirect-control.service")
        try systemd.systemctl("start", "ddirect-proxy.socket")
        try systemd.systemctl("start", "--no-block", "ddirect-proxy.service")
        try eventually("it waits: \(try systemd.journal(of: "ddirect-proxy.service"))") {
            try systemd.property("StatusText", of: "ddirect-proxy.service") == "Waiting for a snapshot"
        }
        #expect(try systemd.property("ActiveState", of: "ddirect-proxy.service") == "activating")
        // A device that calls now waits in systemd's socket, and is served as soon as there is something to serve it
        // by.
        let early = try TCPConnection(to: systemd.http)
        try early.send("GET / HTTP/1.1\r\nHost: app.acme.test\r\n\r\n")
        try systemd.systemctl("start", "ddirect-control.service")
        #expect(told(try early.receiveResponse().body)["name"] == "first")
        try eventually("it is active") { try systemd.property("ActiveState", of: "ddirect-proxy.service") == "active" }
        #expect(try systemd.property("StatusText", of: "ddirect-proxy.service").hasPrefix("Carrying 1 services"))
    }

    @Test func `killed while the control plane is away it serves with its last snapshot, and again`() throws {
        let nginx = try Nginx("first", "second")
        let systemd = try Systemd()
        try systemd.addService(to: nginx.first.endpoint)
        try systemd.systemctl("start", "ddirect-proxy.socket", "ddirect-proxy.service")
        #expect(try site(systemd) == "first")
        _ = try systemd.api.apply("PATCH", "/services/acme-app", ["endpoint": nginx.second.endpoint.json])
        try eventually("it has been kept") {
            try systemd.property("NFileDescriptorStore", of: "ddirect-proxy.service") == "1"
        }
        try systemd.systemctl("stop", "ddirect-control.service")
        for _ in 0..<3 {
            let before = try systemd.process(of: "ddirect-proxy.service")
            try systemd.systemctl("kill", "--kill-whom", "main", "--signal", "KILL", "ddirect-proxy.service")
            // Nobody is refused: who calls before the new process is there waits for it.
            #expect(try site(systemd) == "second")
            #expect(try systemd.process(of: "ddirect-proxy.service") != before)
        }
        #expect(try systemd.journal(of: "ddirect-proxy.service").contains("Serving with the snapshot that was kept"))
        try systemd.systemctl("start", "ddirect-control.service")
        try eventually("the control plane has it back") {
            let server = try systemd.api.grant("GET", "/servers/za1").body
            return server["connected"] == true && server["appliedVersion"] == server["currentVersion"]
        }
        #expect(try site(systemd) == "second")
    }

    @Test
    func
        `a server is enrolled over TCP by an authority that is a credential, and keeps its identity where its unit may write`()
        throws
    {
        let systemd = try Systemd()
        let (control, proxy) = ("ddirect-control.service", "ddirect-proxy.service")
        let place = try Place.fresh(1, at: "127.0.0.1")[0]
        let credential = "/etc/ddirect/channel-authority.pem"
        try systemd.add(
            "Environment=DDIRECT_CHANNEL=tcp:\(place) DDIRECT_CERTIFICATE_LIFETIME=20", to: control, as: "channel")
        try systemd.systemctl("restart", control)
        // Made at the first start; from then on for root and the service manager alone.
        try systemd.asRoot("mv", "/var/lib/private/ddirect/channel-authority.pem", credential)
        try systemd.asRoot("chown", "root:root", credential)
        try systemd.add("LoadCredential=channel-authority:\(credential)", to: control, as: "authority")
        try systemd.systemctl("restart", control)
        #expect(!FileManager.default.fileExists(atPath: systemd.path("/var/lib/private/ddirect/channel-authority.pem")))
        let granted = try systemd.api.grant("POST", "/servers/za1/enroll").body
        try write(granted["token"].text ?? "", to: systemd.path("/run/test/token"))
        try systemd.asRoot(
            "/run/test/ddirect-proxy", "enroll", "--control", "\(place)", "--ca-fingerprint",
            granted["authorityFingerprint"].text ?? "", "--token-file", "/run/test/token")
        try write("DDIRECT_SERVER=za1\nDDIRECT_CONTROL=tcp:\(place)\n", to: systemd.path("/etc/ddirect/proxy.env"))
        try systemd.systemctl("start", "ddirect-proxy.socket", proxy)
        let first = try systemd.api.grant("GET", "/servers/za1").body
        #expect(first["connected"] == true)
        #expect(first["sessionAddress"].text?.hasPrefix("127.0.0.1:") == true)
        try eventually("its certificate is renewed: \(try systemd.journal(of: proxy))") {
            let expires = try systemd.api.grant("GET", "/servers/za1").body["certificateExpiresAt"].text ?? ""
            return expires > first["certificateExpiresAt"].text ?? ""
        }
        // Root enrolls it once more while it runs, and it reads that too: the file is its own.
        let again = try systemd.api.grant("POST", "/servers/za1/enroll").body
        try write(again["token"].text ?? "", to: systemd.path("/run/test/token"))
        try systemd.asRoot(
            "/run/test/ddirect-proxy", "enroll", "--control", "\(place)", "--ca-fingerprint",
            again["authorityFingerprint"].text ?? "", "--token-file", "/run/test/token")
        try systemd.systemctl("reload", proxy)
        try systemd.systemctl("restart", proxy)
        // It is ready with the snapshot that was kept, before the control plane has heard of it.
        try eventually("the control plane has it back: \(try systemd.journal(of: proxy))") {
            try systemd.api.grant("GET", "/servers/za1").body["connected"] == true
        }
        #expect(try !systemd.journal(of: proxy).contains("cannot be read"))
        try systemd.systemctl("reload", control)
        try eventually("the authority is read anew: \(try systemd.journal(of: control))") {
            try systemd.journal(of: control).contains("The channel authority was read anew")
        }
        #expect(try systemd.property("ActiveState", of: control) == "active")
    }

    @Test func `a restart refuses no connection, and a reload none either`() throws {
        let nginx = try Nginx("first")
        let systemd = try Systemd()
        try systemd.addService(to: nginx.first.endpoint)
        try systemd.api.grant("PATCH", "/services/acme-app", ["flowLog": ["oneIn": 1]])
        try systemd.systemctl("start", "ddirect-proxy.socket", "ddirect-proxy.service")
        let load = try Load.requests(to: systemd.http)
        try load.awaitMore(50)
        try systemd.systemctl("reload", "ddirect-proxy.service")
        try load.awaitMore(50)
        for _ in 0..<3 {
            try systemd.systemctl("restart", "ddirect-proxy.service")
            try load.awaitMore(50)
        }
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(try systemd.journal(of: "ddirect-proxy.service").contains("Reading name servers and credentials anew"))
        // The flow log is among the lines, of former processes too, each a whole one.
        var flows: [Substring] = []
        try eventually("a line for each of \(seen.count) flows, of which there are \(flows.count)") {
            let journal = try systemd.journal(of: "ddirect-proxy.service")
            flows = journal.split(separator: "\n").filter { $0.hasPrefix("{") }
            return flows.count >= seen.count
        }
        #expect(flows.allSatisfy { $0.hasSuffix("}") && $0.contains(#""service":"acme-app""#) })
    }

    /// Connections in their hundreds or thousands, before, during and after restarts of the server that carries them.
    @Test(arguments: [(pingPong: 150, downloads: 100, silent: 50), (pingPong: 100, downloads: 0, silent: 7900)])
    func `a restart breaks no connection`(flows: (pingPong: Int, downloads: Int, silent: Int)) throws {
        let origin = try Place.fresh()
        let systemd = try Systemd()
        try systemd.addService(to: Endpoint(origin))
        // All of them come from one address, and within seconds.
        let limits = Fleet.unlimited("clientConnections", "newClientConnectionsPerSecond")
        for resource in ["/servers/za1", "/services/acme-app"] {
            try systemd.api.grant("PATCH", resource, ["limits": limits])
        }
        try systemd.systemctl("start", "ddirect-proxy.socket", "ddirect-proxy.service")
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Harness/flows.py"
        ).path
        let load = try Program(
            "python3",
            [script, "\(systemd.https)", "\(origin)", "\(flows.pingPong)", "\(flows.downloads)", "\(flows.silent)"])
        try eventually("all connections are open; it says: \(load.log)") {
            guard load.isRunning else { throw Failure("the load has ended: \(load.log)") }
            return load.log.contains("ready")
        }
        let total = flows.pingPong + flows.downloads + flows.silent
        for _ in 0..<3 {
            let before = try systemd.process(of: "ddirect-proxy.service")
            try systemd.systemctl("restart", "ddirect-proxy.service")
            #expect(try systemd.process(of: "ddirect-proxy.service") != before)
            // While they go on, new ones come and go.
            _ = try TCPConnection(to: systemd.https)
            pause(.milliseconds(500))
        }
        load.signal(SIGTERM)
        #expect(try load.waitForEnd() == .exited(0))
        let outcome = try JSONValue.parse((load.log.split(separator: "\n").last ?? "").utf8)
        print("\(total) flows over three restarts: \(outcome)")
        let journal = try systemd.journal(of: "ddirect-proxy.service")
        #expect(outcome["broken"].integer == 0, "\(outcome) \(journal.suffix(3000))")
        #expect((outcome["roundTrips"].integer ?? 0) > flows.pingPong)
        if flows.downloads > 0 { #expect((outcome["downloaded"].integer ?? 0) > 10_000_000) }
        #expect(journal.components(separatedBy: "Going on with flows of the last process").count == 4)
    }

    @Test func `a worker that is stuck has the service killed and started again`() throws {
        let nginx = try Nginx("first")
        let systemd = try Systemd()
        try systemd.addService(to: nginx.first.endpoint)
        try systemd.systemctl("start", "ddirect-proxy.socket", "ddirect-proxy.service")
        let before = try systemd.process(of: "ddirect-proxy.service")
        let process = try systemd.outerProcess(of: "ddirect-proxy.service")
        let holder = try StoppedThread.hold("worker-0", of: process)
        // Five seconds until a worker counts as stuck, and ten for the watchdog.
        try eventually("systemd has lost its patience", every: .milliseconds(200)) {
            try systemd.journal(of: "ddirect-proxy.service").contains("Watchdog timeout")
        }
        // The kernel keeps a killed process for as long as one of its threads is held.
        holder.destroy()
        try eventually("another process has taken over") {
            let now = try systemd.process(of: "ddirect-proxy.service")
            return now != before && now != "0"
        }
        #expect(try site(systemd) == "first")
        #expect(try systemd.property("NRestarts", of: "ddirect-proxy.service") == "1")
    }

    @Test func `the daemons are two users, of whom one may use the other's channel and read nothing else of it`() throws
    {
        let nginx = try Nginx("first")
        let systemd = try Systemd()
        try systemd.addService(to: nginx.first.endpoint)
        try systemd.systemctl("start", "ddirect-proxy.socket", "ddirect-proxy.service")
        #expect(try site(systemd) == "first")
        func user(of unit: String) throws -> String {
            try systemd.asRoot("stat", "--format", "%u", "/proc/\(systemd.process(of: unit))")
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let proxy = try user(of: "ddirect-proxy.service")
        let control = try user(of: "ddirect-control.service")
        #expect(proxy != control && proxy != "0" && control != "0")
        let secrets = try systemd.asRoot(
            "find", "/var/lib/private/ddirect", "-type", "f", "(", "-not", "-uid", control, "-o", "-perm", "/077", ")")
        #expect(secrets.isEmpty, "others than the control plane may read: \(secrets)")
        let channel = try systemd.asRoot("stat", "--format", "%U %G %a", "/run/ddirect/channel.sock")
        #expect(channel.contains(" ddirect-channel 660"), "\(channel)")
    }

    @Test func `both units are hardened, and say one thing a line`() throws {
        let systemd = try Systemd()
        try systemd.systemctl("start", "ddirect-proxy.socket", "ddirect-proxy.service")
        for unit in ["ddirect-control.service", "ddirect-proxy.service"] {
            let exposure = try systemd.exposure(of: unit)
            #expect(exposure <= 1.5, "\(unit): \(exposure)")
        }
        let lines = try systemd.journal(of: "ddirect-proxy.service").split(separator: "\n")
        // The sentence first, and no second time beside the journal's own.
        #expect(lines.contains { $0.hasPrefix("Carrying traffic listeners=") }, "\(lines)")
        #expect(!lines.contains { $0.contains("+0000 ") })
        let control = try systemd.journal(of: "ddirect-control.service").split(separator: "\n")
        #expect(control.contains { $0.hasPrefix("The database is open ") }, "\(control)")
    }
}
