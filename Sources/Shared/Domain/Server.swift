/// A machine in a region that runs the data plane.
public struct Server: Hashable, Sendable {
    public let name: ServerName
    public let region: RegionName
    /// The name that clients' CNAMEs point at, and the client domain of the server's monitor endpoint.
    public let hostname: DomainName
    /// The public addresses that the MNOs have registered.
    public let addresses: [Address]
    /// Senders in front of us whose connections begin with a PROXY header. From these one is required, from all others
    /// none is looked for: the protocol forbids guessing.
    public let trustedSenders: [Prefix]
    /// For connections that name no service that we know: the service that takes those to one of our addresses.
    public let defaultServices: [Address: ServiceName]
    /// How it is watched, where that differs from the fleet.
    public private(set) var monitoring: MonitoringOverrides
    /// On all that arrives there.
    public let limits: ServerLimits
    /// Of the flows of services that say nothing of their own.
    public let flowLog: FlowLog

    public static let addressCounts = 1...64
    public static let mostTrustedSenders = 256

    public init(
        name: ServerName, region: RegionName, hostname: DomainName, addresses: [Address], trustedSenders: [Prefix] = [],
        defaultServices: [Address: ServiceName] = [:], monitoring: MonitoringOverrides = MonitoringOverrides(),
        limits: ServerLimits = .standard, flowLog: FlowLog = .standard
    ) throws(InvalidValue) {
        guard Server.addressCounts.contains(addresses.count), Set(addresses).count == addresses.count else {
            throw InvalidValue(
                "\(addresses.count)", "is no number of addresses", expected: "1 to 64 of them, each once")
        }
        guard trustedSenders.count <= Server.mostTrustedSenders else {
            throw InvalidValue(
                "\(trustedSenders.count)", "are too many trusted senders",
                expected: "at most \(Server.mostTrustedSenders) prefixes")
        }
        for address in defaultServices.keys.sorted() where !addresses.contains(address) {
            throw InvalidValue(
                address.description, "is no address of this server", expected: "one of its own addresses")
        }
        self.name = name
        self.region = region
        self.hostname = hostname
        self.addresses = addresses
        self.trustedSenders = trustedSenders
        self.defaultServices = defaultServices
        self.monitoring = monitoring
        self.limits = limits
        self.flowLog = flowLog
    }

    /// What its data plane is told of it: how it is watched is no business of its own.
    var withoutMonitoring: Server {
        var server = self
        server.monitoring = MonitoringOverrides()
        return server
    }
}
