package import Domain
package import FoundationEssentials
import Probing

/// Decides when a server's services move to their standbys, and when they go back. Pure: it receives the outcomes of
/// probes and the time, and answers actions.
///
///     healthy ──a vantage misses──▶ suspect ──a quorum missed `threshold` rounds──▶ failed ──its services move──▶ failed over
///        ▲  ◀──all answer again──────┘                                               │                              │
///        ├──────────────────────── recovered before anything moved ◀─────────────────┘                              ▼
///        └── failed back ◀── told to, or the hold-down is over ◀── recovering ◀── a majority answered `recoveryThreshold` rounds
///
/// A server that takes connections and whose own session tells of traffic is served well, even when probes get no
/// answer: its monitor endpoint may be flooded by strangers, who must not be able to order a failover. Such rounds are
/// no misses; an event tells of them.
///
/// Nothing is decided while an operator has frozen the fleet, or while the machine suspects itself: when most servers
/// stop answering most vantages at once, the fault is likely in the network that they share, which is ours.
struct FailoverMachine: Sendable {
    enum Phase: String, Sendable {
        case up
        case suspect
        case down
    }

    /// What is known of one server.
    struct Watched: Sendable {
        var health = ServerHealth()
        var phase = Phase.up
        var since: ContinuousClock.Instant
        /// When it went down, in the last hour. Each fall lengthens the hold-down before it gets services back.
        var falls: [ContinuousClock.Instant] = []
        /// The last word on why nothing is done although it is down.
        var held: String?
        var isFailbackTold = false
        /// Whether it was told that answers are missing, though traffic flows.
        var lacksAnswers = false
        var verdict: Verdict?
    }

    /// The facts besides probes on which decisions depend.
    struct Circumstances: Sendable {
        var settings = FleetSettings()
        /// The servers that are watched, with the settings that hold for each.
        var monitoring: [ServerName: Monitoring] = [:]
        var overrides: [ServerName: ServerOverride] = [:]
        var freeze: Freeze?
        /// The servers from which a failover in force has moved services away.
        var movedAway: Set<ServerName> = []
        /// The servers that services' records lead to now.
        var active: Set<ServerName> = []
        /// The servers about which a failover or failback is being carried out.
        var busy: Set<ServerName> = []
    }

    enum Action: Sendable, Equatable {
        case suspected(ServerName, String)
        case failed(ServerName, String)
        case recovered(ServerName)
        /// Probes get no answer, but connections are taken and traffic flows. Nothing moves for that.
        case answersMissing(ServerName, String)
        /// Probes are answered again, or it is down now.
        case answersBack(ServerName)
        /// To be carried out if there is a standby; asked again at each step while it holds.
        case failOver(ServerName)
        case failBack(ServerName)
        /// The server is well and has been for the hold-down; going back is left to the operator.
        case mayFailBack(ServerName)
        /// The server is down, and nothing is done about it.
        case held(ServerName, String)
        /// The machine begins or ceases to suspect itself.
        case holding(String?)
    }

    private(set) var servers: [ServerName: Watched] = [:]
    /// Why the machine suspects itself; nil when it does not.
    private(set) var holding: String?
    /// Since when there is no more reason for that, while the machine still suspects itself.
    private var soundSince: ContinuousClock.Instant?

    /// Said of a server whose probes get no answer while it carries traffic.
    static let answersMissing = "answers missing though traffic flows: is the monitor endpoint being flooded?"
    /// The reason that is given for each server. `holding` names all of them, so its words change with each.
    static let mayBeOurFault = "the fault may be in our own network"
    /// How long a fall is remembered.
    static let flapMemory = Duration.seconds(3600)
    /// The hold-down doubles with each fall that is remembered, but no further than this.
    static let longestHoldDown = Duration.seconds(3600)
    /// Servers that stopped answering within this time stopped at once; longer where it takes longer to be sure of one.
    static let atOnce = Duration.seconds(60)

    /// `isCarrying`: the server's own session tells that it carries traffic now.
    mutating func receive(_ outcome: ProbeOutcome, isCarrying: Bool = false) {
        servers[outcome.server]?.health.receive(outcome, isCarrying: isCarrying)
    }

    /// The actions that are due now. To be called several times a second.
    mutating func step(_ circumstances: Circumstances, at now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
        settle(circumstances, at: now)
        judge(circumstances, at: now)
        suspectOneself(circumstances, at: now, &actions)
        for name in servers.keys.sorted() {
            moveOn(name, circumstances, at: now, &actions)
            watchAnswers(name, &actions)
            decide(name, circumstances, at: now, &actions)
        }
        return actions
    }

    /// Says why a failover that was asked for cannot be, when it has not been said already.
    mutating func hold(_ server: ServerName, because reason: String) -> Action? {
        guard servers[server]?.held != reason else { return nil }
        servers[server]?.held = reason
        return .held(server, reason)
    }

    /// Something is being done about a server: the obstacle is over.
    mutating func release(_ server: ServerName) { servers[server]?.held = nil }

    /// Whether a server comes and goes, so that it is nobody to rely on.
    func isFlapping(_ server: ServerName, at now: ContinuousClock.Instant, holdDown: Int) -> Bool {
        guard let falls = servers[server]?.falls, falls.count > 1, let last = falls.last else { return false }
        return now - last < .seconds(holdDown)
    }

    // MARK: The steps

    private mutating func settle(_ circumstances: Circumstances, at now: ContinuousClock.Instant) {
        for name in servers.keys where circumstances.monitoring[name] == nil { servers[name] = nil }
        for (name, monitoring) in circumstances.monitoring {
            servers[name, default: Watched(since: now)].health.forget(
                before: now - ServerHealth.window(monitoring) - .seconds(60))
            servers[name]?.falls.removeAll { now - $0 > FailoverMachine.flapMemory }
        }
    }

    private mutating func judge(_ circumstances: Circumstances, at now: ContinuousClock.Instant) {
        let answering = answeringServices(circumstances, at: now)
        for (name, monitoring) in circumstances.monitoring {
            guard let health = servers[name]?.health else { continue }
            let findings = health.findings(at: now, monitoring) { vantage, service in
                (answering[vantage]?[service] ?? []).contains { $0 != name }
            }
            let silent = health.newlySilent(at: now, monitoring)
            servers[name]?.verdict = Verdict(findings, silent: silent, monitoring)
        }
    }

    /// Through which servers each vantage had an answer to a service's own check.
    private func answeringServices(
        _ circumstances: Circumstances, at now: ContinuousClock.Instant
    ) -> [Vantage: [ServiceName: [ServerName]]] {
        var answering: [Vantage: [ServiceName: [ServerName]]] = [:]
        for (name, watched) in servers {
            guard let monitoring = circumstances.monitoring[name] else { continue }
            let oldest = now - ServerHealth.patience(monitoring)
            for (vantage, checks) in watched.health.checks {
                for (service, sighting) in checks where sighting.misses == 0 && sighting.at >= oldest {
                    answering[vantage, default: [:]][service, default: []].append(name)
                }
            }
        }
        return answering
    }

    /// Counts only servers that were well until lately: those that have been down for longer tell nothing new.
    private mutating func suspectOneself(
        _ circumstances: Circumstances, at now: ContinuousClock.Instant, _ actions: inout [Action]
    ) {
        var silent: [ServerName] = []
        var seen = 0
        for (name, watched) in servers {
            guard let verdict = watched.verdict, verdict.isKnown, circumstances.overrides[name] == nil else { continue }
            if verdict.isMissed {
                // While the machine suspects itself, those that led to it go on counting.
                let window = circumstances.monitoring[name].map { max(FailoverMachine.atOnce, ServerHealth.window($0)) }
                let isNew = holding != nil || verdict.firstMiss.map { now - $0 < window ?? .zero } ?? false
                guard isNew else { continue }
                silent.append(name)
            }
            seen += 1
        }
        var reason: String?
        if silent.count >= 2, silent.count * 2 > seen {
            let vantages = Set(silent.flatMap { servers[$0]?.verdict?.findings.map(\.vantage.description) ?? [] })
            reason =
                "\(silent.count) of \(seen) servers stopped answering at once (\(silent.sorted().map(\.text).joined(separator: ", "))), "
                + "as seen from \(vantages.sorted().joined(separator: ", ")); the fault is more likely in our own network"
        }
        if reason != nil {
            soundSince = nil
        } else if let present = holding {
            // Servers come back one by one, and the last of them must not look like the only one that is down. So the
            // machine holds until each has had the time to answer; a server that has not is down indeed.
            let sound = soundSince ?? now
            soundSince = sound
            if now - sound < FailoverMachine.settling(circumstances) { reason = present } else { soundSince = nil }
        }
        // The words change with each server that joins in. Only the first reason, and its end, are told.
        if (reason == nil) != (holding == nil) { actions.append(.holding(reason)) }
        holding = reason
    }

    /// The time in which every server that is well has answered again: as many rounds as make one that is not look
    /// down.
    private static func settling(_ circumstances: Circumstances) -> Duration {
        circumstances.monitoring.values.map {
            .seconds($0.threshold * $0.interval) + ServerHealth.patience($0)
        }.max() ?? .zero
    }

    private mutating func moveOn(
        _ name: ServerName, _ circumstances: Circumstances, at now: ContinuousClock.Instant, _ actions: inout [Action]
    ) {
        guard let watched = servers[name], let verdict = watched.verdict else { return }
        let override = circumstances.overrides[name]
        var phase = watched.phase
        switch (override?.state, watched.phase) {
        case (.up?, _): phase = .up
        case (.down?, _): phase = .down
        // Nobody has said anything: nothing is known to have changed.
        case (nil, _) where !verdict.isKnown: break
        case (nil, .up): phase = verdict.isDown ? .down : verdict.isMissedByAny ? .suspect : .up
        case (nil, .suspect): phase = verdict.isDown ? .down : verdict.isMissedByAny ? .suspect : .up
        case (nil, .down): phase = verdict.isRecovered ? .up : .down
        }
        // A fall that may be our own fault does not count.
        if phase == .down, watched.phase != .down, holding != nil, override == nil { phase = .suspect }
        guard phase != watched.phase else { return }
        servers[name]?.phase = phase
        servers[name]?.since = now
        servers[name]?.isFailbackTold = false
        switch phase {
        case .suspect: actions.append(.suspected(name, FailoverMachine.words(verdict)))
        case .down:
            servers[name]?.falls.append(now)
            let reason = override.map { "forced down by \($0.author): \($0.reason)" } ?? FailoverMachine.words(verdict)
            actions.append(.failed(name, reason))
        case .up:
            servers[name]?.held = nil
            if watched.phase == .down { actions.append(.recovered(name)) }
        }
    }

    /// Tells once that answers are missing, and once that they are back.
    private mutating func watchAnswers(_ name: ServerName, _ actions: inout [Action]) {
        guard let watched = servers[name], let verdict = watched.verdict, verdict.isKnown else { return }
        if !watched.lacksAnswers, verdict.lacksAnswers, watched.phase != .down {
            servers[name]?.lacksAnswers = true
            actions.append(
                .answersMissing(name, "\(FailoverMachine.answersMissing) \(FailoverMachine.words(verdict))"))
        } else if watched.lacksAnswers, verdict.isRecovered || watched.phase == .down {
            servers[name]?.lacksAnswers = false
            actions.append(.answersBack(name))
        }
    }

    private mutating func decide(
        _ name: ServerName, _ circumstances: Circumstances, at now: ContinuousClock.Instant, _ actions: inout [Action]
    ) {
        guard let watched = servers[name], !circumstances.busy.contains(name) else { return }
        switch watched.phase {
        case .suspect:
            // It would be down if the machine did not suspect itself.
            guard holding != nil, watched.verdict?.isDown == true, circumstances.active.contains(name) else { return }
            if let action = hold(name, because: FailoverMachine.mayBeOurFault) { actions.append(action) }
        case .down:
            // A server that answers again, and is only not trusted yet, is not left.
            guard circumstances.active.contains(name),
                circumstances.overrides[name] != nil || watched.verdict?.isDown == true
            else { return }
            if let reason = obstacle(circumstances, isForced: circumstances.overrides[name] != nil) {
                if let action = hold(name, because: reason) { actions.append(action) }
            } else {
                actions.append(.failOver(name))
            }
        case .up:
            guard circumstances.movedAway.contains(name), circumstances.overrides[name]?.state != .down,
                now - watched.since >= holdDown(of: watched, circumstances.settings)
            else { return }
            if circumstances.settings.failsBack, circumstances.freeze == nil, holding == nil {
                actions.append(.failBack(name))
            } else if !watched.isFailbackTold {
                servers[name]?.isFailbackTold = true
                actions.append(.mayFailBack(name))
            }
        }
    }

    /// Why nothing is decided, whichever server it is.
    private func obstacle(_ circumstances: Circumstances, isForced: Bool) -> String? {
        if let freeze = circumstances.freeze { return "the fleet is frozen by \(freeze.author): \(freeze.reason)" }
        if !circumstances.settings.failsOver, !isForced {
            return "failover is not automatic; `ddirect failover run` does it"
        }
        return isForced || holding == nil ? nil : FailoverMachine.mayBeOurFault
    }

    private func holdDown(of watched: Watched, _ settings: FleetSettings) -> Duration {
        let doublings = min(12, max(0, watched.falls.count - 1))
        return min(
            .seconds(settings.holdDown) * (1 << doublings),
            max(FailoverMachine.longestHoldDown, .seconds(settings.holdDown)))
    }

    private static func words(_ verdict: Verdict) -> String {
        verdict.findings.filter { $0.isMiss || $0.isUnanswered }.map {
            let rounds = $0.isMiss ? "\($0.sighting.misses) in a row" : "\($0.sighting.unanswered) without an answer"
            return "\($0.vantage): \($0.sighting.detail) (\(rounds))"
        }.joined(separator: "; ")
    }
}

/// An operator's word on a server, against what probes say.
package struct ServerOverride: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable { case up, down }

    package let server: ServerName
    package let state: State
    package let until: Date
    package let reason: String
    package let author: String

    package init(server: ServerName, state: State, until: Date, reason: String, author: String) {
        self.server = server
        self.state = state
        self.until = until
        self.reason = reason
        self.author = author
    }
}

/// An operator's word that nothing is to move.
package struct Freeze: Sendable, Equatable {
    package let since: Date
    package let until: Date
    package let reason: String
    package let author: String

    package init(since: Date, until: Date, reason: String, author: String) {
        self.since = since
        self.until = until
        self.reason = reason
        self.author = author
    }
}
