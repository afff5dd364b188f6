package import Domain
package import Fleet

/// What somebody wants of the store, and on whose behalf.
package struct ChangeRequest: Sendable {
    package let author: String
    /// For the audit: `service.update`.
    package let action: String
    /// The name of what is changed.
    package let target: String
    /// Say what would change, and change nothing.
    package var dryRun = false
    package var restoredFrom: SnapshotVersion?
    /// A creation that may be asked for again without being done again.
    package var repetition: Repetition?

    package init(
        author: String, action: String, target: String, dryRun: Bool = false, restoredFrom: SnapshotVersion? = nil,
        repetition: Repetition? = nil
    ) {
        self.author = author
        self.action = action
        self.target = target
        self.dryRun = dryRun
        self.restoredFrom = restoredFrom
        self.repetition = repetition
    }
}

/// How a creation is recognised when it is sent again.
package struct Repetition: Sendable {
    package let key: String
    /// The digest of the request, so that a key used for something else is noticed.
    package let fingerprint: String
    /// The body that the first request is answered with.
    let body: @Sendable (Record) -> String

    package init(key: String, fingerprint: String, body: @escaping @Sendable (Record) -> String) {
        self.key = key
        self.fingerprint = fingerprint
        self.body = body
    }
}

package enum ChangeOutcome: Sendable {
    /// A new version was made. `record` is the target as it is now, nil when it was deleted or the target is no
    /// resource.
    case done(version: SnapshotVersion, record: Record?, edits: [Change.Edit])
    /// The proposal was what is already so; no version was made.
    case unchanged(version: SnapshotVersion, record: Record?)
    /// What would have changed.
    case dryRun([Change.Edit])
    /// The same creation was done before; `body` is the answer of that time.
    case repeated(version: SnapshotVersion, body: String)
}

/// Why a change was not made, other than by a rule.
package enum ChangeRefusal: Error, Sendable {
    /// The target does not exist.
    case notFound(String)
    /// There is no resource of this kind and name.
    case noSuch(ResourceKind, String)
    /// The target is not what the request said it was (If-Match).
    case stale(current: SnapshotVersion)
    /// The key was used for another request.
    case keyReused(String)
}

/// What a proposal may look at while it is made: the state that it will be judged by.
package struct ChangeBase {
    package let state: FleetState
    fileprivate let connection: SQLConnection

    init(state: FleetState, connection: SQLConnection) {
        self.state = state
        self.connection = connection
    }

    package func record(_ kind: ResourceKind, _ name: String) throws -> Record? {
        try Record.find(kind, name, connection)
    }

    /// The earliest document of every resource that changed after `version`: what it was at `version`.
    func documents(at version: SnapshotVersion) throws -> [DocumentChange] {
        try DocumentChange.net(from: version, to: state.version, connection)
    }
}
