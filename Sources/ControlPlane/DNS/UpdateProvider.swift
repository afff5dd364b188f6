import Domain

/// Changes a zone by dynamic updates (RFC 2136) that are signed (TSIG, RFC 8945).
///
/// One message is one change: its prerequisites say what must be there, and the server makes all of it or nothing. A name's old records go
/// and its new ones come in the same message, so it is never empty.
struct UpdateProvider: DNSProvider {
    let zone: DomainName
    let server: TransportAddress
    let key: DomainLabelName
    let algorithm: UpdateAlgorithm
    let credential: CredentialName
    let credentials: Credentials

    /// For one exchange; ldns waits for as long to connect, and again for the answer.
    private static let timeout = Duration.seconds(3)
    /// Names in one message: each takes some 200 octets, and a message over TCP has room for 65,535.
    private static let mostNames = 200

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        var present: [DomainName: [RecordSet]] = [:]
        for name in names {
            var sets: [RecordSet] = []
            for type in RecordType.allCases {
                let answer = try await translating(isChange: false) {
                    try await LdnsCalls.query(
                        server, name.text, type.rawValue, overTCP: true, timeout: UpdateProvider.timeout)
                }
                guard answer.code == ResponseCode.noError || answer.code == ResponseCode.nameError else {
                    throw failure(answer.code)
                }
                guard answer.isAuthoritative else {
                    throw DNSFailure(
                        kind: .refused, reason: "\(server) is not authoritative for \(zone), so it cannot say what is there")
                }
                if let set = RecordSet(type, answer.records) { sets.append(set) }
            }
            present[name] = sets
        }
        return present
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        var rest = changes[...]
        while !rest.isEmpty {
            let outcome = try await send(Array(rest.prefix(UpdateProvider.mostNames)))
            guard outcome == .done else { return outcome }
            rest = rest.dropFirst(UpdateProvider.mostNames)
        }
        return .done
    }

    /// A change of what is there to what is there: it needs the same key and the same right, and servers that see no difference make no new
    /// serial of it.
    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        try await apply(changes.map { RecordChange(name: $0.name, expected: $0.expected, wanted: $0.expected) })
    }

    private func send(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let secret = try credentials.text(credential)
        let key = LdnsCalls.Key(name: key.text + ".", algorithm: algorithm, secret: secret)
        let lines = UpdateProvider.lines(changes)
        let answer = try await translating(isChange: true) {
            try await LdnsCalls.update(server, zone: zone, key: key, lines: lines, timeout: UpdateProvider.timeout)
        }
        switch answer.code {
        case ResponseCode.noError: return .done
        case ResponseCode.setMissing, ResponseCode.setExists, ResponseCode.nameExists, ResponseCode.nameError:
            return .conflict(present: try await present(changes.map(\.name)))
        default: throw failure(answer.code)
        }
    }

    /// The records of the message, in the form that `LdnsCalls` takes.
    static func lines(_ changes: [RecordChange]) -> [String] {
        var prerequisites: [String] = []
        var updates: [String] = []
        for change in changes {
            for type in RecordType.allCases {
                let expected = change.expected.first { $0.type == type }
                let wanted = change.wanted.first { $0.type == type }
                for value in expected?.values ?? [] {
                    prerequisites.append("= \(change.name). 0 IN \(type.rawValue) \(type.presented(value))")
                }
                if expected == nil { prerequisites.append("! \(change.name). \(type.rawValue)") }
                if expected != nil { updates.append("- \(change.name). \(type.rawValue)") }
                for value in wanted?.values ?? [] {
                    updates.append(
                        "+ \(change.name). \(wanted?.timeToLive ?? 0) IN \(type.rawValue) \(type.presented(value))")
                }
            }
        }
        // A CNAME and other data cannot stand side by side (RFC 2136 section 3.4.2.2): what goes has to go first.
        let (removals, additions) = (updates.filter { $0.hasPrefix("-") }, updates.filter { $0.hasPrefix("+") })
        return prerequisites + removals + additions
    }

    private func translating<Value>(isChange: Bool, _ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let failure as LdnsCalls.NoAnswer {
            switch failure.kind {
            case .notSent: throw DNSFailure(kind: .unreachable, reason: "\(server): \(failure.reason)")
            case .noAnswer:
                throw DNSFailure(kind: .unreachable, reason: "\(server): \(failure.reason)", mayHaveHappened: isChange)
            case .badSignature:
                // ldns may have crashed on less: that the change was made all the same cannot be ruled out.
                throw DNSFailure(
                    kind: .unauthorized, reason: "\(server): key \(key): \(failure.reason)", mayHaveHappened: isChange)
            case .malformed: throw DNSFailure(kind: .refused, reason: failure.reason)
            }
        }
    }

    private func failure(_ code: Int) -> DNSFailure {
        DNSFailure(
            kind: code == ResponseCode.serverFailure ? .unavailable : .refused,
            reason: "\(server) answers \(ResponseCode.name(code)) for zone \(zone)")
    }
}
