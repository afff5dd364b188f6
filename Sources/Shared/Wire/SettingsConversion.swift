public import Domain
import FoundationEssentials

extension WireSettings {
    public init(_ settings: ServerSettings) {
        self.init()
        server = settings.server.name.text
        region = settings.server.region.text
        hostname = settings.server.hostname.text
        addresses = settings.server.addresses.map(\.description)
        trustedSenders = settings.server.trustedSenders.map(\.description)
        for (address, service) in settings.server.defaultServices {
            defaultServices[address.description] = service.text
        }
        allowedPrefixes = settings.policy.exceptions.map(\.description)
        fleetAddresses = settings.policy.fleet.sorted().map(\.description)
        probeKey = Data(settings.probeKey?.octets ?? [])
        if settings.server.limits != .standard {
            options.append(WireServerOption(.limits(WireServerLimits(settings.server.limits))))
        }
        if settings.server.flowLog != .standard {
            options.append(WireServerOption(.flowLog(WireFlowLog(settings.server.flowLog))))
        }
    }

    /// The settings, or nil with at least one reason added.
    func decoded(_ collector: inout ReasonCollector) -> ServerSettings? {
        let before = collector.reasons.count
        let serverName = collector.value(of: "server name") { () throws(InvalidValue) in try ServerName(server) }
        let regionName = collector.value(of: "region") { () throws(InvalidValue) in try RegionName(region) }
        let host = collector.value(of: "host name") { () throws(InvalidValue) in try DomainName(hostname) }
        let ownAddresses = WireSettings.addresses(addresses, of: "address", &collector)
        let senders = WireSettings.prefixes(trustedSenders, of: "trusted sender", &collector)
        let defaults = decodedDefaults(&collector)
        let exceptions = WireSettings.prefixes(allowedPrefixes, of: "allowed prefix", &collector)
        let fleet = WireSettings.addresses(fleetAddresses, of: "fleet address", &collector)
        let key = ProbeKey(octets: Array(probeKey))
        if key == nil, !probeKey.isEmpty {
            collector.add("probe key: is \(probeKey.count) octets long; expected \(ProbeKey.length), or none")
        }
        let own = WireServerOption.decoded(options, &collector)
        guard collector.reasons.count == before, let serverName, let regionName, let host else { return nil }
        let described = collector.value(of: "server \(serverName)") { () throws(InvalidValue) in
            try Server(
                name: serverName, region: regionName, hostname: host, addresses: ownAddresses, trustedSenders: senders,
                defaultServices: defaults, limits: own.limits, flowLog: own.flowLog)
        }
        return described.map {
            ServerSettings(
                server: $0, policy: EndpointPolicy(exceptions: exceptions, fleet: Set(fleet)), probeKey: key)
        }
    }

    private func decodedDefaults(_ collector: inout ReasonCollector) -> [Address: ServiceName] {
        var defaults: [Address: ServiceName] = [:]
        for (address, service) in defaultServices {
            let key = collector.value(of: "default service's address") { () throws(InvalidValue) in try Address(address)
            }
            let name = collector.value(of: "default service") { () throws(InvalidValue) in try ServiceName(service) }
            guard let key, let name else { continue }
            if defaults.updateValue(name, forKey: key) != nil {
                collector.add("address \(key): has two default services")
            }
        }
        return defaults
    }

    private static func addresses(
        _ texts: [String], of subject: @autoclosure () -> String, _ collector: inout ReasonCollector
    ) -> [Address] {
        texts.compactMap { text in collector.value(of: subject()) { () throws(InvalidValue) in try Address(text) } }
    }

    private static func prefixes(
        _ texts: [String], of subject: @autoclosure () -> String, _ collector: inout ReasonCollector
    ) -> [Prefix] {
        texts.compactMap { text in collector.value(of: subject()) { () throws(InvalidValue) in try Prefix(text) } }
    }
}
