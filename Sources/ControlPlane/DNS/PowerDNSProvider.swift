import Domain
import JSON
import Outgoing

/// A zone that is changed through the HTTP API of PowerDNS (version 1).
///
/// **Its API has no condition**: there is no ETag, and a PATCH is done whatever is there. So we read, compare and
/// write, and whoever writes the same name in the milliseconds between is overwritten. What can be done is to notice
/// it: the zone's serial moves with each change, so if it has moved by more than ours, somebody else wrote at the same
/// moment. That is said as a failure that may have happened, so that the caller looks at what is there. Where no
/// foreign write may ever be lost, let PowerDNS take dynamic updates (`dnsupdate=yes`) and use those.
struct PowerDNSProvider: DNSProvider {
    let zone: DomainName
    /// Such as `http://192.0.2.53:8081`.
    let url: String
    /// The server's ID; of the authoritative server it is `localhost`.
    let server: String
    let credential: CredentialName
    let credentials: Credentials
    let http: ProviderHTTP
    /// For reading all that a change is about.
    var limit = Duration.seconds(15)

    /// Questions under way at a time.
    private static let atOnce = 8

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        try await read(names).sets
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let names = changes.map(\.name)
        let before = try await read(names)
        guard changes.allSatisfy({ before.agrees(with: $0.name, $0.expected) }) else {
            return .conflict(present: before.sets)
        }
        var request = try request(.PATCH, "")
        request.add("Content-Type", "application/json")
        request.body = Array(PowerDNSDocument.patch(changes).description.utf8)
        let answer = try await http.send(request, isChange: true)
        guard (200..<300).contains(answer.status) else { throw failure(answer, isChange: true) }
        try await checkNobodyElse(changes, before)
        return .done
    }

    /// Who knows the API key may change everything, so reading with it proves it.
    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let present = try await read(changes.map(\.name))
        guard changes.allSatisfy({ present.agrees(with: $0.name, $0.expected) }) else {
            return .conflict(present: present.sets)
        }
        return .done
    }

    // MARK: -

    /// The change is made. What follows is whether it was alone.
    private func checkNobodyElse(_ changes: [RecordChange], _ before: PowerDNSDocument.State) async throws {
        let after: PowerDNSDocument.State
        do {
            after = try await read(changes.map(\.name))
        } catch let failure as DNSFailure {
            throw DNSFailure(
                kind: failure.kind, reason: "the change is written, and cannot be read back: \(failure.reason)",
                mayHaveHappened: true)
        }
        let isThere = changes.allSatisfy { after.agrees(with: $0.name, $0.wanted) }
        guard !isThere || !before.isFollowed(by: after) else { return }
        throw DNSFailure(
            kind: .unavailable,
            reason:
                "somebody else changed zone \(zone) at the same moment (its serial went from \(before.serial) to \(after.serial)); "
                + "what they wrote to our names, if anything, is overwritten",
            mayHaveHappened: true)
    }

    /// One question for each name, at one serial.
    private func read(_ names: [DomainName]) async throws -> PowerDNSDocument.State {
        let end = ContinuousClock.now + limit
        var serials: Set<Int> = []
        // A zone that is written all the time cannot be seen at one moment; then a serial that is too old makes us
        // careful later on.
        for attempt in 0..<3 {
            var state: PowerDNSDocument.State?
            serials = []
            try await withThrowingTaskGroup(of: PowerDNSDocument.State.self) { group in
                var waiting = names[...]
                for name in waiting.prefix(PowerDNSProvider.atOnce) {
                    group.addTask { try await read(name, until: end) }
                }
                waiting = waiting.dropFirst(PowerDNSProvider.atOnce)
                while let found = try await group.next() {
                    if let name = waiting.popFirst() { group.addTask { try await read(name, until: end) } }
                    serials.insert(found.serial)
                    state = state.map { $0.joined(with: found) } ?? found
                }
            }
            if let state, serials.count == 1 || attempt == 2 { return state }
        }
        return PowerDNSDocument.State(serial: 0, edit: nil, sets: [:])
    }

    private func read(_ name: DomainName, until end: ContinuousClock.Instant) async throws -> PowerDNSDocument.State {
        let answer = try await http.send(try request(.GET, "?rrset_name=\(name)."), until: end)
        guard answer.status == 200 else { throw failure(answer, isChange: false) }
        do {
            return try PowerDNSDocument.state(answer.body, of: name)
        } catch {
            throw DNSFailure(kind: .unavailable, reason: "\(url) answers what is no zone of PowerDNS: \(error)")
        }
    }

    private func request(_ method: HTTPMethodName, _ query: String) throws -> OutgoingRequest {
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        var request = OutgoingRequest(
            method.rawValue, "\(base)/api/v1/servers/\(server.percentEncoded)/zones/\(zone).\(query)")
        request.add("X-API-Key", try key())
        request.add("Accept", "application/json")
        return request
    }

    private func key() throws -> String {
        let key = try credentials.secret(credential)
        // The HTTP client shows a value that cannot be a header field in its error. This value is a secret.
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw DNSFailure(
                kind: .unauthorized,
                reason: "the credential \(credential) is not one word of ASCII; expected PowerDNS's api-key")
        }
        return key
    }

    private enum HTTPMethodName: String { case GET, PATCH }

    private func failure(_ answer: OutgoingAnswer, isChange: Bool) -> DNSFailure {
        let words = PowerDNSDocument.error(answer.body).map { ": \($0)" } ?? ""
        let said = "\(url) answers \(answer.status)\(words)"
        switch answer.status {
        case 401, 403:
            return DNSFailure(
                kind: .unauthorized,
                reason:
                    "\(url) does not accept the API key of credential \(credential) (\(answer.status)); expected its api-key"
            )
        case 404:
            return DNSFailure(
                kind: .refused, reason: "\(said); expected that zone \(zone) is there, on the server '\(server)'")
        case 429: return DNSFailure(kind: .unavailable, reason: said)
        case 500...: return DNSFailure(kind: .unavailable, reason: said, mayHaveHappened: isChange)
        default: return DNSFailure(kind: .refused, reason: said)
        }
    }
}
