import Domain
import FoundationEssentials
import Notices

/// Where a failover has brought a service.
struct Placement: Sendable, Equatable {
    let server: ServerName
    let failover: FailoverID
}

/// A decision that is yet to get its number.
struct FailoverDraft: Sendable {
    let kind: Failover.Kind
    let server: ServerName
    let reason: String
    let author: String
    var returnsAt: Date?
    var reverses: FailoverID?
    let moves: [Failover.Move]
    let zones: [Failover.ZoneWork]
}

/// The state that an earlier process left, as it is read at start.
struct FailoverRecords: Sendable {
    var underWay: [Failover] = []
    var decisions: [ServiceName: FailoverID] = [:]
    var placements: [ServiceName: Placement] = [:]
    /// Failovers that are over, while services still are where they brought them.
    var inForce: [Failover] = []
    var overrides: [ServerName: ServerOverride] = [:]
    var freeze: Freeze?
}

/// News of a failover: an event, and an alert.
struct FailoverNews: Sendable {
    let kind: FleetEvent.Kind
    let detail: String

    func words(of id: FailoverID) -> String { "failover \(id): \(detail)" }
}

/// How far a failover has come, by some steps, since it was stored last.
struct FailoverChange: Sendable {
    let failover: Failover
    let before: Failover?
    let steps: [FailoverStep]
}

/// The changes of one step of a failover beside its own rows.
struct FailoverStep: Sendable {
    var entries: [TimelineEntry] = []
    /// Stored with the step, so that the alert is sent even when this process ends now.
    var news: FailoverNews?
    /// Where services are from now on; nil where they are home again.
    var placed: [ServiceName: Placement?] = [:]
    /// The services about which the decision has come to an end.
    var released: [ServiceName] = []
}

extension FailoverStep {
    /// A step with an entry in the timeline. The same words are told when it is news of a kind.
    static func noting(
        _ kind: TimelineEntry.Kind, _ detail: String, news: FleetEvent.Kind? = nil
    ) -> FailoverStep {
        FailoverStep(
            entries: [TimelineEntry(at: Date(), kind: kind, detail: detail)],
            news: news.map { FailoverNews(kind: $0, detail: detail) })
    }
}
