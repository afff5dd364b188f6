import DNS
package import Domain
package import FoundationEssentials

/// The number of a failover; it only grows.
package struct FailoverID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: Int64

    package init(number: Int64) {
        self.number = number
    }

    package var description: String { String(number) }

    package static func < (left: FailoverID, right: FailoverID) -> Bool { left.number < right.number }
}

/// One decision to move a server's services, and how far it has come.
///
///     decided ─▶ writing ─▶ verifying ─▶ following ─▶ done
///        │          └─ nothing could be written: conflicted
///        └─ not begun, and no longer wanted: abandoned
///
/// Every step is stored before the next begins. So a process that starts after a crash knows what may have been done.
package struct Failover: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case automatic
        case manual
        /// A real failover that returns by itself.
        case drill
        /// The way back.
        case failback
    }

    package enum Stage: String, Sendable, CaseIterable {
        /// The decision is stored, and nothing has been asked of any DNS server.
        case decided
        /// Zones are being changed, and those that are asked back.
        case writing
        /// No zone is left to be changed; authoritative servers are being asked.
        case verifying
        /// All that could be proven is; the traffic is being followed.
        case following
        case done
        /// Nothing was changed, and nothing will be.
        case abandoned
        /// Nothing was changed: the records do not have the values that were expected.
        case conflicted

        var isOver: Bool { self == .done || self == .abandoned || self == .conflicted }
    }

    /// One service on its way from one server to another.
    package struct Move: Sendable, Equatable {
        package enum State: String, Sendable, CaseIterable { case pending, written, conflict, failed }

        let service: ServiceName
        let from: ServerName
        let to: ServerName
        var state = State.pending
    }

    /// One zone that has to change, all at once.
    struct ZoneWork: Sendable, Equatable {
        let zone: DomainName
        var records: [SteeredRecord]
        var state = Move.State.pending
        /// How often the provider was asked to make the change.
        var attempts = 0
        /// Whether an attempt may have been made whose outcome is not known. The zone is read before the next attempt.
        var isInDoubt = false
        /// The last word of the provider.
        var detail = ""
        var writtenAt: Date?
        var verifiedAt: Date?
        var authorities: [Agreement] = []
    }

    /// When an authoritative server gave the new answer for the first time; nil as long as it does not.
    struct Agreement: Sendable, Equatable {
        let server: String
        var agreesAt: Date?
        var detail = ""
    }

    /// One name that has to change, and whose it is.
    struct SteeredRecord: Sendable, Equatable {
        let service: ServiceName
        let change: RecordChange
        var isConflict = false
    }

    /// New connections of a service since the change was written, by where they arrived.
    struct Traffic: Sendable, Equatable {
        let service: ServiceName
        var toTarget: UInt64 = 0
        var toOrigin: UInt64 = 0
        /// When a connection arrived at the old server last.
        var lastToOrigin: Date?
    }

    package let id: FailoverID
    let kind: Kind
    /// The server that is left, or that a failback returns to.
    package let server: ServerName
    let reason: String
    let author: String
    let at: Date
    /// When a drill goes back.
    let returnsAt: Date?
    /// The failover that a failback takes back.
    let reverses: FailoverID?
    var stage = Stage.decided
    var endedAt: Date?
    var moves: [Move]
    var zones: [ZoneWork]
    var traffic: [Traffic] = []

    /// Whether anything has been changed, or may have been.
    var hasBegun: Bool { zones.contains { $0.state == .written || $0.attempts > 0 } }

    /// Whether a name of the moved service leads to its new server, even if another of its names could not be changed.
    func hasChanged(_ move: Move) -> Bool {
        zones.contains { zone in
            zone.state == .written && zone.records.contains { $0.service == move.service && !$0.isConflict }
        }
    }

    /// Marks the moves that have come to their end with a zone, and answers them.
    mutating func settleMoves(with zone: Int) -> [Move] {
        let services = Set(zones[zone].records.map(\.service))
        var settled: [Move] = []
        for index in moves.indices where moves[index].state == .pending && services.contains(moves[index].service) {
            let service = moves[index].service
            let itsZones = zones.filter { $0.records.contains { $0.service == service } }
            guard itsZones.allSatisfy({ $0.state != .pending }) else { continue }
            let isConflict = itsZones.contains { $0.records.contains { $0.service == service && $0.isConflict } }
            let isFailed = itsZones.contains { $0.state == .failed }
            moves[index].state = isConflict ? .conflict : isFailed ? .failed : .written
            settled.append(moves[index])
        }
        return settled
    }
}

/// One entry of a failover's timeline.
package struct TimelineEntry: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case firstMiss, decision, write, written, conflict, verified, ended, abandoned, note
    }

    /// What a vantage had seen when the entry was made.
    package struct Evidence: Sendable, Equatable {
        package let vantage: String
        let isMiss: Bool
        /// It took connections and carried traffic, and gave no answer.
        var isUnanswered = false
        package let misses: Int
        package let detail: String
        package let at: Date

        /// In the words of the API.
        package var outcome: String { isMiss ? "missed" : isUnanswered ? "unanswered" : "answered" }
    }

    let at: Date
    let kind: Kind
    let detail: String
    var evidence: [Evidence] = []
}
