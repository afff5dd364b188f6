import Wire

/// What a server's session says of whether it carries traffic. Pure; the time is passed in.
///
/// Probes see a server from outside, and strangers can crowd out its monitor endpoint. The session is the server's own
/// word. A process that is stopped or stuck still takes connections, since its kernel does that for it; but its
/// heartbeats and reports end at once. So this evidence is only ever fresh: it is worth nothing a few seconds later.
struct CarryingEvidence: Sendable {
    /// Heartbeats come every second, and may be half a second late.
    static let freshness = ChannelRules.heartbeatInterval * 3 / 2
    /// Reports of load come every two seconds. One may be lost to a busy moment, and traffic may pause for one.
    static let reportPatience = Duration.seconds(5)

    private var began: ContinuousClock.Instant?
    /// When the last report came that told of traffic.
    private var moved: ContinuousClock.Instant?
    /// What its process has carried so far; nil before the first report of the session.
    private var bytes: UInt64?
    /// How many reports have come in this session.
    private var reports = 0

    /// What a process has carried is compared within one session only: the next may be of another process.
    mutating func sessionBegan(at now: ContinuousClock.Instant) {
        began = now
        bytes = nil
        reports = 0
    }

    mutating func observed(_ load: WireLoad, at now: ContinuousClock.Instant) {
        let isMore = bytes.map { load.bytesTotal > $0 } ?? false
        if isMore || load.connections.contains(where: { $0.opened > 0 }) { moved = now }
        bytes = load.bytesTotal
        reports += 1
    }

    /// Whether it is known to carry traffic. `heard` is when anything came from its session last.
    ///
    /// A session that has only begun has had no time to tell: a restarted control plane must not take a flood for a
    /// failure before it can know. For as long as a report takes, its server has the benefit of the doubt.
    func isCarrying(heard: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Bool {
        guard now - heard <= CarryingEvidence.freshness else { return false }
        if let moved, now - moved <= CarryingEvidence.reportPatience { return true }
        guard let began else { return false }
        return reports < 2 && now - began <= CarryingEvidence.reportPatience
    }
}
