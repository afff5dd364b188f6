package import Channel
package import Domain
package import Fleet
package import JSON
package import Logging
package import Store

/// How every change of the configuration is made, whoever asks for it: judged and stored, entered into the audit trail
/// when it is refused, and waited for.
package struct Changes: Sendable {
    private let store: Store
    private let publisher: SnapshotPublisher
    private let logger: Logger

    package init(store: Store, publisher: SnapshotPublisher, logger: Logger) {
        self.store = store
        self.publisher = publisher
        self.logger = logger
    }

    /// Asked of the resource that is to be changed, by its revision; throws when it is not what the sender has seen.
    package typealias Condition = @Sendable (SnapshotVersion) throws -> Void

    /// Makes a resource of a whole document. `repetition` recognises the same creation when it is sent again.
    package func create(
        _ kind: ResourceKind, _ document: JSONValue, _ order: Order, repetition: Repetition? = nil
    ) async throws -> Outcome {
        var name = ""
        if case .string(let text)? = document.object?["name"] { name = kind.identifier(text) }
        var request = order.request("\(kind.rawValue).create", name)
        request.repetition = repetition
        return try await perform(request, order) { [store, name] request in
            try await store.change(request) { base in
                var proposal = Proposal(kind, reading: document, in: base.state)
                if try base.record(kind, name) != nil {
                    proposal.violations.append(
                        .conflict(
                            "/name", "\(kind.rawValue.capitalizedFirst) '\(name)' exists already; expected a new name.")
                    )
                }
                return proposal
            }
        }
    }

    /// Changes a resource by a merge patch (RFC 7396).
    package func update(
        _ kind: ResourceKind, _ name: String, by patch: JSONValue, _ order: Order,
        when condition: @escaping Condition = { _ in }
    ) async throws -> Outcome {
        try await perform(order.request("\(kind.rawValue).update", name), order) { [store] request in
            try await store.change(request) { base in
                guard let record = try base.record(kind, name) else { throw ChangeRefusal.noSuch(kind, name) }
                try condition(record.revision)
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
                return Proposal(kind, reading: record.document.merged(with: patch), in: base.state)
            }
        }
    }

    package func delete(
        _ kind: ResourceKind, _ name: String, _ order: Order, when condition: @escaping Condition = { _ in }
    ) async throws -> Outcome {
        try await perform(order.request("\(kind.rawValue).delete", name), order) { [store] request in
            try await store.change(request) { base in
                guard let record = try base.record(kind, name) else { throw ChangeRefusal.noSuch(kind, name) }
                try condition(record.revision)
                return Proposal([base.state.deletion(of: kind, name)].compactMap { $0 })
            }
        }
    }

    /// Makes the state of an earlier version the newest one.
    package func restore(_ version: SnapshotVersion, _ order: Order) async throws -> Outcome {
        var request = order.request("version.restore", version.description)
        request.restoredFrom = version
        return try await perform(request, order) { [store] request in try await store.restore(version, request) }
    }

    /// Enters into the audit trail that something was asked for and refused.
    package func enterRefusal(_ request: ChangeRequest, _ detail: String) async {
        do {
            try await store.enter(request, done: false, detail: detail)
        } catch {
            // The refusal stands whether or not it can be written down.
            logger.error("A refused attempt could not be entered into the audit trail", metadata: ["cause": "\(error)"])
        }
    }

    /// Runs a change, enters it into the audit trail when a rule refuses it, and waits for the servers.
    private func perform(
        _ request: ChangeRequest, _ order: Order, _ change: (ChangeRequest) async throws -> ChangeOutcome
    ) async throws -> Outcome {
        let outcome: ChangeOutcome
        do {
            outcome = try await change(request)
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
        switch outcome {
        case .dryRun(let edits): return .wouldChange(edits)
        case .repeated(let version, let body):
            let edits = try await store.changes(of: version)
            return .inForce(await effect(version, .answeredBefore(body), edits, servers: edits, order))
        case .done(let version, let record, let edits):
            return .inForce(await effect(version, .now(record), edits, servers: edits, order))
        case .unchanged(let version, let record):
            // Nothing has changed, but a sender who waits wants the resource to be the same on every server.
            let edits = record.map { store.state.edits(naming: $0) } ?? []
            return .inForce(await effect(version, .now(record), [], servers: edits, order))
        }
    }

    private func effect(
        _ version: SnapshotVersion, _ target: Effect.Target, _ edits: [Change.Edit], servers: [Change.Edit],
        _ order: Order
    ) async -> Effect {
        var effect = Effect(version: version, target: target, edits: edits)
        if let wait = order.wait {
            let names = Change.Edit.servers(reachedBy: servers)
            let statuses = await publisher.waitUntilApplied(version, by: names, timeout: wait)
            effect.reach = Reach(version, of: names.map { ($0, statuses[$0] ?? ServerStatus()) })
        }
        return effect
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

    /// An unchanged resource as edits, so that one can wait for the servers that have it.
    fileprivate func edits(naming record: Record) -> [Change.Edit] {
        switch record.kind {
        case .customer, .zone, .settings: []
        case .server: servers[ServerName(checked: record.name)].map { [.server($0.name, before: $0, after: $0)] } ?? []
        case .service:
            services[ServiceName(checked: record.name)].map { [.service($0.name, before: $0, after: $0)] } ?? []
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
