/// One round of a probe: when attempts are made, and what their ends come to. Pure; time is passed in, in milliseconds.
///
/// A round has doors, one for each address and port, and is answered when every door is. A door is asked several times
/// over: while it has not answered, another attempt is begun every tenth of the timeout beside those under way. So a
/// network that loses packets, for which TCP waits a second before it calls again, is not taken for a dead server; the
/// first attempt that is answered is its door's answer.
///
///     asked ──answered──▶ settled ──all of them──▶ answered
///       ├──refused twice, by whoever is there──▶ missed, at once
///       ├──no way there from this machine──▶ left out ──all of them──▶ untold
///       └──deadline──▶ missed; untold, when it was we who could not ask properly
///
/// A miss says whether each door that was missed took connections and only kept its answers back. That is how a monitor
/// endpoint looks that strangers have crowded out, while devices are served as ever.
public struct ProbeRound: Sendable {
    /// How an attempt ended.
    public enum End: Sendable, Equatable {
        case answered
        /// The other end has said no: a refused connection, an answer that is not the right one. Loss of packets never
        /// looks like this.
        case refused(String)
        /// The other end has taken the connection, and then closed or reset it, or said that it has no time. The next
        /// attempt may be luckier.
        case turnedAway(String)
        /// The way there has failed; the next attempt may find another.
        case failed(String)
        /// This machine has no way to that address. That says nothing about the server there.
        case unreachable(String)
        /// This process could not begin the attempt.
        case notMade(String)
    }

    public enum Outcome: Sendable, Equatable {
        case answered
        /// Why, and at which address and port. `accepted` when every door that was missed took connections, and gave no
        /// answer.
        case missed(String, accepted: Bool)
        /// We ourselves were hindered, so nothing is known, and nothing to be told: a vantage that is in trouble must
        /// not look like a fleet that is.
        case untold(String)
    }

    private struct Door: Sendable {
        let name: String
        /// Attempts that were begun.
        var attempts = 0
        var refusals = 0
        /// Whether it has taken a connection.
        var isAccepting = false
        var isAnswered = false
        var isLeftOut = false
        /// How the last attempt that was no answer ended.
        var problem = ""

        var isSettled: Bool { isAnswered || isLeftOut }
        /// It takes connections, and nothing else is known of it.
        var isMute: Bool { isAccepting && refusals == 0 }
    }

    public static let mostAttempts: UInt64 = 10
    /// Of a server that has missed many rounds: that it is down is known, and one attempt that is answered tells that
    /// it is back.
    private static let wearyAttempts: UInt64 = 2
    /// So many misses in a row make a round weary.
    public static let wearyAfter = 10
    /// One refusal may be a process that restarts.
    private static let mostRefusals = 2
    /// So many doors are named in a reason: when a machine is gone, each of its addresses and ports is.
    private static let mostNamed = 4
    private static let longestReason = 500

    private let start: UInt64
    private let timeout: UInt64
    private let gap: UInt64
    private let attempts: UInt64
    /// With fewer attempts than this by the deadline, it is not known that the other end is silent.
    private var fairAttempts: Int { Int(attempts / 2) }
    private var doors: [Door]
    /// When the next attempts are made; nil when there are no more.
    private var nextAttempt: UInt64?

    /// `doors` has the name of each, by which its miss is told: `192.0.2.1:443`.
    /// `isWeary` after many rounds that were missed.
    public init(doors: [String], timeout: UInt64, isWeary: Bool = false, now: UInt64) {
        attempts = isWeary ? ProbeRound.wearyAttempts : ProbeRound.mostAttempts
        start = now
        self.timeout = max(1, timeout)
        gap = max(1, timeout / attempts)
        self.doors = doors.map { Door(name: $0) }
        nextAttempt = now
    }

    private var deadline: UInt64 { start &+ timeout }

    /// The doors of which an attempt is to be begun now; each counts as begun, until `ended` says that it was not.
    public mutating func takeDue(now: UInt64) -> [Int] {
        guard let next = nextAttempt, now >= next else { return [] }
        let passed = (now &- start) / gap &+ 1
        nextAttempt = passed < attempts ? start &+ passed &* gap : nil
        let due = doors.indices.filter { !doors[$0].isSettled }
        for index in due { doors[index].attempts += 1 }
        return due
    }

    /// The other end has taken the connection of an attempt, which goes on.
    public mutating func accepted(_ index: Int) {
        if doors.indices.contains(index) { doors[index].isAccepting = true }
    }

    /// An attempt has ended, or could not begin.
    public mutating func ended(_ index: Int, _ end: End) {
        guard doors.indices.contains(index), !doors[index].isSettled else { return }
        switch end {
        case .answered: doors[index].isAnswered = true
        case .refused(let problem):
            doors[index].refusals += 1
            doors[index].problem = problem
        case .turnedAway(let problem):
            doors[index].isAccepting = true
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

    /// The outcome of the round; nil while it goes on.
    public func outcome(now: UInt64) -> Outcome? {
        let refused = doors.filter { !$0.isSettled && $0.refusals >= ProbeRound.mostRefusals }
        if !refused.isEmpty { return .missed(reason(refused) { $0.problem }, accepted: false) }
        let silent = doors.filter { !$0.isSettled }
        if silent.isEmpty {
            let leftOut = doors.filter(\.isLeftOut)
            return leftOut.count < doors.count ? .answered : .untold(reason(leftOut) { $0.problem })
        }
        guard now >= deadline else { return nil }
        // A process that looks at the clock so late has not read its sockets either: the answers may all be there.
        let isLate = now &- deadline > timeout / 2
        let asked = isLate ? [] : silent.filter { $0.attempts >= fairAttempts }
        guard !asked.isEmpty else {
            return .untold(reason(silent) { $0.problem.isEmpty ? "this process was held up" : $0.problem })
        }
        return .missed(
            reason(asked) { door in
                (door.isMute ? "accepted, but " : "") + "no answer in \(timeout) ms"
                    + (door.problem.isEmpty ? "" : ", and once: \(door.problem)")
            }, accepted: silent.allSatisfy(\.isMute))
    }

    /// When something is to be done, if no attempt ends before: an attempt, or the end of the round.
    public var nextEvent: UInt64 { min(nextAttempt ?? deadline, deadline) }

    private func reason(_ doors: [Door], _ problem: (Door) -> String) -> String {
        var reasons = doors.prefix(ProbeRound.mostNamed).map { "\($0.name): \(problem($0))" }
        if doors.count > reasons.count { reasons.append("and \(doors.count - reasons.count) more") }
        return String(reasons.joined(separator: "; ").prefix(ProbeRound.longestReason))
    }
}

extension ProbeRound.End {
    /// What an answer of the monitor endpoint of `server` comes to. `answering` is the server that it says it is of;
    /// nil when it does not say.
    ///
    /// Both planes probe, and judge by this.
    public static func ofMonitor(status: Int, answering: String?, server: ServerName) -> ProbeRound.End {
        switch (status, answering) {
        case (200, server.text?): return .answered
        case (200, nil): return .refused("an answer that is not of a monitor endpoint")
        // 63: as long as a name may be.
        case (200, let other?): return .refused("is server \(other.prefix(63)), not \(server)")
        // The relay in front of the endpoint says that the endpoint is crowded or does not answer. Of what the endpoint
        // says itself, such as that its server drains, it is the author by name.
        case (429, nil), (502, nil), (503, nil), (504, nil): return .turnedAway("status \(status)")
        default: return .refused("status \(status)")
        }
    }

    /// What an answer of a service to its own check comes to. What a service says is its own affair, unless it says
    /// that it is in trouble, or the server says that it does not know the name (RFC 9110 section 15.5.20).
    public static func ofService(status: Int) -> ProbeRound.End {
        status >= 500 || status == 421 ? .refused("status \(status)") : .answered
    }
}
