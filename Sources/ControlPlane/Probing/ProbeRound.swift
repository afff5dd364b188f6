/// One round of a probe: when attempts are made, and what their ends come to. Pure; the time is passed in.
///
/// Each door of the round has to be answered. It is asked several times over: while it has not answered, another attempt is begun every
/// tenth of the timeout beside those under way. So a network that loses packets, for which TCP waits a second before it calls again, is not
/// taken for a dead server; the first attempt that is answered is the door's answer.
///
///     asked ──answered──▶ settled ──all of them──▶ answered
///       ├──refused twice, by whoever is there──▶ missed, at once
///       ├──no way there from this machine──▶ left out ──all of them──▶ untold
///       └──deadline──▶ missed; untold, when it was we who did not ask properly
struct ProbeRound: Sendable {
    /// How an attempt ended.
    enum End: Sendable, Equatable {
        case answered
        /// The other end has said no: a refusal, a reset, an answer that is not the right one. Lost packets never look like this.
        case refused(String)
        /// The way there has failed; the next attempt may find another.
        case failed(String)
        /// This machine has no way to that address, which says nothing about who is there.
        case unreachable(String)
        /// This process could not make the attempt.
        case notMade(String)
    }

    enum Outcome: Sendable, Equatable {
        case answered
        /// Why, and at which address and port.
        case missed(String)
        /// We ourselves were hindered, so nothing is known, and nothing to be told.
        case untold(String)
    }

    private struct Door {
        /// By which a miss is told: `192.0.2.1:443`.
        let name: String
        /// Attempts that were begun.
        var attempts = 0
        var refusals = 0
        var isAnswered = false
        var isLeftOut = false
        /// How the last attempt that was no answer ended.
        var problem = ""

        var isSettled: Bool { isAnswered || isLeftOut }
    }

    static let mostAttempts = 10
    /// Of a server that has missed many rounds: that it is down is known, and one attempt that is answered tells that it is back.
    private static let wearyAttempts = 2
    /// One refusal may be a process that restarts.
    private static let mostRefusals = 2
    /// So many doors are named in a reason: when a machine is gone, each of them is.
    private static let mostNamed = 4

    private let start: ContinuousClock.Instant
    private let timeout: Duration
    private let gap: Duration
    private let attempts: Int
    /// With fewer attempts than this by the deadline, it is not known that the other end is silent.
    private var fairAttempts: Int { attempts / 2 }
    private var doors: [Door]
    /// When the next attempts are made; nil when there are no more.
    private var nextAttempt: ContinuousClock.Instant?

    /// `doors` has the name of each. `isWeary` after many rounds that were missed.
    init(doors: [String], timeout: Duration, isWeary: Bool = false, at now: ContinuousClock.Instant) {
        attempts = isWeary ? ProbeRound.wearyAttempts : ProbeRound.mostAttempts
        start = now
        self.timeout = max(timeout, .milliseconds(1))
        gap = self.timeout / attempts
        self.doors = doors.map { Door(name: $0) }
        nextAttempt = now
    }

    private var deadline: ContinuousClock.Instant { start + timeout }

    /// When something is to be done, if no attempt ends before: attempts, or the end of the round.
    var nextEvent: ContinuousClock.Instant { nextAttempt ?? deadline }

    /// The doors of which an attempt is to be begun now. Each counts as begun, until `ended` says that it was not.
    mutating func takeDue(at now: ContinuousClock.Instant) -> [Int] {
        guard let next = nextAttempt, now >= next else { return [] }
        let passed = Int(min(((now - start) / gap).rounded(.down), Double(attempts))) + 1
        nextAttempt = passed < attempts ? start + gap * passed : nil
        let due = doors.indices.filter { !doors[$0].isSettled }
        for index in due { doors[index].attempts += 1 }
        return due
    }

    /// An attempt has ended, or could not begin.
    mutating func ended(_ index: Int, _ end: End) {
        guard doors.indices.contains(index), !doors[index].isSettled else { return }
        switch end {
        case .answered: doors[index].isAnswered = true
        case .refused(let problem):
            doors[index].refusals += 1
            doors[index].problem = problem
        case .failed(let problem): doors[index].problem = problem
        case .unreachable(let problem):
            doors[index].isLeftOut = true
            doors[index].problem = problem
        case .notMade(let problem):
            doors[index].attempts -= 1
            doors[index].problem = problem
        }
    }

    /// What has come of the round; nil while it goes on.
    func outcome(at now: ContinuousClock.Instant) -> Outcome? {
        let refused = doors.filter { !$0.isSettled && $0.refusals >= ProbeRound.mostRefusals }
        if !refused.isEmpty { return .missed(reason(refused) { $0.problem }) }
        let silent = doors.filter { !$0.isSettled }
        guard !silent.isEmpty else {
            let leftOut = doors.filter(\.isLeftOut)
            return leftOut.count < doors.count ? .answered : .untold(reason(leftOut) { $0.problem })
        }
        guard now >= deadline else { return nil }
        // Whoever looks at the clock so late has not looked at its sockets either: the answers may all be there.
        guard now - deadline < timeout / 2 else { return .untold("this process was held up for \(now - deadline)") }
        let asked = silent.filter { $0.attempts >= fairAttempts }
        guard !asked.isEmpty else {
            return .untold(reason(silent) { $0.problem.isEmpty ? "this process was held up" : $0.problem })
        }
        return .missed(
            reason(asked) { door in
                "no answer in \(timeout.wholeMilliseconds) ms"
                    + (door.problem.isEmpty ? "" : ", and once: \(door.problem)")
            })
    }

    private func reason(_ doors: [Door], _ problem: (Door) -> String) -> String {
        var reasons = doors.prefix(ProbeRound.mostNamed).map { "\($0.name): \(problem($0))" }
        if doors.count > reasons.count { reasons.append("and \(doors.count - reasons.count) more") }
        return reasons.joined(separator: "; ")
    }
}
