import Foundation
import Glibc
import JSON

/// A network of a test's own: hosts on one Ethernet, far from everything else.
///
/// Each host is a network namespace that lives for as long as the process that holds it. So nothing is left behind
/// however the test ends, and nothing has a name that another test's could have, too.
final class Network {
    /// What all hosts are plugged into: an interface there has the name of its host.
    let bridge: Host
    private let hosts: [String: Host]
    private let links: [String: SlowLink]

    /// The hosts have the addresses 10.77.0.1, 10.77.0.2 and so on. Those in `slow` have a `SlowLink`, which is as fast
    /// as any to begin with.
    init(_ names: [String], slow: Set<String> = []) throws {
        let bridge = try Host("bridge", address: "10.77.0.254")
        var hosts: [String: Host] = [:]
        var links: [String: SlowLink] = [:]
        var lines = ["link set lo up", "link add br0 type bridge", "link set br0 up"]
        for (index, name) in names.enumerated() {
            let host = try Host(name, address: "10.77.0.\(index + 1)")
            hosts[name] = host
            if slow.contains(name) {
                links[name] = try SlowLink(from: bridge, to: host)
            } else {
                lines.append("link add \(name) type veth peer name eth0 netns \(host.process)")
            }
            lines += ["link set \(name) master br0", "link set \(name) up"]
        }
        try bridge.configure(lines)
        for host in hosts.values {
            try host.configure(["link set lo up", "addr add \(host.address)/24 dev eth0", "link set eth0 up"])
        }
        (self.bridge, self.hosts, self.links) = (bridge, hosts, links)
    }

    func host(_ name: String) throws -> Host {
        guard let host = hosts[name] else { throw Failure("there is no host \(name)") }
        return host
    }

    func link(of name: String) throws -> SlowLink {
        guard let link = links[name] else { throw Failure("\(name) has no slow link") }
        return link
    }
}

/// A machine on a `Network`.
final class Host {
    let name: String
    let address: String
    private let holder: Program

    fileprivate init(_ name: String, address: String) throws {
        (self.name, self.address) = (name, address)
        let holder = try Program("unshare", ["--net", "--", "/bin/sleep", "infinity"], name: "network-\(name)")
        self.holder = holder
        try eventually("\(name) has a network of its own") {
            guard holder.isRunning else { throw Failure("\(name) has no network: \(holder.log)") }
            return try Host.network("\(holder.pid)") != Host.network("self")
        }
    }

    private static func network(_ process: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
    }

    /// Whose network it is.
    var process: pid_t { holder.pid }

    private var entering: [String] { ["--target", "\(holder.pid)", "--net", "--"] }

    /// Starts a program on this machine.
    func start(
        _ executable: String, _ arguments: [String], name: String? = nil, environment: [String: String] = [:]
    ) throws -> Program {
        // nsenter becomes the program, so its process is the program's.
        try Program(
            "nsenter", entering + [try Executables.path(of: executable)] + arguments,
            name: "\(name ?? executable)-on-\(self.name)", environment: environment)
    }

    /// Runs a program on this machine to its end.
    func run(
        _ executable: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> Said {
        try EndToEndTests.run(
            "nsenter", entering + [try Executables.path(of: executable)] + arguments, input: input,
            environment: environment)
    }

    /// Has ip(8) do a command a line.
    func configure(_ lines: [String]) throws {
        let said = try run("ip", ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
        guard said.code == 0 else { throw Failure("\(name): \(lines): \(said.errors)\(said.output)") }
    }

    /// Makes what is sent to an address of this network vanish, as behind a firewall: nobody answers, and nobody says
    /// so.
    func loseAll(to address: String) throws {
        try configure(["neigh replace \(address) lladdr 02:00:00:00:00:fe dev eth0 nud permanent"])
    }

    /// Does something on this machine: the sockets that are made meanwhile are its own, and threads that begin
    /// meanwhile stay there.
    func inside<Value>(_ body: () throws -> Value) throws -> Value {
        let home = try NetworkNamespace("/proc/thread-self/ns/net")
        try NetworkNamespace("/proc/\(holder.pid)/ns/net").enter()
        defer {
            do {
                try home.enter()
            } catch {
                preconditionFailure("a thread is lost in the network of \(name): \(error)")
            }
        }
        return try body()
    }
}

/// A network as the kernel knows it, for a thread to go into.
private final class NetworkNamespace {
    private let handle: FileHandle

    init(_ path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw Failure("cannot open \(path)") }
        self.handle = handle
    }

    /// setns(2), which glibc has and its Swift module may not show.
    private typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
    private static let setNamespace = unsafe dlsym(dlopen(nil, RTLD_NOW), "setns").map {
        unsafe unsafeBitCast($0, to: SetNamespace.self)
    }
    /// CLONE_NEWNET: the descriptor has to be of a network.
    private static let network: Int32 = 0x4000_0000

    /// Brings the thread that asks into this network, and no other thread.
    func enter() throws {
        guard NetworkNamespace.setNamespace?(handle.fileDescriptor, NetworkNamespace.network) == 0 else {
            throw Failure("setns: errno \(errno)")
        }
    }
}

/// The cable of one host: slow and lossy as a test wants it, and cut when it says so. A process carries the frames
/// (slowlink.py).
final class SlowLink {
    private let program: Program
    private let commands: FileHandle

    fileprivate init(from bridge: Host, to host: Host) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("slowlink.py")
            .path
        let path = try Scene.present().path("link-of-\(host.name)")
        try succeed("mkfifo", [path])
        // Open for both, so that neither end waits for the other.
        guard let commands = FileHandle(forUpdatingAtPath: path) else { throw Failure("cannot open \(path)") }
        self.commands = commands
        let program = try Program(
            "python3", [script, "\(bridge.process)", host.name, "\(host.process)", "eth0", "0", "0"],
            name: "slowlink-of-\(host.name)", input: path)
        self.program = program
        try eventually("the link of \(host.name) is there") {
            guard program.isRunning else { throw Failure("no link of \(host.name): \(program.log)") }
            return program.log.contains("ready\n")
        }
    }

    /// From now on frames take so long each way, and so many of a hundred are lost.
    func slow(by delay: Duration, losing percent: Int) throws { try obey("slow \(delay.milliseconds) \(percent)") }

    /// Nothing passes any more, either way, and nobody is told.
    func cut() throws { try obey("cut") }

    func restore() throws { try obey("restore") }

    private func obey(_ line: String) throws {
        let before = lineCount
        try commands.write(contentsOf: Data("\(line)\n".utf8))
        try eventually("the link obeys '\(line)'") {
            guard program.isRunning else { throw Failure("the link has ended: \(program.log)") }
            return lineCount > before
        }
    }

    private var lineCount: Int { program.log.count { $0 == "\n" } }
}

/// A control plane at the end of a slow link, and a server, an origin and a device that are near each other: all on the
/// ports that they have in real life.
final class Region {
    let network: Network
    /// Between the control plane and everything else.
    let link: SlowLink
    let control: Program
    private let folder: String
    private let api: API
    private let sites: [String: Place]
    private var server: Program?

    static let channel = Place(address: "10.77.0.1", port: 7443)
    private static let http = Place(address: "10.77.0.2", port: 80)
    private static let https = Place(address: "10.77.0.2", port: 443)
    private static let admin = Place(address: "127.0.0.1", port: 7081)

    /// With a server `za1` that nobody plays yet, and a service that leads to the first of two sites.
    init() throws {
        let network = try Network(["control", "za1", "origin", "device"], slow: ["control"])
        let folder = try makeFolder(Scene.present().path("region"))
        let place = Place(address: "127.0.0.1", port: 7080)
        let control = try network.host("control").start(
            "ddirect-control",
            [
                "--database", "\(folder)/control.db", "--listen", "\(place)", "--channel", "unix:\(folder)/c.sock",
                "--channel", "tcp:\(Region.channel)", "--channel-authority", "\(folder)/authority.pem",
                "--admin-token-file", "\(folder)/token", "--allow-endpoint", "10.77.0.0/24",
            ])
        try network.host("control").inside {
            try eventually("the control plane answers; it says: \(control.log)") {
                guard control.isRunning else { throw Failure("the control plane has ended: \(control.log)") }
                return (try? HTTPResponse.get("/healthz", at: place))?.status == 200
            }
        }
        api = API(place: place, token: text(ofFile: "\(folder)/token").trimmingCharacters(in: .whitespacesAndNewlines))
        let origin = try network.host("origin")
        sites = try origin.inside {
            try Dictionary(
                uniqueKeysWithValues: ["first", "second"].map { ($0, try Peer.site($0, at: origin.address).place) })
        }
        (self.network, self.folder, self.control) = (network, folder, control)
        link = try network.link(of: "control")
        let endpoint = try endpoint("first")
        try asOperator { api in
            try api.grant(
                "POST", "/servers",
                [
                    "name": "za1", "region": "af-south-1", "hostname": "za1.dfree.test",
                    "addresses": [.string(Region.http.address)],
                ])
            try api.grant("POST", "/customers", ["name": "acme"])
            try api.grant(
                "POST", "/services",
                [
                    "name": "acme-app", "customer": "acme", "clientDomains": ["app.acme.test"], "endpoint": endpoint,
                    "primary": "za1",
                ])
        }
    }

    private func endpoint(_ site: String) throws -> JSONValue {
        guard let place = sites[site] else { throw Failure("there is no site \(site)") }
        return Endpoint(place).json
    }

    /// Calls the API, on the machine of the control plane.
    func asOperator<Value>(_ body: (API) throws -> Value) throws -> Value {
        try network.host("control").inside { try body(api) }
    }

    /// Moves the service to a site; with `waits`, returns when the server has applied that.
    func move(to site: String, waits: Bool = true) throws {
        let endpoint = try endpoint(site)
        _ = try asOperator { api in
            try waits
                ? api.apply("PATCH", "/services/acme-app", ["endpoint": endpoint])
                : api.grant("PATCH", "/services/acme-app", ["endpoint": endpoint])
        }
    }

    /// What the control plane says of the server.
    var status: JSONValue { get throws { try asOperator { try $0.grant("GET", "/servers/za1").body } } }

    /// Waits until the control plane says of the server what `condition` wants.
    func awaitStatus(_ what: String, _ condition: (JSONValue) -> Bool) throws {
        var last = JSONValue.null
        do {
            try eventually("za1 \(what)", every: .milliseconds(50)) {
                last = try status
                return condition(last)
            }
        } catch {
            throw Failure("\(error): \(last)")
        }
    }

    // MARK: The server

    var serverLog: String { server?.log ?? "" }

    /// Gives the server its identity, with a token as an operator would bring it there.
    func enroll() throws {
        let granted = try asOperator { try $0.grant("POST", "/servers/za1/enroll", ["validForSeconds": 600]).body }
        guard let token = granted["token"].text, let fingerprint = granted["authorityFingerprint"].text else {
            throw Failure("no token in \(granted)")
        }
        try write(token, to: "\(folder)/za1.token")
        let said = try network.host("za1").run(
            "ddirect-proxy",
            [
                "enroll", "--control", "\(Region.channel)", "--ca-fingerprint", fingerprint, "--token-file",
                "\(folder)/za1.token", "--credentials", "\(folder)/credentials",
            ])
        guard said.code == 0 else { throw Failure("enrolment ended with \(said.code): \(said.errors)") }
    }

    /// Starts the server with these addresses of the control plane, and returns when it carries traffic.
    func startServer(control: [String] = ["tcp:\(Region.channel)"]) throws {
        let za1 = try network.host("za1")
        let server = try za1.start(
            "ddirect-proxy",
            ["--server", "za1"] + control.flatMap { ["--control", $0] } + [
                "--credentials", "\(folder)/credentials", "--http", "\(Region.http)", "--https", "\(Region.https)",
                "--admin", "\(Region.admin)", "--workers", "1",
            ])
        self.server = server
        try za1.inside {
            try eventually("za1 is ready; it says: \(server.log)") {
                guard server.isRunning else { throw Failure("za1 has ended: \(server.log)") }
                return (try? HTTPResponse.get("/readyz", at: Region.admin))?.status == 200
            }
        }
    }

    /// Whether the server itself thinks that it has a session.
    var knowsSession: Bool {
        get throws {
            try network.host("za1").inside {
                try HTTPResponse.get("/metrics", at: Region.admin).body.contains(
                    "\nddirect_control_plane_connected 1\n")
            }
        }
    }

    /// Requests of the device, all the time.
    func load() throws -> Load { try network.host("device").inside { try Load.requests(to: Region.http) } }
}

extension Peer {
    /// A site of plain HTTP that says its name.
    static func site(_ name: String, at address: String) throws -> Peer {
        let body = "name=\(name)\n"
        return try Peer(address) { connection in
            _ = try connection.receive(until: "\r\n\r\n")
            try connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        }
    }
}
