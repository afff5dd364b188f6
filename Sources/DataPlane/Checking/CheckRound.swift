/// One check of one target: its addresses tried one beside the other until one answers. Pure; time is passed in, in
/// milliseconds.
///
///     asking ──an address answers──▶ well
///       ├──each has failed, or deadline──▶ failed
///       └──the same, and we could not ask properly──▶ untold
///
/// The next address is asked when one before it has failed, or has said nothing for a while: so a target of which one
/// address is well is well, and most checks are a single connection.
struct CheckRound {
    /// How an attempt at one address ended.
    enum End: Equatable {
        case answered
        case failed(String)
        /// This process could not make it, which says nothing about the target.
        case notMade(String)
    }

    enum Outcome: Equatable {
        case well
        /// Why, and at which address.
        case failed(String)
        /// We ourselves were hindered: a data plane in trouble must not send everybody's traffic elsewhere.
        case untold(String)
    }

    private struct Attempt {
        let address: String
        var end: End?
    }

    /// As a dial waits for one address before it tries the next beside it (RFC 8305), unless all have to have their
    /// turn sooner.
    private static let longestGap: UInt64 = 250
    /// So many addresses are named in a reason.
    private static let mostNamed = 3
    private static let longestReason = 300

    private let timeout: UInt64
    private let deadline: UInt64
    private let gap: UInt64
    private var attempts: [Attempt]
    private var begun = 0
    private var nextAttempt: UInt64

    /// `addresses` has the name of each, by which its failure is told: `192.0.2.1:443`.
    init(addresses: [String], timeout: UInt64, now: UInt64) {
        self.timeout = timeout
        deadline = now &+ timeout
        attempts = addresses.map { Attempt(address: $0) }
        gap = max(1, min(CheckRound.longestGap, timeout / UInt64(2 * max(1, addresses.count))))
        nextAttempt = now
    }

    /// The address at which an attempt is to be begun now; it counts as begun.
    mutating func takeDue(now: UInt64) -> Int? {
        guard begun < attempts.count, now >= nextAttempt, now < deadline else { return nil }
        begun += 1
        nextAttempt = now &+ gap
        return begun - 1
    }

    /// An attempt has ended, or could not begin.
    mutating func ended(_ index: Int, _ end: End, now: UInt64) {
        guard attempts.indices.contains(index), attempts[index].end == nil else { return }
        attempts[index].end = end
        if end != .answered { nextAttempt = now }
    }

    /// What has come of the round; nil while it goes on.
    func outcome(now: UInt64) -> Outcome? {
        if attempts.contains(where: { $0.end == .answered }) { return .well }
        guard now >= deadline || attempts.allSatisfy({ $0.end != nil }) else { return nil }
        for attempt in attempts {
            if case .notMade(let problem)? = attempt.end { return .untold(problem) }
        }
        // Whoever looks at the clock so late has not looked at its sockets either: the answers may all be there.
        let isLate = now > deadline &+ timeout / 2 && attempts.contains { $0.end == nil }
        guard begun == attempts.count, !isLate else { return .untold("this process was held up") }
        return .failed(reason)
    }

    /// When something is to be done, if no attempt ends before.
    var nextEvent: UInt64 { begun < attempts.count ? min(nextAttempt, deadline) : deadline }

    private var reason: String {
        var reasons = attempts.prefix(CheckRound.mostNamed).map { attempt in
            guard case .failed(let problem)? = attempt.end else {
                return "\(attempt.address): no answer in \(timeout) ms"
            }
            return "\(attempt.address): \(problem)"
        }
        if attempts.count > reasons.count { reasons.append("and \(attempts.count - reasons.count) more") }
        return String(reasons.joined(separator: "; ").prefix(CheckRound.longestReason))
    }
}
