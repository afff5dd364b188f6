package import Domain
package import FoundationEssentials

/// Something that happened in the fleet, as its watchers are told.
package struct FleetEvent: Sendable, Equatable {
    package enum Kind: String, CaseIterable, Sendable {
        /// A version was made.
        case change
        case sessionConnected = "session.connected"
        case sessionEnded = "session.ended"
        case versionRefused = "version.refused"
        /// Only after a refusal; otherwise a server's status says what it has applied.
        case versionApplied = "version.applied"
        case serverDraining = "server.draining"
        case serverUndrained = "server.undrained"
        /// It was told to take the configuration of this control plane, whatever its own is.
        case serverAccepted = "server.accepted"
        case serverEnrolled = "server.enrolled"
        case serverRevoked = "server.revoked"
        case channelRefused = "channel.refused"
        /// A vantage misses it; not yet enough of them for long enough.
        case serverSuspect = "server.suspect"
        /// Enough vantages have missed it for long enough.
        case serverFailed = "server.failed"
        /// Enough vantages see it again.
        case serverRecovered = "server.recovered"
        /// Its probes get no answer, but it takes connections and carries traffic: its monitor endpoint may be flooded.
        /// Nothing moves for that.
        case answersMissing = "monitor.unanswered"
        /// Its probes are answered again, or it is down now.
        case answersBack = "monitor.answered"
        /// Somebody has said for a while that it is up or down, whatever the probes say; or has taken that back.
        case serverOverridden = "server.overridden"
        /// Services are to move: nothing is changed yet.
        case failoverDecided = "failover.decided"
        /// A zone has taken the change.
        case failoverWritten = "failover.written"
        /// Every authoritative server answers with the change.
        case failoverVerified = "failover.verified"
        /// Records were not as expected; they were left as they are.
        case failoverConflict = "failover.conflict"
        /// A server has failed and nothing is moved, since something is against it.
        case failoverHeld = "failover.held"
        case failoverEnded = "failover.ended"
        /// It was given up before it was done.
        case failoverAbandoned = "failover.abandoned"
        /// A server has been well for as long as it has to be before its services go back.
        case failbackReady = "failback.ready"
        case standbyUnready = "standby.unready"
        case standbyReady = "standby.ready"
        /// For a while nothing moves by itself.
        case fleetFrozen = "fleet.frozen"
        case fleetUnfrozen = "fleet.unfrozen"
        /// Nothing that happened in the fleet: the reader missed events that are not known any more.
        case gap
    }

    package let id: EventID
    package let at: Date
    package let kind: Kind
    package let server: ServerName?
    package let version: SnapshotVersion?
    /// The token whose holder did it.
    package let author: String?
    package let detail: String
}

/// The place of an event in the order of all events: `5f3a91c2-17`.
package struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// Drawn when the process starts. Events are kept in memory, so those of another epoch are gone.
    let epoch: UInt32
    /// Counts from 1. What is numbered 0 stands before the first event.
    let number: UInt64

    init(epoch: UInt32, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }

    /// Reads what `description` writes, and nothing else.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = UInt32(parts[0], radix: 16), let number = UInt64(parts[1]) else {
            return nil
        }
        self.init(epoch: epoch, number: number)
        guard description == text else { return nil }
    }

    package var description: String {
        let digits = String(epoch, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits + "-\(number)"
    }
}
