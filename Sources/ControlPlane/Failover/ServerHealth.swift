import Domain
import Probing

/// The last rounds of one vantage at one server, or at one service through it.
struct Sighting: Sendable, Equatable {
    /// Rounds in a row, up to the last one, that were missed. 0 when that was answered, or only its answer was missing.
    private(set) var misses = 0
    /// Rounds since the last answer in which connections were taken and no answer came, while the server's own session
    /// told of traffic. They are no answers, and no misses either: devices are served, so there is nothing that moving
    /// them would mend.
    private(set) var unanswered = 0
    /// Rounds in a row, up to the last one, that were answered.
    private(set) var answers = 0
    /// When the last round ended.
    private(set) var at: ContinuousClock.Instant
    /// When the first of the misses ended; nil when the last round was answered.
    private(set) var firstMiss: ContinuousClock.Instant?
    /// Why the last round was missed; empty when it was answered.
    private(set) var detail = ""

    /// `whileCarrying`: the server took connections in the round, and is known to carry traffic.
    init(error: String?, whileCarrying: Bool = false, at: ContinuousClock.Instant) {
        self.at = at
        roundEnded(error: error, whileCarrying: whileCarrying, at: at)
    }

    mutating func roundEnded(error: String?, whileCarrying: Bool = false, at: ContinuousClock.Instant) {
        self.at = at
        detail = error ?? ""
        switch error {
        case nil:
            misses = 0
            unanswered = 0
            answers += 1
            firstMiss = nil
        case _? where whileCarrying:
            // It takes connections, so the misses before, if there were any, are no longer in a row.
            misses = 0
            unanswered += 1
            answers = 0
            firstMiss = nil
        case _?:
            misses += 1
            answers = 0
            if firstMiss == nil { firstMiss = at }
        }
    }
}

/// The sightings of one server by all vantages. Pure; the time is passed in.
///
/// Each vantage counts its own consecutive misses. The server is down when a quorum of the vantages that report have
/// reached the threshold. A vantage that has been silent for some time does not count, on either side.
struct ServerHealth: Sendable {
    private(set) var monitor: [Vantage: Sighting] = [:]
    /// The services' own checks through this server.
    private(set) var checks: [Vantage: [ServiceName: Sighting]] = [:]

    /// `isCarrying`: the server's own session tells of traffic. A miss in which the server took connections is then
    /// none.
    mutating func receive(_ outcome: ProbeOutcome, isCarrying: Bool = false) {
        if let service = outcome.service {
            var sighting = checks[outcome.vantage]?[service]
            sighting?.roundEnded(error: outcome.error, at: outcome.at)
            checks[outcome.vantage, default: [:]][service] =
                sighting ?? Sighting(error: outcome.error, at: outcome.at)
        } else {
            let whileCarrying = outcome.accepted && isCarrying
            var sighting = monitor[outcome.vantage]
            sighting?.roundEnded(error: outcome.error, whileCarrying: whileCarrying, at: outcome.at)
            monitor[outcome.vantage] =
                sighting ?? Sighting(error: outcome.error, whileCarrying: whileCarrying, at: outcome.at)
        }
    }

    /// Forgets sightings that are too old to count, so that vantages that are gone do not pile up.
    mutating func forget(before moment: ContinuousClock.Instant) {
        monitor = monitor.filter { $0.value.at >= moment }
        checks = checks.compactMapValues { services in
            let kept = services.filter { $0.value.at >= moment }
            return kept.isEmpty ? nil : kept
        }
    }

    /// A vantage is silent after this time without a word: two rounds, the last of which was missed, and a moment on
    /// the way.
    static func patience(_ monitoring: Monitoring) -> Duration {
        .seconds(2 * monitoring.interval + monitoring.timeout + 1)
    }

    /// Losses of servers and vantages within this time may be one event. It lasts from the first miss until the
    /// threshold is reached and every vantage has reported or fallen silent.
    static func window(_ monitoring: Monitoring) -> Duration {
        .seconds(monitoring.threshold * monitoring.interval) + patience(monitoring) * 2
    }

    /// How many vantages have fallen silent lately. Those that are left must not become a majority by that alone: when
    /// our own network fails, vantages are lost one after the other, and the last of them, ours, sees nobody.
    func newlySilent(at now: ContinuousClock.Instant, _ monitoring: Monitoring) -> Int {
        let patience = ServerHealth.patience(monitoring)
        return monitor.values.count { $0.at < now - patience && $0.at >= now - ServerHealth.window(monitoring) }
    }

    /// The finding of each vantage that reports, its checks of services taken into account.
    ///
    /// `answersElsewhere` says whether a service answers the vantage through another server. Where it does not, its
    /// check says nothing about this server: the endpoint has failed, and a failover would not mend it.
    func findings(
        at now: ContinuousClock.Instant, _ monitoring: Monitoring,
        answersElsewhere: (Vantage, ServiceName) -> Bool
    ) -> [Finding] {
        let oldest = now - ServerHealth.patience(monitoring)
        return monitor.filter { $0.value.at >= oldest }.map { vantage, sighting in
            guard sighting.misses == 0, let lost = lostWay(vantage, since: oldest, answersElsewhere) else {
                return Finding(vantage: vantage, sighting: sighting)
            }
            return Finding(vantage: vantage, sighting: lost)
        }.sorted { $0.vantage < $1.vantage }
    }

    /// The sighting for the services that have lost their way through this server. Nil when they are not the greater
    /// part; a service whose endpoint may have failed is not counted.
    private func lostWay(
        _ vantage: Vantage, since oldest: ContinuousClock.Instant,
        _ answersElsewhere: (Vantage, ServiceName) -> Bool
    ) -> Sighting? {
        let telling = (checks[vantage] ?? [:]).filter {
            $0.value.at >= oldest && ($0.value.misses == 0 || answersElsewhere(vantage, $0.key))
        }
        let missed = telling.filter { $0.value.misses > 0 }
        guard missed.count * 2 > telling.count else { return nil }
        // The service that was lost last: all of them have been lost for at least as long.
        return missed.values.min { $0.misses < $1.misses }
    }
}

/// The present finding of one vantage about a server.
struct Finding: Sendable, Equatable {
    let vantage: Vantage
    let sighting: Sighting

    var isMiss: Bool { sighting.misses > 0 }
    /// It takes connections and carries traffic, and the answer to the probe is missing.
    var isUnanswered: Bool { !isMiss && sighting.unanswered > 0 }
}

/// The verdict of the vantages that report.
struct Verdict: Sendable, Equatable {
    let findings: [Finding]
    private let needed: Int
    private let threshold: Int
    private let recoveryThreshold: Int

    /// `silent` vantages have fallen silent lately. They count in the number of which a majority is needed.
    init(_ findings: [Finding], silent: Int = 0, _ monitoring: Monitoring) {
        self.findings = findings
        needed = monitoring.quorum ?? ((findings.count + silent) / 2 + 1)
        threshold = monitoring.threshold
        recoveryThreshold = monitoring.recoveryThreshold
    }

    /// Why the server could not be found down even if every vantage missed it; nil when it could.
    var tooFewVantages: String? {
        needed > findings.count ? "\(needed) vantages would have to miss it, and \(findings.count) report" : nil
    }
    /// Whether anybody has said anything lately.
    var isKnown: Bool { !findings.isEmpty }
    /// The consecutive misses of a quorum have reached the threshold.
    var isDown: Bool { isKnown && findings.count { $0.sighting.misses >= threshold } >= needed }
    /// It would be down, were it not known to carry traffic: a quorum has had no answer for as many rounds as the
    /// threshold, but connections are taken.
    var lacksAnswers: Bool {
        guard isKnown, !isDown else { return false }
        return findings.count { $0.sighting.misses + $0.sighting.unanswered >= threshold } >= needed
    }
    /// More than half missed it in their last round.
    var isMissed: Bool { isKnown && findings.count { $0.isMiss } * 2 > findings.count }
    /// At least one had no answer in its last round.
    var isMissedByAny: Bool { findings.contains { $0.isMiss } }
    /// More than half have had as many answers in a row as a recovery takes.
    var isRecovered: Bool {
        isKnown && !isDown && findings.count { $0.sighting.answers >= recoveryThreshold } * 2 > findings.count
    }
    /// When the misses that are there now began.
    var firstMiss: ContinuousClock.Instant? { findings.compactMap(\.sighting.firstMiss).min() }
}
