import Domain
import FoundationEssentials
import Outgoing

/// A zone that is changed through Amazon Route 53.
///
/// Its condition is the deletion: DELETE is done only if the set stands there to the letter, TTL and all, and a batch
/// is done as a whole or not at all. So a change is the pair of DELETE of what is there and CREATE of what is wanted.
/// What is there is read for its TTL and its spelling; its values have to be those expected. A set that is expected not
/// to be there, and is not wanted, cannot be made a condition: that one is only looked at before.
struct Route53Provider: DNSProvider {
    let zone: DomainName
    let hostedZone: String
    /// Amazon's own address when nil.
    let url: String?
    let credential: CredentialName
    let credentials: Credentials
    let http: ProviderHTTP
    /// The time, for the signature.
    let now: @Sendable () -> Date
    /// For everything that one call of ours asks. Route 53 takes five requests a second of an account, and says
    /// `Throttling` to the rest.
    var limit = Duration.seconds(20)

    /// Of one list, and the most that there can be.
    private static let setsAtOnce = 300
    /// Records in one batch: "no more than 1,000 ResourceRecord elements".
    private static let mostRecords = 1000
    private static let pause = Duration.milliseconds(250)

    typealias Present = [DomainName: [Route53Document.ResourceSet]]

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        try await read(names).mapValues(Route53Provider.recordSets)
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let present = try await read(changes.map(\.name))
        let sets = present.mapValues(Route53Provider.recordSets)
        guard changes.allSatisfy({ (sets[$0.name] ?? []).agrees(with: $0.expected) }) else {
            return .conflict(present: sets)
        }
        for (index, part) in Route53Provider.parts(of: changes).enumerated() {
            let batch = part.flatMap { Route53Provider.replacement($0, of: present[$0.name] ?? []) }
            do {
                guard try await isDone(batch) else {
                    return .conflict(present: try await self.present(changes.map(\.name)))
                }
            } catch var failure as DNSFailure {
                failure.mayHaveHappened = failure.mayHaveHappened || index > 0
                throw failure
            }
        }
        return .done
    }

    /// Reads, and then asks for a batch that is certain to be refused: it deletes, beside creating what is there,
    /// records that nobody has. Whether the credential may make changes is looked at before that, with the names, types
    /// and actions that a policy may name.
    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        let present = try await present(changes.map(\.name))
        guard changes.allSatisfy({ (present[$0.name] ?? []).agrees(with: $0.expected) }) else {
            return .conflict(present: present)
        }
        for part in Route53Provider.parts(of: changes) {
            let batch = part.flatMap(Route53Provider.impossibility)
            guard try await !isDone(batch) else {
                throw DNSFailure(
                    kind: .refused,
                    reason: "\(place) deletes records that are not there; expected a Route 53 that keeps its conditions"
                )
            }
        }
        return .done
    }

    private static func recordSets(_ sets: [Route53Document.ResourceSet]) -> [RecordSet] {
        sets.compactMap(\.recordSet).sorted { $0.type < $1.type }
    }

    private static func replacement(
        _ change: RecordChange, of present: [Route53Document.ResourceSet]
    ) -> [Route53Document.Change] {
        let old = present.filter { $0.recordSet != nil }.map { Route53Document.Change(action: .delete, set: $0) }
        let new = change.wanted.map { Route53Document.Change(action: .create, set: $0.resourceSet(of: change.name)) }
        return old + new
    }

    private static func impossibility(_ change: RecordChange) -> [Route53Document.Change] {
        let types = Set((change.expected + change.wanted).map(\.type)).sorted()
        let old = types.map { type in
            let nobodys = RecordSet(type, timeToLive: 1, values: [type.valueOfNobody])
            return Route53Document.Change(action: .delete, set: nobodys.resourceSet(of: change.name))
        }
        let new = change.expected.map { Route53Document.Change(action: .create, set: $0.resourceSet(of: change.name)) }
        return old + new
    }

    /// The changes as batches, each within the size of one. Each is atomic, all together are not.
    static func parts(of changes: [RecordChange]) -> [[RecordChange]] {
        var parts: [[RecordChange]] = []
        var room = 0
        for change in changes {
            let records = (change.expected + change.wanted).reduce(2) { $0 + $1.values.count }
            if parts.isEmpty || records > room {
                parts.append([])
                room = mostRecords
            }
            parts[parts.count - 1].append(change)
            room -= records
        }
        return parts
    }

    // MARK: Asking

    /// Lists from one name on, so that names which stand near each other come in one answer.
    ///
    /// Nothing is concluded from the order of a list but that the sets of one name stand together: in which order Route
    /// 53 puts names with a hyphen or an underscore is not documented.
    private func read(_ names: [DomainName]) async throws -> Present {
        var present: Present = [:]
        let end = ContinuousClock.now + limit
        let order = { (name: DomainName) in name.labels.reversed().joined(separator: ".") }
        for name in Set(names).sorted(by: { order($0) < order($1) }) where present[name] == nil {
            let page = try await list(from: name, until: end)
            let found = Dictionary(grouping: page.sets, by: \.name)
            present[name] = found[name.text] ?? []
            for other in names where present[other] == nil && other.text != page.next {
                present[other] = found[other.text]
            }
        }
        return present
    }

    private func list(from name: DomainName, until end: ContinuousClock.Instant) async throws -> Route53Document.Page {
        let answer = try await call(
            "GET", query: [("maxitems", "\(Route53Provider.setsAtOnce)"), ("name", "\(name.text).")], until: end)
        guard answer.status == 200 else { throw failure(answer) }
        do {
            return try Route53Document.page(answer.body)
        } catch {
            throw DNSFailure(kind: .unavailable, reason: "\(place) answers what is no list of record sets: \(error)")
        }
    }

    /// Whether a batch was made; if not, something in it does not stand there.
    private func isDone(_ batch: [Route53Document.Change]) async throws -> Bool {
        let answer = try await call(
            "POST", body: Array(Route53Document.batch(batch).utf8), until: ContinuousClock.now + limit)
        guard !(200..<300).contains(answer.status) else { return true }
        guard Route53Document.error(answer.body)?.code != "InvalidChangeBatch" else { return false }
        var failure = failure(answer)
        failure.mayHaveHappened = answer.status >= 500
        throw failure
    }

    /// Asks again for as long as there is time while too much is asked; nothing has been done then.
    private func call(
        _ method: String, query: [(String, String)] = [], body: [UInt8] = [], until end: ContinuousClock.Instant
    ) async throws -> OutgoingAnswer {
        while true {
            let answer = try await http.send(try request(method, query, body), isChange: method == "POST", until: end)
            let isThrottled =
                answer.status == 400 && Route53Document.error(answer.body)?.code.hasPrefix("Throttling") == true
            guard isThrottled, ContinuousClock.now + Route53Provider.pause < end else { return answer }
            try await Task.sleep(for: Route53Provider.pause)
        }
    }

    private var place: String { url ?? "https://route53.amazonaws.com" }

    private func request(_ method: String, _ query: [(String, String)], _ body: [UInt8]) throws -> OutgoingRequest {
        let words = try credentials.secret(credential).split(whereSeparator: \.isWhitespace)
        guard words.count == 2 else {
            throw DNSFailure(
                kind: .unauthorized,
                reason:
                    "the credential \(credential) has \(words.count) words; expected the access key's ID and its secret, on two lines"
            )
        }
        guard let base = URL(string: place), let name = base.host() else {
            throw DNSFailure(kind: .refused, reason: "'\(place)' is no address of a service; expected https://host")
        }
        let host = base.port.map { "\(name):\($0)" } ?? name
        let path = "/2013-04-01/hostedzone/\(hostedZone)/rrset"
        var headers = [("Host", host)]
        if !body.isEmpty { headers.append(("Content-Type", "application/xml")) }
        let signed = RequestSigner.Request(method: method, path: path, query: query, headers: headers, body: body)
        // Route 53 is one service for the whole world, and signs as if it stood here.
        let signer = RequestSigner(
            accessKey: String(words[0]), secret: String(words[1]), region: "us-east-1", service: "route53")
        let text = query.map { "\($0.percentEncoded)=\($1.percentEncoded)" }.joined(separator: "&")
        var request = OutgoingRequest(
            method, "\(base.scheme ?? "https")://\(host)\(path)\(text.isEmpty ? "" : "?\(text)")", body: body)
        for (name, value) in headers + signer.headers(for: signed, at: now()) { request.add(name, value) }
        return request
    }

    private func failure(_ answer: OutgoingAnswer) -> DNSFailure {
        let (code, words) = Route53Document.error(answer.body) ?? ("", "")
        let said = "\(place) answers \(answer.status) \(code)\(words.isEmpty ? "" : ": \(words)")"
        switch (answer.status, code) {
        case (401, _), (403, _):
            return DNSFailure(
                kind: .unauthorized,
                reason:
                    "\(said); expected that the key of credential \(credential) may list and change the hosted zone \(hostedZone), and "
                    + "that this machine's clock is right")
        case (500..., _), (_, "PriorRequestNotComplete"), (_, "ServiceUnavailable"), (_, "LimitsExceeded"):
            return DNSFailure(kind: .unavailable, reason: said)
        case (_, let code) where code.hasPrefix("Throttling"): return DNSFailure(kind: .unavailable, reason: said)
        default: return DNSFailure(kind: .refused, reason: said)
        }
    }
}
