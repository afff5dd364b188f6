import Domain
import FoundationEssentials

/// A zone that is changed by dynamic updates (RFC 2136) signed with TSIG: BIND, Knot, PowerDNS and many others take
/// them.
///
/// The condition is part of the message, so between looking and writing there is no moment for anybody else. Everything
/// goes over TCP: what is sent twice over UDP may be done twice, and a second answer then says that the condition does
/// not hold any more.
struct UpdateProvider: DNSProvider {
    let zone: DomainName
    let server: TransportAddress
    let keyName: DomainLabelName
    let algorithm: UpdateAlgorithm
    let credential: CredentialName
    let credentials: Credentials
    /// For one conversation with the server: from the connection to the last answer.
    var limit = Duration.seconds(5)
    var transport = DNSTransport()

    /// Names that are asked about on one connection, each by two queries.
    private static let namesAtOnce = 500
    /// Somebody may change a name between its two queries. Not several times in a row.
    private static let attempts = 3
    /// What stands beside a CNAME nowhere, and beside addresses often. ANY tells of others, where a server answers it
    /// in full.
    private static let otherTypes = ["ANY", "TXT", "MX", "CAA", "SRV", "HTTPS", "SVCB", "NS", "TLSA", "NAPTR", "LOC"]

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        let key = try key()
        var present: [DomainName: [RecordSet]] = [:]
        var waiting = names[...]
        while !waiting.isEmpty {
            let some = Array(waiting.prefix(UpdateProvider.namesAtOnce))
            waiting = waiting.dropFirst(some.count)
            var open = some
            for _ in 0..<UpdateProvider.attempts where !open.isEmpty {
                let found = try await look(open, key)
                open = []
                for (name, sets) in found {
                    present[name] = sets
                    if sets.count > 1, sets.contains(where: { $0.type == .cname }) { open.append(name) }
                }
            }
            if let name = open.first {
                throw unavailable("\(server) gives addresses for \(name) and a CNAME, in turns")
            }
        }
        return present
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let key = try key()
        try await checkSolitude(of: changes, key)
        let parts = UpdateMessage.parts(of: changes)
        if parts.count > 1 {
            // Each is atomic, and all together are not: what can be known of the later ones is asked before the first
            // is made.
            let outcome = try await rehearse(changes)
            guard outcome == .done else { return outcome }
        }
        for (index, part) in parts.enumerated() {
            do {
                guard try await isDone(UpdateMessage(making: part), key, isChange: true) else {
                    return .conflict(present: try await present(changes.map(\.name)))
                }
            } catch var failure as DNSFailure {
                failure.mayHaveHappened = failure.mayHaveHappened || index > 0
                throw failure
            }
        }
        return .done
    }

    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let key = try key()
        for part in UpdateMessage.parts(of: changes) {
            guard try await isDone(UpdateMessage(rehearsing: part), key, isChange: false) else {
                return .conflict(present: try await present(changes.map(\.name)))
            }
        }
        return .done
    }

    // MARK: Asking

    /// Asks for A and AAAA only: where a CNAME is, it answers both.
    private func look(_ names: [DomainName], _ key: TSIGKey) async throws -> [DomainName: [RecordSet]] {
        let questions = names.flatMap { name in ["A", "AAAA"].map { (name, $0) } }
        var found: [DomainName: [RecordSet]] = [:]
        for (question, answer) in zip(questions, try await ask(questions, key)) {
            let known = found[question.0] ?? []
            found[question.0] = known + answer.sets(of: question.0).filter { !known.contains($0) }
        }
        return found
    }

    private func ask(_ questions: [(name: DomainName, type: String)], _ key: TSIGKey) async throws -> [DNSAnswer] {
        let first = UInt16.random(in: .min ... .max)
        let messages = try message {
            try questions.enumerated().map { place, question in
                try LdnsCalls.query(
                    first &+ UInt16(truncatingIfNeeded: place), question.name.text, question.type, key: key)
            }
        }
        let answers = try await converse(messages, isChange: false)
        return try zip(messages, answers).map { request, octets in
            let answer = try read(octets, to: request, key, isChange: false)
            guard [.noError, .noName].contains(answer.code) else { throw failure(answer.code) }
            guard answer.isAuthoritative else {
                throw DNSFailure(
                    kind: .refused,
                    reason: "\(server) is not authoritative for zone \(zone); expected the primary's address")
            }
            return answer
        }
    }

    /// A CNAME that is added beside other records is left out by the server without a word (RFC 2136 section 3.4.2.2),
    /// and the deletions before it are done: the name would be empty. No prerequisite can say "nothing else", so we
    /// look first. It matters only to a name that changes from addresses to a CNAME; where a CNAME is, nothing else can
    /// be.
    private func checkSolitude(of changes: [RecordChange], _ key: TSIGKey) async throws {
        let hasAlias = { (sets: [RecordSet]) in sets.contains { $0.type == .cname } }
        for change in changes where hasAlias(change.wanted) && !hasAlias(change.expected) {
            let answers = try await ask(UpdateProvider.otherTypes.map { (change.name, $0) }, key)
            let own = RecordType.allCases.map(\.rawValue)
            // Signatures and proofs of a signed zone come and go with what they sign.
            let others = answers.flatMap(\.records).filter {
                $0.name == change.name.text && !own.contains($0.type) && !["RRSIG", "NSEC", "NSEC3"].contains($0.type)
            }
            guard let other = others.first else { continue }
            throw DNSFailure(
                kind: .refused,
                reason:
                    "\(change.name) has a record of type \(other.type), and a CNAME stands alone (RFC 1034 section 3.6.2)"
            )
        }
    }

    // MARK: Changing

    /// Whether an update was made; if not, what it expects is not there.
    private func isDone(_ update: UpdateMessage, _ key: TSIGKey, isChange: Bool) async throws -> Bool {
        let message = try message {
            try LdnsCalls.update(
                .random(in: .min ... .max), zone: zone, prerequisites: update.prerequisites, changes: update.changes,
                key: key)
        }
        guard let octets = try await converse([message], isChange: isChange).first else { return false }
        let answer = try read(octets, to: message, key, isChange: isChange)
        switch answer.code {
        case .noError: return true
        case .recordsMissing, .recordsExist, .noName, .nameExists: return false
        default:
            var failure = failure(answer.code)
            // A server that passes updates on says so, too, when it has lost sight of one.
            failure.mayHaveHappened = isChange && answer.code == .serverFailure
            throw failure
        }
    }

    // MARK: One conversation

    private func converse(_ messages: [[UInt8]], isChange: Bool) async throws -> [[UInt8]] {
        do {
            return try await transport.exchange(messages, with: server, over: .tcp, within: limit)
        } catch let failure as DNSTransport.Failure {
            throw DNSFailure(
                kind: .unreachable, reason: failure.reason, mayHaveHappened: isChange && failure.wasSent)
        }
    }

    private func message<Message>(_ make: () throws -> Message) throws -> Message {
        do {
            return try make()
        } catch let failure as LdnsCalls.Failure {
            throw DNSFailure(kind: .refused, reason: "ldns makes no message of this: \(failure)")
        }
    }

    /// Reads an answer, of which nothing is believed that is not signed with our key.
    private func read(_ octets: [UInt8], to request: [UInt8], _ key: TSIGKey, isChange: Bool) throws -> DNSAnswer {
        let answer: DNSAnswer
        do {
            answer = try LdnsCalls.read(octets, to: request, key: key)
        } catch {
            throw DNSFailure(
                kind: .unavailable, reason: "\(server) gives an answer that cannot be read: \(error)",
                mayHaveHappened: isChange)
        }
        let words: String
        switch answer.signature {
        case .good: return answer
        // A refusal needs no signature: an attacker who can forge it could as well drop our request.
        case .none where answer.code != .noError && !answer.code.isCondition: return answer
        case .none: words = "its answer is not signed"
        case .bad: words = "its answer is signed with another key"
        case .error(16): words = "the key is another one there (BADSIG)"
        case .error(17): words = "it does not know the key, or does not let it do this (BADKEY)"
        case .error(18): words = "the clocks are more than five minutes apart (BADTIME)"
        case .error(let number): words = "TSIG error \(number)"
        }
        // A TSIG error says that nothing was done. Anything else is from we know not whom.
        let isKnown = if case .error = answer.signature { true } else { false }
        throw DNSFailure(
            kind: .unauthorized,
            reason:
                "\(server) does not accept the key \(keyName) (\(algorithm.rawValue)) of credential \(credential), or is not who it should be: \(words)",
            mayHaveHappened: isChange && !isKnown)
    }

    private func failure(_ code: ResponseCode) -> DNSFailure {
        switch code {
        case .serverFailure: unavailable("\(server) has a failure of its own (\(code))")
        case .refused:
            DNSFailure(
                kind: .refused,
                reason:
                    "\(server) refuses (\(code)); expected that the key \(keyName) may change and read these names of zone \(zone)"
            )
        case .notAuthoritative:
            DNSFailure(
                kind: .refused,
                reason: "\(server) is not the primary of zone \(zone) (\(code)); expected the primary's address")
        case .notInZone:
            DNSFailure(kind: .refused, reason: "\(server) says that a name is not within zone \(zone) (\(code))")
        default: DNSFailure(kind: .refused, reason: "\(server) answers \(code)")
        }
    }

    private func unavailable(_ reason: String) -> DNSFailure { DNSFailure(kind: .unavailable, reason: reason) }

    private func key() throws -> TSIGKey {
        let secret = try credentials.secret(credential)
        guard Data(base64Encoded: secret) != nil else {
            throw DNSFailure(
                kind: .unauthorized,
                reason: "the credential \(credential) is no base 64; expected the secret of the key \(keyName)")
        }
        return TSIGKey(name: keyName.text, algorithm: algorithm, secret: secret)
    }
}

extension ResponseCode {
    /// Whether it tells that a prerequisite does not hold.
    fileprivate var isCondition: Bool { [.noName, .nameExists, .recordsExist, .recordsMissing].contains(self) }
}
