import Domain
import JSON

extension Limit {
    /// What a document says for no limit; null is for the standard one.
    static let unlimitedWord = "unlimited"

    var document: JSONValue {
        self == .unlimited ? .string(Limit.unlimitedWord) : .whole(number.map { Int($0) })
    }
}

extension ServiceLimits {
    var document: JSONValue {
        [
            "connections": connections.document, "newConnectionsPerSecond": newConnections.document,
            "clientConnections": clientConnections.document,
            "newClientConnectionsPerSecond": newClientConnections.document,
            "minimumBytesPerSecond": .whole(minimumRate.map { Int($0) }),
        ]
    }

    /// Reads the member `limits` of a service. The standard ones when there is none; nil with findings.
    static func read(_ service: inout ObjectReader) -> ServiceLimits? {
        guard let value = service.value("limits", required: false, expected: LimitsExpectation.object), value != .null
        else { return .standard }
        let findings = service.findings
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: service.pointer(to: "limits"), findings) else { return nil }
        let connections = reader.limit("connections")
        let newConnections = reader.limit("newConnectionsPerSecond")
        let clientConnections = reader.limit("clientConnections")
        let newClientConnections = reader.limit("newClientConnectionsPerSecond")
        let minimumRate = reader.minimumRate("minimumBytesPerSecond")
        reader.finish()
        guard findings.all.count == earlier else { return nil }
        do {
            return try ServiceLimits(
                connections: connections, newConnections: newConnections, clientConnections: clientConnections,
                newClientConnections: newClientConnections, minimumRate: minimumRate)
        } catch {
            findings.add(reader.pointer, error)
            return nil
        }
    }
}

extension ServerLimits {
    var document: JSONValue {
        [
            "clientConnections": clientConnections.document,
            "newClientConnectionsPerSecond": newClientConnections.document,
            "clientOpenings": clientOpenings.document,
            "minimumBytesPerSecond": .whole(minimumRate.map { Int($0) }),
        ]
    }

    /// Reads the member `limits` of a server. The standard ones when there is none; nil with findings.
    static func read(_ server: inout ObjectReader) -> ServerLimits? {
        guard let value = server.value("limits", required: false, expected: LimitsExpectation.object), value != .null
        else { return .standard }
        let findings = server.findings
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: server.pointer(to: "limits"), findings) else { return nil }
        let clientConnections = reader.limit("clientConnections")
        let newClientConnections = reader.limit("newClientConnectionsPerSecond")
        let clientOpenings = reader.limit("clientOpenings")
        let minimumRate = reader.minimumRate("minimumBytesPerSecond")
        reader.finish()
        guard findings.all.count == earlier else { return nil }
        do {
            return try ServerLimits(
                clientConnections: clientConnections, newClientConnections: newClientConnections,
                clientOpenings: clientOpenings, minimumRate: minimumRate)
        } catch {
            findings.add(reader.pointer, error)
            return nil
        }
    }
}

extension FlowLog {
    var document: JSONValue {
        ["oneIn": .whole(oneIn.map { Int($0) }), "intervalSeconds": .whole(interval.map { Int($0) })]
    }

    /// Reads the member `flowLog` of a service or a server. Nothing said when there is none; nil with findings.
    static func read(_ owner: inout ObjectReader) -> FlowLog? {
        guard let value = owner.value("flowLog", required: false, expected: "an object with oneIn, or null"),
            value != .null
        else { return .standard }
        let findings = owner.findings
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: owner.pointer(to: "flowLog"), findings) else { return nil }
        let oneIn = reader.number(
            "oneIn", in: FlowLog.samples, expected: "a whole number from 1 to 1000000, 0 for no flow, or null")
        let interval = reader.number(
            "intervalSeconds", in: FlowLog.intervals, expected: "a whole number of seconds from 0 to 86400, or null")
        reader.finish()
        guard findings.all.count == earlier else { return nil }
        do {
            return try FlowLog(oneIn: oneIn, interval: interval)
        } catch {
            findings.add(reader.pointer, error)
            return nil
        }
    }
}

extension ClientAccess {
    /// Reads the members `allow` and `deny` of a service. Open when there are none; nil with findings.
    static func read(_ service: inout ObjectReader) -> ClientAccess? {
        let findings = service.findings
        let earlier = findings.all.count
        let allow = prefixes(&service, "allow")
        let deny = prefixes(&service, "deny")
        guard findings.all.count == earlier else { return nil }
        do {
            return try ClientAccess(allow: allow, deny: deny)
        } catch {
            findings.add("", error)
            return nil
        }
    }

    private static func prefixes(_ service: inout ObjectReader, _ key: String) -> [Prefix] {
        let read = service.texts(
            key, required: false, count: 0...ClientAccess.mostPrefixes, expected: "prefixes such as 10.0.0.0/8"
        ) { text throws(InvalidValue) in try Prefix(text) }
        var seen: Set<Prefix> = []
        for (index, prefix) in (read ?? []).enumerated() {
            guard let prefix, !seen.insert(prefix).inserted else { continue }
            service.findings.add(
                .invalid(
                    "\(service.pointer(to: key))/\(index)", "'\(prefix)' is named twice; expected each prefix once."))
        }
        return (read ?? []).compactMap { $0 }
    }
}

private enum LimitsExpectation {
    static let object = "an object, or null"
}

extension ObjectReader {
    /// A limit: a number, `unlimited`, or the standard one when the member is absent or null; that too, with a finding,
    /// when it is anything else.
    fileprivate mutating func limit(_ key: String) -> Limit {
        let expected = "a whole number from 1 to 1000000000, '\(Limit.unlimitedWord)', or null"
        guard let value = value(key, required: false, expected: expected), value != .null else { return .standard }
        switch value {
        case .string(Limit.unlimitedWord): return .unlimited
        case .string(let text):
            findings.add(pointer(to: key), InvalidValue(text, "is no limit", expected: expected))
        case .integer(let number):
            // What is wrong with it is said below, with the word for no limit.
            if let limit = try? Limit(number) { return limit }
            findings.add(pointer(to: key), InvalidValue(String(number), "is out of range", expected: expected))
        default: mistyped(value, at: pointer(to: key), expected: expected)
        }
        return .standard
    }

    fileprivate mutating func minimumRate(_ key: String) -> UInt32? {
        number(
            key, in: MinimumRate.numbers,
            expected: "a whole number of bytes a second from 1 to 1000000, 0 for none, or null")
    }

    /// A number in `range`, or nil when the member is absent or null, and with a finding when it is anything else.
    fileprivate mutating func number(_ key: String, in range: ClosedRange<UInt32>, expected: String) -> UInt32? {
        integer(key, default: nil, in: Int(range.lowerBound)...Int(range.upperBound), expected: expected)
            .map { UInt32(clamping: $0) }
    }
}
