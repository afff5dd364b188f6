public import Domain

/// What a `WireSnapshot` brings, found valid: a whole configuration, or what leads to it.
public enum SnapshotContent: Sendable, Equatable {
    case whole(Snapshot)
    /// `digest` is that of the whole that results.
    case difference(SnapshotDifference, digest: Digest, incarnation: Incarnation)

    public var version: SnapshotVersion {
        switch self {
        case .whole(let snapshot): snapshot.version
        case .difference(let difference, _, _): difference.version
        }
    }

    public var incarnation: Incarnation {
        switch self {
        case .whole(let snapshot): snapshot.incarnation
        case .difference(_, _, let incarnation): incarnation
        }
    }

    /// Reads a message, and throws every reason why it makes no valid content: each value, the consistency of the
    /// whole, and its digest.
    public init(_ message: WireSnapshot) throws(InvalidMessage) {
        var collector = ReasonCollector()
        let incarnation = Incarnation(message.incarnation)
        let version = SnapshotVersion(message.version)
        let digest = Digest(octets: message.digest)
        if digest == nil { collector.add("digest: is \(message.digest.count) octets long; expected 16") }
        let settings = message.hasSettings ? message.settings.decoded(&collector) : nil
        let services = message.decodedServices(&collector)
        let removed = message.decodedRemovals(of: services, &collector)
        if !message.hasBase {
            if !message.hasSettings { collector.add("settings: are missing; expected them in a whole snapshot") }
            if !message.removed.isEmpty { collector.add("removed: names services; expected none in a whole snapshot") }
        }
        try collector.check()
        // Without a reason there is nothing missing; the compiler does not know that.
        guard let digest else { throw InvalidMessage(reasons: ["digest: is missing"]) }
        if message.hasBase {
            let difference = SnapshotDifference(
                base: SnapshotVersion(message.base), version: version, settings: settings, carried: services,
                removed: removed)
            self = .difference(difference, digest: digest, incarnation: incarnation)
            return
        }
        guard let settings else { throw InvalidMessage(reasons: ["settings: are missing"]) }
        let snapshot: Snapshot
        do {
            snapshot = try Snapshot(incarnation: incarnation, version: version, settings: settings, services: services)
        } catch {
            throw InvalidMessage(error)
        }
        try snapshot.check(digest)
        self = .whole(snapshot)
    }

    /// The configuration that this content makes of `current`, which is nil when the data plane has none yet.
    ///
    /// Throws every reason against it: another store's incarnation, an older version, an inconsistent whole, a digest
    /// that does not come out (invariants 2 and 3).
    public func applied(to current: Snapshot?) throws(InvalidMessage) -> Snapshot {
        if let current, current.incarnation != incarnation {
            throw InvalidMessage(reasons: [
                "version \(version) is of store \(incarnation), but this server's configuration is of store \(current.incarnation)"
            ])
        }
        switch self {
        case .whole(let snapshot):
            if let current, version < current.version {
                throw InvalidMessage(reasons: [
                    "version \(version) is older than \(current.version), which this server has"
                ])
            }
            return snapshot
        case .difference(let difference, let digest, _):
            guard let current else {
                throw InvalidMessage(reasons: [
                    "a difference from version \(difference.base), but this server has no configuration"
                ])
            }
            let snapshot: Snapshot
            do {
                snapshot = try current.applying(difference)
            } catch {
                throw InvalidMessage(error)
            }
            try snapshot.check(digest)
            return snapshot
        }
    }
}

extension Snapshot {
    fileprivate func check(_ expected: Digest) throws(InvalidMessage) {
        guard digest == expected else {
            throw InvalidMessage(reasons: ["version \(version) has the digest \(digest), but \(expected) was announced"]
            )
        }
    }
}

extension WireSnapshot {
    /// The message that brings everything.
    public init(_ snapshot: Snapshot) {
        self.init()
        incarnation = snapshot.incarnation.number
        version = snapshot.version.number
        digest = snapshot.digest.octets
        settings = WireSettings(snapshot.settings)
        services = snapshot.services.map { WireService($0.key, $0.value) }
    }

    /// The message that brings a difference; `digest` is that of the whole that results.
    public init(_ difference: SnapshotDifference, digest: Digest, incarnation: Incarnation) {
        self.init()
        self.incarnation = incarnation.number
        version = difference.version.number
        base = difference.base.number
        self.digest = digest.octets
        if let settings = difference.settings { self.settings = WireSettings(settings) }
        services = difference.carried.map { WireService($0.key, $0.value) }
        removed = difference.removed.map(\.text)
    }

    fileprivate func decodedServices(_ collector: inout ReasonCollector) -> [ServiceName: Carriage] {
        var carried: [ServiceName: Carriage] = [:]
        carried.reserveCapacity(services.count)
        for message in services {
            guard let (name, carriage) = message.decoded(&collector) else { continue }
            if carried.updateValue(carriage, forKey: name) != nil { collector.add("service \(name): is there twice") }
        }
        return carried
    }

    fileprivate func decodedRemovals(
        of carried: [ServiceName: Carriage], _ collector: inout ReasonCollector
    ) -> Set<ServiceName> {
        var names: Set<ServiceName> = []
        for text in removed {
            guard
                let name = collector.value(of: "removed service", { () throws(InvalidValue) in try ServiceName(text) })
            else { continue }
            if !names.insert(name).inserted { collector.add("service \(name): is removed twice") }
            if carried[name] != nil { collector.add("service \(name): is both carried and removed") }
        }
        return names
    }
}
