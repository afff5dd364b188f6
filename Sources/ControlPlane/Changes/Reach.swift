import Channel
package import Domain
import Fleet

/// Which servers have applied a version, of those that it concerns.
package struct Reach: Sendable, Equatable {
    package enum State: String, Sendable {
        case applied, pending, refused, disconnected
    }

    package struct Server: Sendable, Equatable {
        package let name: ServerName
        package let state: State
        /// The version that it has applied, if any.
        package let version: SnapshotVersion?
        /// Why it refused; empty when it did not.
        package let reasons: [String]
    }

    package let version: SnapshotVersion
    package let servers: [Server]

    /// Whether every server has it.
    package var isComplete: Bool { servers.allSatisfy { $0.state == .applied } }

    init(_ version: SnapshotVersion, of statuses: [(name: ServerName, status: ServerStatus)]) {
        self.version = version
        servers = statuses.map { name, status in
            var state = State.pending
            var reasons: [String] = []
            if !status.connected {
                state = .disconnected
            } else if let refusal = status.refusal, refusal.version >= version {
                state = .refused
                reasons = refusal.reasons
            } else if let applied = status.appliedVersion, applied >= version {
                state = .applied
            }
            return Server(name: name, state: state, version: status.appliedVersion, reasons: reasons)
        }
    }
}

extension Change.Edit {
    /// The servers that edits reach: those that carry their services, before or after, and those that they change.
    static func servers(reachedBy edits: [Change.Edit]) -> [ServerName] {
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
}
