import Foundation
import Glibc

/// The names of a fleet on a `Network`, as they are served in real life: BIND is the primary and takes signed updates,
/// Knot follows it, and unbound resolves for devices. The zones are acme.test, a customer's with the name that is
/// steered, shop.test, whose apex may be steered, too, and dfree.test, with the servers' host names.
final class FleetNames {
    /// What devices call.
    static let app = "app.acme.test"
    /// Where no CNAME can stand.
    static let apex = "shop.test"
    /// Of its record, in seconds.
    static let timeToLive = 1
    static let keyName = "ddirect"

    let primary, secondary, resolver: Host
    /// The key of updates, in base 64.
    let secret = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
    private let folder: String
    /// Where the name led to begin with.
    private let first: String
    private var named: Program
    private let knotd: Program
    /// Of all runs of BIND before this one.
    private var earlierLogs = ""

    /// `servers` have their addresses by name; traffic goes to the first.
    init(primary: Host, secondary: Host, resolver: Host, servers: [(name: String, address: String)]) throws {
        (self.primary, self.secondary, self.resolver) = (primary, secondary, resolver)
        folder = try makeFolder(Scene.present().path("names"))
        first = "\(servers[0].name).dfree.test."
        let opening = [
            "$TTL 60", "@ SOA ns1 hostmaster 1 60 5 3600 1", "@ NS ns1", "@ NS ns2", "ns1 A \(primary.address)",
            "ns2 A \(secondary.address)",
        ]
        let app = "app \(FleetNames.timeToLive) CNAME \(first)"
        let apex = "@ \(FleetNames.timeToLive) A \(servers[0].address)"
        let zones = [
            "acme.test": [app], FleetNames.apex: [apex], "dfree.test": servers.map { "\($0.name) A \($0.address)" },
        ]
        _ = try makeFolder("\(folder)/named")
        for (zone, records) in zones {
            let lines = ["$ORIGIN \(zone)."] + opening + records
            try write(lines.joined(separator: "\n") + "\n", to: "\(folder)/named/\(zone).zone")
        }
        let configurations = FleetNames.configurations(
            folder, primary: primary.address, secondary: secondary.address, resolver: resolver.address)
        _ = try makeFolder("\(folder)/knot/run")
        _ = try makeFolder("\(folder)/unbound")
        try write(configurations.bind("key ddirect;", secret), to: "\(folder)/named/named.conf")
        try write(configurations.bind("none;", secret), to: "\(folder)/named/refusing.conf")
        try write(configurations.knot, to: "\(folder)/knot/knot.conf")
        try write(configurations.unbound, to: "\(folder)/unbound/unbound.conf")
        named = try primary.start("named", ["-c", "\(folder)/named/named.conf", "-g", "-n", "1"])
        knotd = try secondary.start("knotd", ["-c", "\(folder)/knot/knot.conf"])
        let unbound = try resolver.start("unbound", ["-d", "-c", "\(folder)/unbound/unbound.conf"])
        for (host, program) in [(primary, named), (secondary, knotd), (resolver, unbound)] {
            try eventually("\(host.name) answers; it says: \(program.log)") {
                guard program.isRunning else { throw Failure("\(program.name) has ended: \(program.log)") }
                return try answer(of: host, FleetNames.app, "CNAME").hasPrefix(first)
            }
        }
    }

    /// The servers that answer with authority.
    var authorities: [Host] { [primary, secondary] }

    /// What a server says of a name, a line a record.
    func answer(of server: Host, _ name: String, _ type: String) throws -> String {
        try server.run("kdig", ["+short", "+timeout=20", "+retry=2", "@\(server.address)", name, type]).output
    }

    /// The server that the primary sends traffic to, by its host name.
    var target: String {
        get throws {
            try answer(of: primary, FleetNames.app, "CNAME").trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// Has somebody else point the name elsewhere, with the same key.
    func point(at target: String) throws {
        let said = try primary.run(
            "knsupdate", ["-y", "hmac-sha256:\(FleetNames.keyName):\(secret)"],
            input: """
                server \(primary.address) 53
                zone acme.test.
                update delete \(FleetNames.app). CNAME
                update add \(FleetNames.app). \(FleetNames.timeToLive) CNAME \(target).
                send

                """)
        guard said.code == 0 else { throw Failure("knsupdate: \(said.errors)\(said.output)") }
    }

    /// How often updates have made the name lead to `target`, as BIND tells. Those that change nothing, such as
    /// rehearsals, are none.
    func changes(to target: String) -> Int {
        let marker = "adding an RR at '\(FleetNames.app)' CNAME "
        var count = 0
        var last = first
        for line in log.split(separator: "\n") {
            guard let range = line.range(of: marker) else { continue }
            let now = line[range.upperBound...]
            if now != last, now == "\(target)." { count += 1 }
            last = String(now)
        }
        return count
    }

    /// How many updates expected something else than was there.
    var unmetUpdates: Int { log.split(separator: "\n").count { $0.contains("prerequisite not satisfied") } }

    private var log: String { earlierLogs + named.log }

    // MARK: What goes wrong

    /// The primary neither answers nor refuses, though its kernel takes what is sent to it.
    func hangPrimary() { named.signal(SIGSTOP) }
    func wakePrimary() { named.signal(SIGCONT) }
    func hangSecondary() { knotd.signal(SIGSTOP) }
    func wakeSecondary() { knotd.signal(SIGCONT) }

    func killPrimary() {
        named.destroy()
        earlierLogs += named.log
    }

    /// Starts it again on what it had written down; `refusing` every update, or as before.
    func startPrimary(refusing: Bool = false) throws {
        let configuration = refusing ? "refusing.conf" : "named.conf"
        let program = try primary.start("named", ["-c", "\(folder)/named/\(configuration)", "-g", "-n", "1"])
        named = program
        try eventually("BIND is back; it says: \(program.log)") {
            guard program.isRunning else { throw Failure("BIND has ended: \(program.log)") }
            return try answer(of: primary, "acme.test", "SOA").contains("hostmaster")
        }
    }
}

extension FleetNames {
    private struct Configurations {
        let bind: (_ updaters: String, _ secret: String) -> String
        let knot, unbound: String
    }

    private static func configurations(
        _ folder: String, primary: String, secondary: String, resolver: String
    ) -> Configurations {
        let bind = { (updaters: String, secret: String) in
            """
            key "\(keyName)" { algorithm hmac-sha256; secret "\(secret)"; };
            options {
              directory "\(folder)/named"; pid-file "named.pid"; session-keyfile "\(folder)/named/session.key"; lock-file none;
              managed-keys-directory "\(folder)/named"; listen-on port 53 { \(primary); }; listen-on-v6 { none; };
              recursion no; dnssec-validation no; notify explicit; notify-delay 0; serial-query-rate 100;
              allow-transfer { \(secondary); }; also-notify { \(secondary); }; };
            controls { };
            zone "acme.test" { type primary; file "acme.test.zone"; allow-update { \(updaters) }; };
            zone "\(apex)" { type primary; file "\(apex).zone"; allow-update { \(updaters) }; };
            zone "dfree.test" { type primary; file "dfree.test.zone"; };

            """
        }
        let all = ["acme.test", apex, "dfree.test"]
        let followed = all.map { zone in
            "  - domain: \(zone)\n    storage: \"\(folder)/knot\"\n    master: primary\n    acl: notify\n"
        }
        let knot = """
            server:
              rundir: "\(folder)/knot/run"
              listen: \(secondary)@53
              \(getuid() == 0 ? "user: root" : "identity: \"test\"")
            log:
              - target: stderr
                any: info
            database:
              storage: "\(folder)/knot"
            remote:
              - id: primary
                address: \(primary)@53
            acl:
              - id: notify
                address: \(primary)
                action: notify
            zone:
            \(followed.joined())
            """
        let stubs = all.map { zone in
            "stub-zone:\n  name: \"\(zone)\"\n  stub-addr: \(primary)@53\n  stub-addr: \(secondary)@53\n"
        }
        // It counts in whole seconds: an answer with a TTL of 1 is given for up to 2.
        let unbound = """
            server:
              directory: "\(folder)/unbound"
              chroot: ""
              username: ""
              pidfile: "\(folder)/unbound/unbound.pid"
              use-syslog: no
              num-threads: 1
              interface: \(resolver)@53
              access-control: 10.77.0.0/24 allow
              local-zone: "test." nodefault
              domain-insecure: "test."
              module-config: "iterator"
            remote-control:
              control-enable: no
            \(stubs.joined())
            """
        return Configurations(bind: bind, knot: knot, unbound: unbound)
    }
}
