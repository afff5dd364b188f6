import Foundation
import Glibc
import JSON

/// A fleet of three regions on a network of its own, all on the ports that they have in real life: a control plane that
/// steers a customer's name by DNS, the servers of that DNS, a resolver, the customer's site, and a device.
///
/// The service acme-app is carried by za1, its primary, and its standbys.
final class GameDay {
    let network: Network
    let names: FleetNames
    let standbys: [String]
    private(set) var control: Program
    private var servers: [String: Program] = [:]
    private let api: API
    private let folder: String
    private let certificate: Certificate
    private let controlArguments: [String]

    /// Whether all cases are to be played, which takes a quarter of an hour, and not the short form.
    static let isWhole = ProcessInfo.processInfo.environment["DDIRECT_GAME_DAY"] == "all"
    static let isOfRelease = Executables.products.split(separator: "/").contains("release")

    private static let regions = [("za1", "af-south-1"), ("ie1", "eu-west-1"), ("us1", "us-east-1")]
    private static let hosts = ["control", "za1", "ie1", "us1", "ns1", "ns2", "resolver", "origin", "device"]
    private static let apiPlace = Place(address: "127.0.0.1", port: 7080)
    private static let admin = Place(address: "127.0.0.1", port: 7081)
    static let channelPort: UInt16 = 7443
    /// Of the fleet's settings: the misses that make a vantage call a server down.
    static let threshold = 3
    /// The seconds between two probes, and those that a probe may take. There are more of them where no figures are
    /// held, so that a busy machine does not make a server look dead.
    static let interval = Figures.areHeld ? 1 : 2
    static let holdDown = 5

    /// When this returns all is well, from wherever one looks. The hosts in `slow` have a `SlowLink`.
    init(standbys: [String] = ["ie1"], slow: Set<String> = []) throws {
        let network = try Network(GameDay.hosts, slow: slow)
        let folder = try makeFolder(Scene.present().path("game-day"))
        let addresses = try GameDay.regions.map { ($0.0, try network.host($0.0).address) }
        let names = try FleetNames(
            primary: network.host("ns1"), secondary: network.host("ns2"), resolver: network.host("resolver"),
            servers: addresses)
        _ = try makeFolder("\(folder)/credentials")
        try write(names.secret + "\n", to: "\(folder)/credentials/acme-tsig")
        (self.network, self.folder, self.names, self.standbys) = (network, folder, names, standbys)
        let controlHost = try network.host("control")
        controlArguments = [
            "--database", "\(folder)/control.db", "--listen", "\(GameDay.apiPlace)",
            "--channel", "tcp:\(controlHost.address):\(GameDay.channelPort)",
            "--channel-authority", "\(folder)/authority.pem", "--admin-token-file", "\(folder)/token",
            "--credentials", "\(folder)/credentials", "--allow-endpoint", "10.77.0.0/24",
        ]
        control = try controlHost.start("ddirect-control", controlArguments)
        certificate = try GameDay.startSite(on: network.host("origin"))
        try GameDay.awaitAPI(control, on: controlHost)
        api = API(
            place: GameDay.apiPlace,
            token: text(ofFile: "\(folder)/token").trimmingCharacters(in: .whitespacesAndNewlines))
        try configure()
        for (name, _) in GameDay.regions { try enroll(name) }
        for (name, _) in GameDay.regions { try launch(name) }
        for (name, _) in GameDay.regions { try awaitReady(name) }
        try addService()
        try awaitHealth()
    }

    /// A site of HTTP and HTTPS for the name that devices call.
    private static func startSite(on origin: Host) throws -> Certificate {
        let folder = try makeFolder(Scene.present().path("site"))
        let certificate = try Certificate()
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        try write(
            """
            daemon off; master_process off; pid \(folder)/nginx.pid; error_log \(folder)/error.log notice;
            events { worker_connections 4096; }
            http {
              access_log off; \(temporary.joined(separator: " "))
              ssl_certificate \(certificate.certificate); ssl_certificate_key \(certificate.key);
              server {
                listen \(origin.address):80; listen \(origin.address):443 ssl; default_type text/plain;
                location / { return 200 "name=origin\\n"; }
              }
            }
            """, to: "\(folder)/nginx.conf")
        let nginx = try origin.start("nginx", ["-c", "\(folder)/nginx.conf", "-e", "\(folder)/error.log"])
        try origin.inside {
            try eventually("nginx answers: \(text(ofFile: "\(folder)/error.log"))") {
                guard nginx.isRunning else { throw Failure("nginx has ended: \(text(ofFile: "\(folder)/error.log"))") }
                return (try? HTTPResponse.get("/", at: Place(address: origin.address, port: 80)))?.status == 200
            }
        }
        return certificate
    }

    private static func awaitAPI(_ control: Program, on host: Host) throws {
        try host.inside {
            try eventually("the control plane answers; it says: \(control.log)") {
                guard control.isRunning else { throw Failure("the control plane has ended: \(control.log)") }
                return (try? HTTPResponse.get("/healthz", at: apiPlace))?.status == 200
            }
        }
    }

    private func configure() throws {
        try addZone("acme.test")
        try asOperator { api in
            try api.grant(
                "PATCH", "/settings",
                [
                    "monitoring": [
                        "intervalSeconds": .integer(GameDay.interval), "timeoutSeconds": .integer(GameDay.interval),
                        "threshold": .integer(GameDay.threshold),
                        "recoveryThreshold": 3,
                    ],
                    "failover": [
                        "automatic": true, "failback": "manual", "holdDownSeconds": .integer(GameDay.holdDown),
                    ],
                ])
            try api.grant("POST", "/customers", ["name": "acme"])
            for (name, region) in GameDay.regions {
                try api.grant(
                    "POST", "/servers",
                    [
                        "name": .string(name), "region": .string(region), "hostname": .string("\(name).dfree.test"),
                        "addresses": [.string(address(of: name))],
                    ])
            }
        }
    }

    private func addZone(_ name: String) throws {
        let places = names.authorities.map { JSONValue.string("\($0.address):53") }
        let provider: JSONValue = [
            "kind": "rfc2136", "server": .string("\(names.primary.address):53"),
            "keyName": .string(FleetNames.keyName), "algorithm": "hmac-sha256", "credential": "acme-tsig",
        ]
        try asOperator { api in
            try api.grant(
                "POST", "/zones", ["name": .string(name), "provider": provider, "authorities": .array(places)])
        }
    }

    private func addService() throws {
        let origin = Endpoint(host: try network.host("origin").address)
        try asOperator { api in
            try api.apply(
                "POST", "/services",
                [
                    "name": "acme-app", "customer": "acme", "clientDomains": [.string(FleetNames.app)],
                    "endpoint": origin.json, "primary": "za1", "standbys": .array(standbys.map(JSONValue.string)),
                    "dns": [GameDay.alias],
                ])
        }
    }

    private static var alias: JSONValue {
        ["zone": "acme.test", "name": .string(FleetNames.app), "kind": "cname", "ttl": .integer(FleetNames.timeToLive)]
    }

    /// Has the service answer at the apex of another zone as well, which is steered by addresses.
    func addApex() throws {
        try addZone(FleetNames.apex)
        let apex = JSONValue.string(FleetNames.apex)
        try asOperator { api in
            try api.apply(
                "PATCH", "/services/acme-app",
                [
                    "clientDomains": [.string(FleetNames.app), apex],
                    "dns": [
                        GameDay.alias,
                        ["zone": apex, "name": apex, "kind": "addresses", "ttl": .integer(FleetNames.timeToLive)],
                    ],
                ])
        }
    }

    // MARK: The control plane

    /// Calls the API, on the machine of the control plane.
    @discardableResult
    func asOperator<Value>(_ body: (API) throws -> Value) throws -> Value {
        try network.host("control").inside { try body(api) }
    }

    /// Types `ddirect` and these words, on the machine of the control plane.
    func ddirect(_ words: String...) throws -> Said {
        try network.host("control").run(
            "ddirect", words,
            environment: [
                "DDIRECT_API": "http://\(GameDay.apiPlace)", "DDIRECT_TOKEN_FILE": "\(folder)/token",
                "HOME": folder, "XDG_CONFIG_HOME": "",
            ])
    }

    /// Starts it again on what it has stored.
    func restartControl() throws {
        let host = try network.host("control")
        control = try host.start("ddirect-control", controlArguments, name: "ddirect-control again")
        try GameDay.awaitAPI(control, on: host)
    }

    // MARK: Servers

    func address(of server: String) throws -> String { try network.host(server).address }

    private func enroll(_ name: String) throws {
        let granted = try asOperator {
            try $0.grant("POST", "/servers/\(name)/enroll", ["validForSeconds": 600]).body
        }
        guard let token = granted["token"].text, let fingerprint = granted["authorityFingerprint"].text else {
            throw Failure("no token in \(granted)")
        }
        try write(token, to: "\(folder)/\(name).token")
        let said = try network.host(name).run(
            "ddirect-proxy",
            [
                "enroll", "--control", channel, "--ca-fingerprint", fingerprint, "--token-file",
                "\(folder)/\(name).token", "--credentials", "\(folder)/\(name)",
            ])
        guard said.code == 0 else { throw Failure("enrolment of \(name) ended with \(said.code): \(said.errors)") }
    }

    private var channel: String {
        get throws { "\(try network.host("control").address):\(GameDay.channelPort)" }
    }

    private func launch(_ name: String) throws {
        let address = try address(of: name)
        servers[name] = try network.host(name).start(
            "ddirect-proxy",
            [
                "--server", name, "--control", "tcp:\(channel)", "--credentials", "\(folder)/\(name)",
                "--http", "\(address):80", "--https", "\(address):443", "--admin", "\(GameDay.admin)", "--workers", "1",
            ], name: name)
    }

    private func awaitReady(_ name: String) throws {
        guard let server = servers[name] else { throw Failure("\(name) was not started") }
        try network.host(name).inside {
            try eventually("\(name) is ready; it says: \(server.log)") {
                guard server.isRunning else { throw Failure("\(name) has ended: \(server.log)") }
                return (try? HTTPResponse.get("/readyz", at: GameDay.admin))?.status == 200
            }
        }
    }

    /// `kill -9`. What it had open is refused and reset from then on.
    func killServer(_ name: String) throws {
        guard let server = servers[name] else { throw Failure("\(name) was not started") }
        server.destroy()
    }

    /// Starts a server again that was killed.
    func startServer(_ name: String) throws {
        try launch(name)
        try awaitReady(name)
    }

    // MARK: Witnesses

    func witnesses() throws -> Witnesses {
        try Witnesses(
            device: network.host("device"), watcher: network.host("device"), names: names, certificate: certificate)
    }
}
