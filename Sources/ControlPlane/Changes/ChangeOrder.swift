package import Domain
package import Fleet
package import Store

extension Changes {
    /// Who wants a change, and what they want besides it.
    package struct Order: Sendable {
        /// As the audit trail names them.
        package let author: String
        /// Say what would change, and change nothing.
        package let dryRun: Bool
        /// How long to wait for the servers; nil for not at all.
        package let wait: Duration?

        package init(author: String, dryRun: Bool = false, wait: Duration? = nil) {
            self.author = author
            self.dryRun = dryRun
            self.wait = wait
        }

        func request(_ action: String, _ target: String) -> ChangeRequest {
            ChangeRequest(author: author, action: action, target: target, dryRun: dryRun)
        }
    }

    /// What came of a change that no rule was against.
    package enum Outcome: Sendable {
        case wouldChange([Change.Edit])
        case inForce(Effect)
    }

    /// A change that is in force.
    package struct Effect: Sendable {
        package enum Target: Sendable {
            /// As it is now; nil when it was deleted, or is no resource.
            case now(Record?)
            /// The same creation was done before, and this is the body of its answer.
            case answeredBefore(String)
        }

        /// The version that it made; of what was so already, the newest one.
        package let version: SnapshotVersion
        package let target: Target
        /// None when the proposal was what is already so.
        package let edits: [Change.Edit]
        /// Which servers have applied it; nil when nobody has waited for them.
        package var reach: Reach?
    }
}
