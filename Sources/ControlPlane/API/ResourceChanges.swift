import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// Creating, changing and deleting a resource, for each kind alike: they differ in how a document becomes a proposal.
extension ControlAPI {
    /// Reads a whole document and proposes it; `before` is the resource as it is.
    typealias Proposing = @Sendable (JSONValue, ChangeBase) -> Proposal

    func create(_ kind: ResourceKind, _ request: APIRequest, _ propose: @escaping Proposing) async throws -> Response {
        let options = try ChangeOptions(request)
        guard let (value, octets) = try await request.json(types: ["application/json"]) else {
            throw Problem(.invalidJSON, "")
        }
        var name = ""
        if case .string(let text)? = value.object?["name"] { name = kind.identifier(text) }
        var change = ChangeRequest(author: request.author, action: "\(kind.rawValue).create", target: name)
        change.dryRun = options.dryRun
        change.repetition = try repetition(request, octets)
        let outcome = try await perform(change) { [name] change in
            try await store.change(change) { base in
                var proposal = propose(value, base)
                if try base.record(kind, name) != nil {
                    proposal.violations.append(
                        .conflict(
                            "/name", "\(kind.rawValue.capitalizedFirst) '\(name)' exists already; expected a new name.")
                    )
                }
                return proposal
            }
        }
        return try await answer(outcome, options, created: "/api/v1/\(kind.plural)")
    }

    /// A merge patch (RFC 7396).
    func update(_ kind: ResourceKind, _ request: APIRequest, _ propose: @escaping Proposing) async throws -> Response {
        let options = try ChangeOptions(request)
        let types = ["application/merge-patch+json", "application/json"]
        guard let (patch, _) = try await request.json(types: types) else { throw Problem(.invalidJSON, "") }
        let name = kind.target(of: request)
        var change = ChangeRequest(author: request.author, action: "\(kind.rawValue).update", target: name)
        change.dryRun = options.dryRun
        let outcome = try await perform(change) { change in
            try await store.change(change) { base in
                guard let record = try base.record(kind, name) else { throw Problem.noSuch(kind, name) }
                try Conditions.check(request, record.revision)
                guard patch.object != nil else {
                    throw Rejection(violations: [.invalid("", "The patch is \(patch.kind); expected an object.")])
                }
                if kind != .settings, let changed = patch.object?["name"], !kind.names(changed, name) {
                    throw Rejection(violations: [
                        .invalid(
                            "/name",
                            "A name cannot be changed; expected '\(name)', or no name. Create a new \(kind.rawValue).")
                    ])
                }
                return propose(record.document.merged(with: patch), base)
            }
        }
        return try await answer(outcome, options)
    }

    func delete(_ kind: ResourceKind, _ request: APIRequest) async throws -> Response {
        let options = try ChangeOptions(request)
        let name = kind.target(of: request)
        var change = ChangeRequest(author: request.author, action: "\(kind.rawValue).delete", target: name)
        change.dryRun = options.dryRun
        let outcome = try await perform(change) { change in
            try await store.change(change) { base in
                guard let record = try base.record(kind, name) else { throw Problem.noSuch(kind, name) }
                try Conditions.check(request, record.revision)
                return Proposal([base.state.deletion(of: kind, name)].compactMap { $0 })
            }
        }
        return try await answer(outcome, options)
    }
}

extension ResourceKind {
    /// Whether `value` is a name of the resource `name`.
    fileprivate func names(_ value: JSONValue, _ name: String) -> Bool {
        if case .string(let text) = value { identifier(text) == name } else { false }
    }
}

extension FleetState {
    fileprivate func deletion(of kind: ResourceKind, _ name: String) -> Change.Edit? {
        switch kind {
        case .customer: customers[CustomerName(checked: name)].map { .customer($0.name, before: $0, after: nil) }
        case .server: servers[ServerName(checked: name)].map { .server($0.name, before: $0, after: nil) }
        case .service: services[ServiceName(checked: name)].map { .service($0.name, before: $0, after: nil) }
        case .zone: (try? DomainName(name)).flatMap { zones[$0] }.map { .zone($0.name, before: $0, after: nil) }
        case .settings: nil
        }
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
