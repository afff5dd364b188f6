package import Domain
package import Fleet
import FoundationEssentials
import JSON

extension Store {
    /// Makes a change, or says what it would be, or why it may not be.
    ///
    /// `propose` is asked inside the write transaction, so what it sees is what it is judged by. It throws a
    /// ``ChangeRefusal``, or answers a proposal, whose violations (and those that the rules add) become one
    /// ``Rejection``.
    package func change(
        _ request: ChangeRequest, _ propose: @escaping @Sendable (ChangeBase) throws -> Proposal
    ) async throws -> ChangeOutcome {
        let at = Timestamp.text(now())
        let result = try await write { connection -> Written? in
            if let repeated = try self.earlierAnswer(request, connection) {
                return Written(outcome: repeated, change: nil)
            }
            let edits = try self.judgedEdits(propose, connection)
            let version = self.version
            if request.dryRun { return Written(outcome: .dryRun(edits), change: nil) }
            guard !edits.isEmpty else {
                let record = try ResourceKind(action: request.action).flatMap {
                    try Record.find($0, request.target, connection)
                }
                return Written(outcome: .unchanged(version: version, record: record), change: nil)
            }
            return try self.store(edits, as: SnapshotVersion(version.number + 1), request, at: at, connection)
        } committed: { written in
            guard let committed = written.change else { return }
            // First, so that nobody who hears that a server is gone can still find its certificates alive.
            for participant in self.participants { participant.committed(committed.change, at: at) }
            self.bringForward(by: committed)
        }
        guard let result else { throw StoreFailure.other("the writer gave no answer") }
        return result.outcome
    }

    /// What is wrong with an endpoint that `service` might have.
    package func violations(of endpoint: EndpointDraft, for service: Service) -> [Violation] {
        catalogue.withLock { catalogue in
            let rules = Rules(fleet: FleetView(catalogue, after: []), exceptions: exceptions, ports: ports)
            return endpoint.hosts.flatMap { rules.violations(ofEndpointAt: $0.host, pointer: $0.pointer) }
                + rules.violations(ofPortsOf: endpoint, present: service.carriage.endpoint.targets)
        }
    }

    private struct Written: Sendable {
        let outcome: ChangeOutcome
        let change: CommittedChange?
    }

    /// The proposal's edits that change something, when no rule is against them.
    private func judgedEdits(
        _ propose: (ChangeBase) throws -> Proposal, _ connection: SQLConnection
    ) throws -> [Change.Edit] {
        // The database is ours alone. If another process wrote to it, our state is old, and nothing may be judged by
        // it.
        let stored = try StateReader.version(connection)
        let state = state
        guard stored == state.version else {
            throw StoreFailure.busy(
                "it is at version \(stored), this process at \(state.version): another one writes to it")
        }
        var proposal = try propose(ChangeBase(state: state, connection: connection))
        proposal.edits.removeAll { $0.changesNothing }
        var violations = catalogue.withLock {
            Rules.violations(of: proposal, in: $0, exceptions: exceptions, ports: ports)
        }
        for participant in participants { violations += try participant.violations(of: proposal, connection) }
        guard violations.isEmpty else { throw Rejection(violations: violations) }
        return proposal.edits
    }

    private func store(
        _ edits: [Change.Edit], as version: SnapshotVersion, _ request: ChangeRequest, at: String,
        _ connection: SQLConnection
    ) throws -> Written {
        let summary = Summary.text(edits, request)
        try connection.execute(
            "INSERT INTO versions (version, at, author, summary, restored_from) VALUES (?, ?, ?, ?, ?)",
            [
                version.sql, .text(at), .text(request.author), .text(summary),
                .integer(request.restoredFrom.map { Int64(clamping: $0.number) }),
            ])
        for (position, edit) in edits.enumerated() {
            try connection.execute(
                "INSERT INTO changes (version, position, kind, name, before, after) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    version.sql, .integer(Int64(position)), .text(edit.kind.rawValue), .text(edit.name),
                    .text(edit.before?.description), .text(edit.after?.description),
                ])
        }
        try RowWriter(connection: connection, version: version, at: at).write(edits)
        try AuditRecord.insert(
            request, at: at, version: version, done: true, detail: summary, connection)
        let change = Change(version: version, edits: edits)
        for participant in participants { try participant.follow(change, request, at: at, connection) }
        let record = try ResourceKind(action: request.action).flatMap {
            try Record.find($0, request.target, connection)
        }
        if let repetition = request.repetition, let record {
            try connection.execute(
                "INSERT INTO answers (author, key, fingerprint, version, body, at) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .text(request.author), .text(repetition.key), .text(repetition.fingerprint), version.sql,
                    .text(repetition.body(record)), .text(at),
                ])
        }
        return Written(
            outcome: .done(version: version, record: record, edits: edits),
            change: CommittedChange(change: change, author: request.author, summary: summary))
    }

    // MARK: Repeated creations

    /// For how long a key is remembered: a day outlasts any client's retries.
    static let keyLifetime: Double = 24 * 60 * 60

    private func earlierAnswer(_ request: ChangeRequest, _ connection: SQLConnection) throws -> ChangeOutcome? {
        guard let repetition = request.repetition, !request.dryRun else { return nil }
        let oldest = Timestamp.text(now().addingTimeInterval(-Store.keyLifetime))
        try connection.execute("DELETE FROM answers WHERE at < ?", [.text(oldest)])
        let rows = try connection.rows(
            "SELECT fingerprint, version, body FROM answers WHERE author = ? AND key = ?",
            [.text(request.author), .text(repetition.key)])
        guard let row = rows.first else { return nil }
        guard try row.text(0) == repetition.fingerprint else { throw ChangeRefusal.keyReused(repetition.key) }
        return .repeated(version: try SnapshotVersion(row: row, 1), body: try row.text(2))
    }
}

extension ResourceKind {
    /// The kind that an action such as `service.update` is about.
    init?(action: String) {
        self.init(rawValue: String(action.prefix { $0 != "." }))
    }
}

/// What a version did, in one line.
private enum Summary {
    static func text(_ edits: [Change.Edit], _ request: ChangeRequest) -> String {
        if let restored = request.restoredFrom { return "restore version \(restored)" }
        guard let edit = edits.first, edits.count == 1 else { return "change \(edits.count) resources" }
        // There is one of them, so it needs no name.
        let what = edit.kind == .settings ? "settings" : "\(edit.kind.rawValue) \(edit.name)"
        switch (edit.before?.object, edit.after?.object) {
        case (nil, _): return "create \(what)"
        case (_, nil): return "delete \(what)"
        case (let before?, let after?):
            return "update \(what): " + after.keys.filter { before[$0] != after[$0] }.joined(separator: ", ")
        }
    }
}
