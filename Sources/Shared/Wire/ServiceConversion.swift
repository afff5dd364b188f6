public import Domain

extension WireService {
    public init(_ name: ServiceName, _ carriage: Carriage) {
        self.init()
        self.name = name.text
        clientDomains = carriage.clientDomains.map(\.description)
        targets = carriage.endpoint.targets.map { WireTarget($0) }
        acceptProxyProtocol = carriage.acceptProxyProtocol
        sendProxyProtocol =
            switch carriage.sendProxyProtocol {
            case .off: .off
            case .v1: .v1
            case .v2: .v2
            }
        forwardedFor =
            switch carriage.forwardedFor {
            case .append: .append
            case .replace: .replace
            case .off: .off
            }
        if let check = carriage.endpoint.check { healthCheck = WireHealthCheck(check) }
        options = WireServiceOption.options(of: carriage)
        allow = carriage.access.allow.map(\.description)
        deny = carriage.access.deny.map(\.description)
    }

    /// The service's name and carriage, or nil with at least one reason added.
    func decoded(_ collector: inout ReasonCollector) -> (name: ServiceName, carriage: Carriage)? {
        let subject = { "service \(name)" }
        let serviceName = collector.value(of: "service name") { () throws(InvalidValue) in try ServiceName(name) }
        var domains: [ClientDomain] = []
        domains.reserveCapacity(clientDomains.count)
        for text in clientDomains {
            let domain = collector.value(of: "\(subject()): client domain") { () throws(InvalidValue) in
                try ClientDomain(text)
            }
            if let domain { domains.append(domain) }
        }
        var endpointTargets: [EndpointTarget] = []
        for target in targets {
            if let target = target.decoded(of: subject(), &collector) { endpointTargets.append(target) }
        }
        let proxyProtocol = domainSendProxyProtocol
        if proxyProtocol == nil {
            collector.add(
                "\(subject()): has the unknown PROXY protocol setting \(sendProxyProtocol.rawValue); expected off, v1 or v2"
            )
        }
        let forwarded = domainForwardedFor
        if forwarded == nil {
            collector.add(
                "\(subject()): has the unknown X-Forwarded-For setting \(forwardedFor.rawValue); expected append, replace or off"
            )
        }
        let check = hasHealthCheck ? healthCheck.decoded(of: subject(), &collector) : nil
        let before = collector.reasons.count
        let options = WireServiceOption.decoded(self.options, of: subject(), &collector)
        let access = decodedAccess(of: subject(), &collector)
        guard targets.first != nil else {
            collector.add("\(subject()): has no endpoint; expected at least one target")
            return nil
        }
        guard let serviceName, let proxyProtocol, let forwarded, domains.count == clientDomains.count,
            endpointTargets.count == targets.count, let target = endpointTargets.first,
            (check != nil) == hasHealthCheck, collector.reasons.count == before
        else { return nil }
        let carriage = collector.value(of: subject()) { () throws(InvalidValue) in
            try Carriage(
                clientDomains: domains,
                endpoint: Endpoint(target, fallbacks: Array(endpointTargets.dropFirst()), check: check),
                acceptProxyProtocol: acceptProxyProtocol, sendProxyProtocol: proxyProtocol, forwardedFor: forwarded,
                forwardedFields: options.forwardedFields, limits: options.limits, access: access,
                flowLog: options.flowLog)
        }
        return carriage.map { (serviceName, $0) }
    }

    /// Which clients it takes, or all of them with a reason added.
    private func decodedAccess(of subject: @autoclosure () -> String, _ collector: inout ReasonCollector)
        -> ClientAccess
    {
        guard !allow.isEmpty || !deny.isEmpty else { return .open }
        let access = collector.value(of: "\(subject()): clients") { () throws(InvalidValue) in
            try ClientAccess(allow: WireService.prefixes(allow), deny: WireService.prefixes(deny))
        }
        return access ?? .open
    }

    /// The first that is wrong speaks for all: two lists of a thousand would make two thousand reasons.
    private static func prefixes(_ texts: [String]) throws(InvalidValue) -> [Prefix] {
        var prefixes: [Prefix] = []
        prefixes.reserveCapacity(texts.count)
        for text in texts { prefixes.append(try Prefix(text)) }
        return prefixes
    }

    private var domainSendProxyProtocol: SendProxyProtocol? {
        switch sendProxyProtocol {
        case .off: .off
        case .v1: .v1
        case .v2: .v2
        case .UNRECOGNIZED: nil
        }
    }

    private var domainForwardedFor: ForwardedFor? {
        switch forwardedFor {
        case .append: .append
        case .replace: .replace
        case .off: .off
        case .UNRECOGNIZED: nil
        }
    }
}

extension WireTarget {
    public init(_ target: EndpointTarget) {
        self.init()
        host = target.host.description
        httpPort = UInt32(target.httpPort.number)
        httpsPort = UInt32(target.httpsPort.number)
    }

    func decoded(of subject: @autoclosure () -> String, _ collector: inout ReasonCollector) -> EndpointTarget? {
        let endpointHost = collector.value(of: "\(subject()): endpoint") { () throws(InvalidValue) in
            try EndpointHost(host)
        }
        let http = collector.value(of: "\(subject()): HTTP port") { () throws(InvalidValue) in try Port(Int(httpPort)) }
        let https = collector.value(of: "\(subject()): HTTPS port") { () throws(InvalidValue) in
            try Port(Int(httpsPort))
        }
        guard let endpointHost, let http, let https else { return nil }
        return EndpointTarget(host: endpointHost, httpPort: http, httpsPort: https)
    }
}

extension EndpointTarget {
    /// The target that a command names.
    public init(_ message: WireTarget) throws(InvalidMessage) {
        var collector = ReasonCollector()
        guard let target = message.decoded(of: "target", &collector) else {
            throw InvalidMessage(reasons: collector.reasons)
        }
        self = target
    }
}
