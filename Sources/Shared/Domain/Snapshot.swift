/// The number of a configuration; it only grows.
public struct SnapshotVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    public var description: String { String(number) }

    public static func < (left: SnapshotVersion, right: SnapshotVersion) -> Bool { left.number < right.number }
}

/// Which life of the store a version belongs to: drawn at random when a store is made, so versions of two stores are
/// never compared.
public struct Incarnation: Hashable, Sendable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    public var description: String { String(number, radix: 16) }
}

/// What a server is told of itself and of the fleet; all of a snapshot but its services.
public struct ServerSettings: Hashable, Sendable {
    public let server: Server
    public let policy: EndpointPolicy
    /// By which it knows the fleet's probes; nil when the control plane is of a release that has no such keys.
    public let probeKey: ProbeKey?

    public init(server: Server, policy: EndpointPolicy, probeKey: ProbeKey? = nil) {
        self.server = server.withoutMonitoring
        self.policy = policy
        self.probeKey = probeKey
    }

    /// The key is no part of it. Digests stand in logs and can be undone step by step, so what goes into one is no
    /// secret. And a data plane of an earlier release, which does not know the key, still comes to the same digest.
    public var digest: Digest { digest(fleet: policy.fleet.sorted()) }

    /// The same, for who has the addresses of `policy.fleet` in their order: of many servers all are told the same
    /// ones.
    public func digest(fleet addresses: [Address]) -> Digest {
        var builder = DigestBuilder()
        builder.add("settings")
        builder.add(server.name.text)
        builder.add(server.region.text)
        builder.add(server.hostname.text)
        builder.add(UInt64(server.addresses.count))
        for address in server.addresses { builder.add(address) }
        builder.add(UInt64(server.trustedSenders.count))
        for prefix in server.trustedSenders { builder.add(prefix) }
        builder.add(UInt64(server.defaultServices.count))
        for (address, service) in server.defaultServices.sorted(by: { $0.key < $1.key }) {
            builder.add(address)
            builder.add(service.text)
        }
        builder.add(UInt64(policy.exceptions.count))
        for prefix in policy.exceptions { builder.add(prefix) }
        builder.add(UInt64(addresses.count))
        for address in addresses { builder.add(address) }
        // A setting that was added later is told only where it is not the standard: an upgrade changes no digest.
        if server.limits != .standard { builder.add(server.limits) }
        if server.flowLog != .standard { builder.add(server.flowLog) }
        return builder.digest
    }
}

extension Carriage {
    /// The digest of this carriage as the service `name`.
    public func digest(as name: ServiceName) -> Digest {
        var builder = DigestBuilder()
        builder.add("service")
        builder.add(name.text)
        builder.add(UInt64(clientDomains.count))
        for domain in clientDomains { builder.add(domain) }
        builder.add(UInt64(1 + endpoint.fallbacks.count))
        builder.add(endpoint.target)
        for target in endpoint.fallbacks { builder.add(target) }
        if let check = endpoint.check { builder.add(check) }
        builder.add(acceptProxyProtocol ? 1 : 0)
        builder.add(sendProxyProtocol.rawValue)
        builder.add(forwardedFor.rawValue)
        // An option that was added later is told only where it is not the standard: an upgrade changes no digest.
        if let forwardedFields { builder.add("forwardedFields", forwardedFields.rawValue) }
        if limits != .standard { builder.add(limits) }
        if !access.isOpen { builder.add(access) }
        if flowLog != .standard { builder.add(flowLog) }
        return builder.digest
    }
}

/// The whole configuration of one server at one moment, found consistent when it was made.
public struct Snapshot: Sendable, Equatable {
    public let incarnation: Incarnation
    public let version: SnapshotVersion
    public let settings: ServerSettings
    public let services: [ServiceName: Carriage]
    public let digest: Digest

    /// Why a snapshot, or a difference applied to one, is refused. Every reason is named, not only the first.
    public struct Inconsistency: Error, Equatable, Sendable, CustomStringConvertible {
        public let reasons: [String]

        public init(reasons: [String]) { self.reasons = reasons }

        public var description: String { reasons.joined(separator: "; ") }
    }

    public init(
        incarnation: Incarnation, version: SnapshotVersion, settings: ServerSettings, services: [ServiceName: Carriage]
    ) throws(Inconsistency) {
        try self.init(
            incarnation: incarnation, version: version, settings: settings, settingsAreNew: true, services: services,
            suspects: services, digest: services.reduce(settings.digest) { $0 + $1.value.digest(as: $1.key) })
    }

    /// `suspects` are those of the services that were not yet found to be consistent with each other.
    private init(
        incarnation: Incarnation, version: SnapshotVersion, settings: ServerSettings, settingsAreNew: Bool,
        services: [ServiceName: Carriage], suspects: [ServiceName: Carriage], digest: Digest
    ) throws(Inconsistency) {
        let reasons = Snapshot.inconsistencies(
            settings: settings, settingsAreNew: settingsAreNew, services: services, suspects: suspects)
        guard reasons.isEmpty else { throw Inconsistency(reasons: reasons) }
        self.incarnation = incarnation
        self.version = version
        self.settings = settings
        self.services = services
        self.digest = digest
    }

    /// The configuration that `difference` makes of this one.
    ///
    /// Throws when the difference starts from another version, removes what is not there, or leads to an inconsistent
    /// whole.
    public func applying(_ difference: SnapshotDifference) throws(Inconsistency) -> Snapshot {
        var reasons: [String] = []
        if difference.base != version {
            reasons.append("the difference starts at version \(difference.base), but this server has \(version)")
        }
        if difference.version < version {
            reasons.append("version \(difference.version) is older than \(version), which this server has")
        }
        var services = services
        var digest = digest
        for name in difference.removed {
            guard let carriage = services.removeValue(forKey: name) else {
                reasons.append("service \(name) is removed, but this server does not carry it")
                continue
            }
            digest = digest - carriage.digest(as: name)
        }
        for (name, carriage) in difference.carried {
            if let before = services.updateValue(carriage, forKey: name) { digest = digest - before.digest(as: name) }
            digest = digest + carriage.digest(as: name)
        }
        if let settings = difference.settings { digest = digest - self.settings.digest + settings.digest }
        guard reasons.isEmpty else { throw Inconsistency(reasons: reasons) }
        return try Snapshot(
            incarnation: incarnation, version: difference.version, settings: difference.settings ?? settings,
            settingsAreNew: difference.settings != nil, services: services, suspects: difference.carried, digest: digest
        )
    }

    /// What leads from `base` to this snapshot.
    public func difference(from base: Snapshot) -> SnapshotDifference {
        SnapshotDifference(
            base: base.version, version: version, settings: settings == base.settings ? nil : settings,
            carried: services.filter { base.services[$0.key] != $0.value },
            removed: Set(base.services.keys.filter { services[$0] == nil }))
    }

    /// What is wrong with the whole, given that the services other than `suspects` agree with each other, and with the
    /// settings unless these are new: then a difference that touches one of many services costs a glance at each at
    /// most, and no index of all.
    private static func inconsistencies(
        settings: ServerSettings, settingsAreNew: Bool, services: [ServiceName: Carriage],
        suspects: [ServiceName: Carriage]
    ) -> [String] {
        var reasons: Set<String> = []
        let hostname = settings.server.hostname
        var claims: [ClientDomain: ServiceName] = [:]
        claims.reserveCapacity(suspects.values.reduce(0) { $0 + $1.clientDomains.count })
        for (name, carriage) in suspects {
            for domain in carriage.clientDomains {
                if let other = claims.updateValue(name, forKey: domain) {
                    reasons.insert(conflict(over: domain, between: name, and: other))
                }
                if !domain.isWildcard, domain.name == hostname {
                    reasons.insert(monitorConflict(over: domain, of: name))
                }
            }
        }
        if suspects.count < services.count, settingsAreNew || !suspects.isEmpty {
            for (name, carriage) in services {
                for domain in carriage.clientDomains {
                    if let other = claims[domain], other != name {
                        reasons.insert(conflict(over: domain, between: name, and: other))
                    }
                    if settingsAreNew, !domain.isWildcard, domain.name == hostname {
                        reasons.insert(monitorConflict(over: domain, of: name))
                    }
                }
            }
        }
        for (address, name) in settings.server.defaultServices where services[name] == nil {
            reasons.insert("the default service of \(address) is \(name), which this server does not carry")
        }
        return reasons.sorted()
    }

    private static func monitorConflict(over domain: ClientDomain, of name: ServiceName) -> String {
        "client domain \(domain) of service \(name) is the host name of this server's monitor endpoint"
    }

    private static func conflict(over domain: ClientDomain, between one: ServiceName, and other: ServiceName) -> String
    {
        "client domain \(domain) belongs to both service \(min(one, other)) and service \(max(one, other))"
    }
}

/// What leads from one version of a server's configuration to a later one. An empty one only moves the version.
public struct SnapshotDifference: Sendable, Equatable {
    public let base: SnapshotVersion
    public let version: SnapshotVersion
    /// The new settings, or nil when they stay.
    public let settings: ServerSettings?
    /// The services that are new to the server or carried otherwise than before.
    public let carried: [ServiceName: Carriage]
    /// The services that the server no longer carries.
    public let removed: Set<ServiceName>

    public init(
        base: SnapshotVersion, version: SnapshotVersion, settings: ServerSettings?, carried: [ServiceName: Carriage],
        removed: Set<ServiceName>
    ) {
        self.base = base
        self.version = version
        self.settings = settings
        self.carried = carried
        self.removed = removed
    }
}
