public import Daemon
public import Domain

/// Everything that can be set on a data plane from outside. What it *does* comes from the control plane.
public struct ProxySettings: Sendable {
    public var server: ServerName
    /// Where the control plane is: one address or several, tried in turn.
    public var control: [ChannelAddress]
    /// The folder with the identity that enrolment gave this server, for a control plane over TCP.
    public var credentials: String
    public var http: [TransportAddress]
    public var https: [TransportAddress]
    /// Listening sockets that the service manager passes; when there are any, `http` and `https` are not bound.
    public var passed: [PassedSocket]
    public var admin: TransportAddress
    public var workers: Int
    /// Name servers to ask; none for those of `/etc/resolv.conf`.
    public var resolvers: [TransportAddress]
    public var drainTimeout: Duration
    /// Where the last good snapshot is kept over a reboot; nil for nowhere.
    public var snapshotCache: String?
    /// Whether a service manager started this process, which may keep descriptors for it.
    public var isManaged: Bool
    /// At SIGTERM established flows are left to the service manager for the next process, which goes on with them,
    /// rather than drained.
    public var parksFlows: Bool
    public var flowLog: FlowLogDestination
    public var relay: RelaySettings

    /// The flags as they were given; nil where none was, and the environment and then the default counts.
    public struct Flags: Sendable {
        public var server: String?
        public var control: [String] = []
        public var credentials: String?
        public var http: [String] = []
        public var https: [String] = []
        public var admin: String?
        public var workers: String?
        public var resolver: [String] = []
        public var flowLimit: String?
        public var helloTimeout: String?
        public var connectTimeout: String?
        public var idleTimeout: String?
        public var halfCloseTimeout: String?
        public var responseTimeout: String?
        public var source: [String] = []
        public var drainTimeout: String?
        public var snapshotCache: String?
        public var parkFlows: String?
        public var flowLog: String?

        public init() {}
    }

    /// `processors` and `descriptors` are what the machine allows; they bound the workers and the flows by default.
    /// `process` is our own number: who was passed sockets is told by it.
    public init(
        _ flags: Flags, environment: [String: String], processors: Int, descriptors: Int, process: Int32
    ) throws(SettingsFaults) {
        var reader = SettingsReader(environment: environment)
        let expected = "expected the name that this server has in the control plane, such as za1"
        var server: ServerName?
        if let given = reader.given("--server", flags.server, "DDIRECT_SERVER") {
            server = reader.value(given) { text throws(InvalidValue) in try ServerName(text) }
        } else {
            reader.add(fault: "--server (DDIRECT_SERVER) is missing; \(expected)")
        }
        control = reader.channel("--control", flags.control, "DDIRECT_CONTROL")
        credentials = reader.credentials(flags.credentials)
        func addresses(_ given: [(name: String, text: String)], default fallback: [TransportAddress])
            -> [TransportAddress]
        {
            given.isEmpty
                ? fallback
                : given.compactMap { reader.value($0) { text throws(InvalidValue) in try TransportAddress(text) } }
        }
        func everywhere(_ port: UInt16) -> [TransportAddress] {
            [TransportAddress(Address(ipv4: 0), port: port), TransportAddress(Address(ipv6: 0), port: port)]
        }
        http = addresses(reader.givenList("--http", flags.http, "DDIRECT_HTTP"), default: everywhere(80))
        https = addresses(reader.givenList("--https", flags.https, "DDIRECT_HTTPS"), default: everywhere(443))
        isManaged = Notify.isManaged(environment: environment)
        snapshotCache = reader.path(
            "--snapshot-cache", flags.snapshotCache, "DDIRECT_SNAPSHOT_CACHE",
            suchAs: "/var/cache/ddirect-proxy/snapshot")
        parksFlows = reader.yesOrNo("--park-flows", flags.parkFlows, "DDIRECT_PARK_FLOWS") && isManaged
        let flowLog = reader.given("--flow-log", flags.flowLog, "DDIRECT_FLOW_LOG")
        self.flowLog =
            flowLog.flatMap { reader.value($0) { text throws(InvalidValue) in try FlowLogDestination(text) } }
            ?? .standardOutput
        passed = PassedSocket.all(environment: environment, pid: process)
        let local = TransportAddress(Address(ipv4: 0x7F00_0001), port: 7081)
        admin =
            addresses(reader.givenList("--admin", flags.admin.map { [$0] } ?? [], "DDIRECT_ADMIN"), default: [local])
            .first ?? local
        resolvers = addresses(reader.givenList("--resolver", flags.resolver, "DDIRECT_RESOLVER"), default: [])
        workers = reader.number(
            "--workers", flags.workers, "DDIRECT_WORKERS", in: 1...256, default: min(processors, 256))
        var relay = RelaySettings()
        relay.helloTimeout = reader.seconds(
            "--hello-timeout", flags.helloTimeout, "DDIRECT_HELLO_TIMEOUT", default: relay.helloTimeout)
        relay.connectTimeout = reader.seconds(
            "--connect-timeout", flags.connectTimeout, "DDIRECT_CONNECT_TIMEOUT", default: relay.connectTimeout)
        relay.idleTimeout = reader.seconds(
            "--idle-timeout", flags.idleTimeout, "DDIRECT_IDLE_TIMEOUT", default: relay.idleTimeout)
        relay.halfCloseTimeout = reader.seconds(
            "--half-close-timeout", flags.halfCloseTimeout, "DDIRECT_HALF_CLOSE_TIMEOUT",
            default: relay.halfCloseTimeout)
        relay.responseTimeout = reader.seconds(
            "--response-timeout", flags.responseTimeout, "DDIRECT_RESPONSE_TIMEOUT", default: relay.responseTimeout)
        relay.sources = reader.givenList("--source", flags.source, "DDIRECT_SOURCE").compactMap {
            reader.value($0) { text throws(InvalidValue) in try Address(text) }
        }
        drainTimeout = reader.seconds(
            "--drain-timeout", flags.drainTimeout, "DDIRECT_DRAIN_TIMEOUT", default: .seconds(30))
        // Two descriptors a flow; a tenth more for pipes and rivals; a thirty-second each for probes and checks (and a
        // quarter of that for checks of which the answer is waited for), of which there are at most 4096 and 1280; 128
        // for everything else.
        let free = descriptors - 128
        let most = max(64, free * 100 / 228, (free - 4096 - 1280) * 10 / 22)
        let limit = reader.number(
            "--flow-limit", flags.flowLimit, "DDIRECT_FLOW_LIMIT", in: 1...10_000_000, default: most)
        relay.flowLimit = max(1, limit / workers)
        self.relay = relay
        try reader.check()
        guard let server else { throw SettingsFaults(["--server is missing; \(expected)"]) }
        self.server = server
    }
}

extension SettingsReader {
    /// The folder that enrolment writes to and the daemon reads from.
    mutating func credentials(_ value: String?) -> String {
        path("--credentials", value, "DDIRECT_CREDENTIALS", default: "/var/lib/ddirect-proxy")
    }
}
