import Channel
import Crypto
import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// How every change goes: into the store, into the audit trail when refused, to the servers, and back as an answer.
extension ControlAPI {
    /// What a change may be asked for besides itself.
    struct ChangeOptions {
        let dryRun: Bool
        /// How long to wait for the servers; nil for not at all.
        let wait: Duration?

        init(_ request: APIRequest) throws(Problem) {
            switch request.query["dry_run"] {
            case nil, "false": dryRun = false
            case "true": dryRun = true
            case .some(let text):
                throw Problem(.invalidParameter, "dry_run is '\(text.prefix(80))'; expected true or false.")
            }
            var timeout = 10.0
            if let text = request.query["timeout"] {
                guard let number = Double(text), (0.1...60).contains(number) else {
                    throw Problem(
                        .invalidParameter, "timeout is '\(text.prefix(80))'; expected seconds from 0.1 to 60.")
                }
                timeout = number
            }
            switch request.query["wait"] {
            case nil: wait = nil
            case "applied": wait = .seconds(timeout)
            case .some(let text): throw Problem(.invalidParameter, "wait is '\(text.prefix(80))'; expected 'applied'.")
            }
        }
    }

    /// Runs a change, and enters it into the audit trail when it is refused by a rule.
    func perform(_ request: ChangeRequest, _ change: (ChangeRequest) async throws -> ChangeOutcome) async throws
        -> ChangeOutcome
    {
        do {
            return try await change(request)
        } catch {
            guard !request.dryRun else { throw error }
            switch error {
            case let rejection as Rejection:
                await enterRefusal(request, rejection.violations.map(\.sentence).joined(separator: " "))
            case ChangeRefusal.stale(let current):
                await enterRefusal(request, "The request was made for another revision than \(current).")
            default: break
            }
            throw error
        }
    }

    func enterRefusal(_ request: ChangeRequest, _ detail: String) async {
        do {
            try await store.enter(request, done: false, detail: detail)
        } catch {
            // The refusal stands whether or not it can be written down.
            logger.error("A refused attempt could not be entered into the audit trail", metadata: ["cause": "\(error)"])
        }
    }

    /// The answer to a change of one resource.
    func answer(_ outcome: ChangeOutcome, _ options: ChangeOptions, created: String? = nil) async throws -> Response {
        var body: JSONObject
        let version: SnapshotVersion
        var headers = HTTPFields()
        var edits: [Change.Edit] = []
        switch outcome {
        case .dryRun(let edits):
            return .json(["dryRun": true, "changes": .array(edits.map { DocumentChange($0).representation })])
        case .repeated(let earlier, let text):
            version = earlier
            headers[.idempotencyReplayed] = "true"
            body = try JSONValue(stored: text).object ?? JSONObject()
            edits = try await store.changes(of: version)
        case .done(let made, let record, let done):
            version = made
            edits = done
            body = await representation(record)
        case .unchanged(let current, let record):
            version = current
            body = await representation(record)
            if let record { edits = store.state.asEdits(record) }
        }
        headers[.ddirectVersion] = String(version.number)
        if case .integer(let revision)? = body["revision"] {
            headers[.eTag] = Conditions.tag(SnapshotVersion(UInt64(revision)))
        }
        if let created, case .string(let name)? = body["name"] { headers[.location] = "\(created)/\(name)" }
        if let wait = options.wait {
            body["applied"] = await applied(version, by: Self.servers(of: edits), timeout: wait)
        }
        guard !body.keys.isEmpty else { return Response(status: .noContent, headers: headers) }
        return .json(.object(body), status: created == nil ? .ok : .created, headers: headers)
    }

    /// The servers that a change reaches: those that carry its services, before or after, and those that it changes.
    static func servers(of edits: [Change.Edit]) -> [ServerName] {
        var servers = Set<ServerName>()
        for edit in edits {
            switch edit {
            case .customer, .zone, .settings: break
            case .server(let name, _, let after): if after != nil { servers.insert(name) }
            case .service(_, let before, let after): servers.formUnion((before?.servers ?? []) + (after?.servers ?? []))
            }
        }
        return servers.sorted()
    }

    /// Waits until the servers have applied `version`, or the time is over, and says who has.
    func applied(_ version: SnapshotVersion, by servers: [ServerName], timeout: Duration) async -> JSONValue {
        let statuses = await publisher.waitUntilApplied(version, by: servers, timeout: timeout)
        var complete = true
        let answers = servers.map { name -> JSONValue in
            let status = statuses[name] ?? ServerStatus()
            let state: String
            var reasons: [String] = []
            if !status.connected {
                state = "disconnected"
            } else if let refusal = status.refusal, refusal.version >= version {
                state = "refused"
                reasons = refusal.reasons
            } else if let applied = status.appliedVersion, applied >= version {
                state = "applied"
            } else {
                state = "pending"
            }
            complete = complete && state == "applied"
            return [
                "server": .string(name.text), "state": .string(state), "version": status.appliedVersion?.json ?? .null,
                "reasons": .array(reasons.map { .string($0) }),
            ]
        }
        return ["version": version.json, "complete": .bool(complete), "servers": .array(answers)]
    }

    /// How a creation is recognised when it is sent again, when its sender wants that.
    func repetition(_ request: APIRequest, _ octets: [UInt8]) throws(Problem) -> Repetition? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(
                .invalidParameter, "The Idempotency-Key is no key; expected 1 to 255 visible ASCII characters.")
        }
        var hash = SHA256()
        hash.update(data: Array("POST \(request.path)\n".utf8))
        hash.update(data: octets)
        let fingerprint = hash.finalize().map { String($0, radix: 16) }.joined(separator: " ")
        return Repetition(key: key, fingerprint: fingerprint) { record in
            JSONValue.object(
                record.representation(status: ServerStatus(), currentVersion: record.revision, services: 0)
            ).description
        }
    }
}

extension FleetState {
    /// An unchanged resource as edits, so that one can wait for the servers that have it.
    fileprivate func asEdits(_ record: Record) -> [Change.Edit] {
        switch record.kind {
        case .customer, .zone, .settings: []
        case .server: servers[ServerName(checked: record.name)].map { [.server($0.name, before: $0, after: $0)] } ?? []
        case .service:
            services[ServiceName(checked: record.name)].map { [.service($0.name, before: $0, after: $0)] } ?? []
        }
    }
}

extension SnapshotVersion {
    var json: JSONValue { .integer(Int(clamping: number)) }
}

extension DocumentChange {
    var representation: JSONValue {
        ["kind": .string(kind.rawValue), "name": .string(name), "before": before ?? .null, "after": after ?? .null]
    }
}
