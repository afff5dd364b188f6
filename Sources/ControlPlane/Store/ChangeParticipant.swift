package import Domain
package import Fleet

/// A subject whose own rows depend on the configuration: it takes part in each change, inside the change's transaction.
///
/// The store knows no subject but the configuration; what else has to be right when that changes is said here.
package protocol ChangeParticipant: Sendable {
    /// What speaks against a proposal, by the subject's own rows.
    func violations(of proposal: Proposal, _ connection: SQLConnection) throws -> [Violation]

    /// Brings the subject's rows after a change whose own rows are written.
    func follow(_ change: Change, _ request: ChangeRequest, at: String, _ connection: SQLConnection) throws

    /// The change is in force. Called inside the writer, before anybody else hears of it.
    func committed(_ change: Change, at: String)
}

extension ChangeParticipant {
    package func violations(of proposal: Proposal, _ connection: SQLConnection) throws -> [Violation] { [] }
    package func committed(_ change: Change, at: String) {}
}

extension Change {
    /// The servers that this change takes out of the configuration, by deletion or by restoring a version without them.
    package var removedServers: [ServerName] {
        edits.compactMap { if case .server(let name, _, nil) = $0 { name } else { nil } }
    }

    /// The services that this change takes out of the configuration.
    package var removedServices: [ServiceName] {
        edits.compactMap { if case .service(let name, _, nil) = $0 { name } else { nil } }
    }
}

extension SQLConnection {
    /// Whether the configuration has a resource of this kind and name.
    package func has(_ kind: ResourceKind, _ name: String) throws(StoreFailure) -> Bool {
        try !rows("SELECT name FROM \(kind.plural) WHERE name = ?", [.text(name)]).isEmpty
    }
}
