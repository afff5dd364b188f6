import Channel
import Domain
import FoundationEssentials

/// Knows for which services new connections are counted, and where each of them counts. Pure.
struct TrafficFollower: Sendable {
    /// New connections of a service that is being moved.
    struct Arrival: Sendable, Equatable {
        let failover: FailoverID
        /// Of the service, among the traffic of its failover.
        fileprivate let place: Int
        fileprivate let isAtTarget: Bool
        fileprivate let connections: UInt64
    }

    /// The way of a service.
    private struct Course {
        let failover: FailoverID
        let place: Int
        let from: ServerName
        let to: ServerName
    }

    private var courses: [ServiceName: Course] = [:]

    /// Follows the services that a failover has moved by now.
    mutating func follow(_ failover: Failover) {
        let moves = Dictionary(failover.moves.map { ($0.service, $0) }) { first, _ in first }
        for (place, traffic) in failover.traffic.enumerated() {
            guard let move = moves[traffic.service] else { continue }
            courses[traffic.service] = Course(failover: failover.id, place: place, from: move.from, to: move.to)
        }
    }

    /// Follows the services of a failover no longer, but for those that a newer one has moved on.
    mutating func forget(_ id: FailoverID) { courses = courses.filter { $0.value.failover != id } }

    /// Where the connections of a report count; nil when its service is not followed, or not at that server.
    func arrival(_ report: ServiceTraffic) -> Arrival? {
        guard let course = courses[report.service], report.server == course.to || report.server == course.from else {
            return nil
        }
        return Arrival(
            failover: course.failover, place: course.place, isAtTarget: report.server == course.to,
            connections: report.opened)
    }
}

extension Failover {
    mutating func count(_ arrival: TrafficFollower.Arrival, at now: Date) {
        if arrival.isAtTarget {
            traffic[arrival.place].toTarget &+= arrival.connections
        } else {
            traffic[arrival.place].toOrigin &+= arrival.connections
            traffic[arrival.place].lastToOrigin = now
        }
    }
}

/// Decides for how long the traffic of a failover is followed. Pure.
///
/// Resolvers may keep an old record for as long as its TTL says. So traffic is followed until none has arrived at the
/// old server for twice that time.
struct TrafficFollowing: Sendable {
    enum Verdict: Sendable, Equatable {
        case goesOn
        case isQuiet
        /// Connections still arrive at the old server, and there is no use in waiting any longer.
        case hasLastedTooLong
    }

    /// In seconds.
    private static let patience = 1800.0
    private static let quietTimes = 10...600

    let began: Date
    private let quiet: Double

    init(_ failover: Failover, at began: Date) {
        self.began = began
        let records = failover.zones.flatMap(\.records).flatMap(\.change.expected)
        let twice = 2 * (records.map(\.timeToLive).max() ?? 0)
        quiet = Double(
            min(TrafficFollowing.quietTimes.upperBound, max(TrafficFollowing.quietTimes.lowerBound, twice)))
    }

    func verdict(on failover: Failover, at now: Date) -> Verdict {
        let last = failover.traffic.compactMap(\.lastToOrigin).max() ?? began
        let elapsed = now.timeIntervalSince(began)
        if elapsed >= quiet, now.timeIntervalSince(last) >= quiet { return .isQuiet }
        return elapsed > TrafficFollowing.patience ? .hasLastedTooLong : .goesOn
    }
}
