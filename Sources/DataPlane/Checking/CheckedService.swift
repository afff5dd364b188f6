import Domain

/// A service whose endpoint and fallbacks are checked, as a snapshot has it.
struct CheckedService: Hashable, Sendable {
    struct Target: Hashable, Sendable {
        let target: EndpointTarget
        /// Under which its addresses become known.
        let name: NameSlot
    }

    let slot: Int32
    let name: ServiceName
    /// The number of its list of targets, as in `RoutingTable.Route`.
    let edition: UInt32
    let check: HealthCheck
    /// Whom a check calls: its SNI, and the Host of its request.
    let host: DomainName
    let sendProxyProtocol: SendProxyProtocol
    let targets: [Target]

    init(slot: Int32, name: ServiceName, edition: UInt32, check: HealthCheck, carriage: Carriage, targets: [Target]) {
        self.slot = slot
        self.name = name
        self.edition = edition
        self.check = check
        host = carriage.checkedHost
        sendProxyProtocol = carriage.sendProxyProtocol
        self.targets = targets
    }
}

extension Carriage {
    /// A name that devices call: the first client domain that is no wildcard, or a name that the first wildcard stands
    /// for.
    fileprivate var checkedHost: DomainName {
        if let exact = clientDomains.first(where: { !$0.isWildcard }) { return exact.name }
        let parent = clientDomains[0].name
        // One that leaves no room for the label is called itself, which is as good a guess as any.
        return (try? DomainName("www.\(parent)")) ?? parent
    }
}

extension EndpointTarget {
    /// As the command line has it: without the ports where they are the usual ones. Different for different targets.
    var text: String {
        guard httpPort != .http || httpsPort != .https else { return host.description }
        if case .address(let address) = host, address.family == .ipv6 { return "[\(address)]:\(httpPort):\(httpsPort)" }
        return "\(host):\(httpPort):\(httpsPort)"
    }
}

/// One check as it is repeated.
///
/// Services that have the same target checked in the same way share it: a hundred services with one origin are no
/// reason to connect to it a hundred times as often. Each still counts the outcomes by its own thresholds.
struct TargetCheck: Hashable, Sendable {
    let name: NameSlot
    let port: UInt16
    let kind: HealthCheck.Kind
    /// Nil where nobody is called by name.
    let host: DomainName?
    /// Empty where nothing is asked for.
    let path: String
    let sendProxyProtocol: SendProxyProtocol
    /// In milliseconds, as is the timeout.
    let interval: UInt64
    let timeout: UInt64

    init(_ target: CheckedService.Target, of service: CheckedService) {
        let check = service.check
        name = target.name
        kind = check.kind
        port = kind == .http ? target.target.httpPort.number : target.target.httpsPort.number
        host = kind == .tcp ? nil : service.host
        path = kind == .http ? check.path : ""
        sendProxyProtocol = service.sendProxyProtocol
        interval = UInt64(max(1, check.interval)) * 1000
        timeout = UInt64(max(1, check.timeout)) * 1000
    }

    /// What an HTTP check sends. The host is a checked name and the path visible ASCII, so nothing of it can be taken
    /// for another line.
    var request: [UInt8] {
        guard kind == .http, let host else { return [] }
        return Array(
            "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: D-Direct health check\r\nConnection: close\r\n\r\n"
                .utf8
        )
    }
}
