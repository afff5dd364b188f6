import Domain

/// Which of a service's targets new connections go to, by how the checks of them come out. Pure; time is passed in, in
/// milliseconds.
///
///     settled ──`fall` failures in a row──▶ unhealthy ──`rise` successes in a row──▶ recovering ──hold-down──▶ settled
///     (begins)                                  ▲──────────`fall` failures in a row──────────┘
///
/// Settled and recovering targets are healthy. A target that was never checked is settled: what is new is usable at
/// once.
///
/// 1. While the preferred target is healthy it stays preferred, until one *before* it has settled. So traffic goes back
///    up the list only after the hold-down, and never down it without need.
/// 2. When it becomes unhealthy, the first settled one is preferred at once; where there is none, the first that is
///    recovering.
/// 3. When none is healthy, the first of all is: checks may be wrong, and connecting tells.
struct TargetHealth: Equatable {
    /// What a check says about when.
    struct Rules: Hashable, Sendable {
        let rise: Int
        let fall: Int
        /// In milliseconds.
        let holdDown: UInt64

        init(_ check: HealthCheck) {
            rise = check.rise
            fall = check.fall
            holdDown = UInt64(max(0, check.holdDown)) * 1000
        }
    }

    /// What a check has made of a target.
    enum Change: Equatable {
        case fell
        case rose
    }

    private enum State: Equatable {
        case settled
        case recovering(since: UInt64)
        case unhealthy
    }

    private struct Target: Equatable {
        var state = State.settled
        /// Checks in a row that speak against the state.
        var contradictions = 0

        var isHealthy: Bool { state != .unhealthy }
    }

    private let rules: Rules
    private var targets: [Target]
    /// The place of the target that new connections go to first.
    private(set) var preferred = 0

    init(count: Int, rules: Rules) {
        self.rules = rules
        targets = Array(repeating: Target(), count: max(1, count))
    }

    /// For another list of targets: `origins` has, for each, its place in the list before, or nil for one that is new.
    /// What is known of a target stays known, and the choice among them begins anew: whoever changes the list does not
    /// wait for a hold-down.
    init(_ before: TargetHealth, origins: [Int?], rules: Rules) {
        self.init(count: origins.count, rules: rules)
        for (index, origin) in origins.enumerated() {
            if let origin, before.targets.indices.contains(origin) { targets[index] = before.targets[origin] }
        }
        preferred = first
    }

    /// For the same targets by other rules, with the same choice as it stands.
    init(_ before: TargetHealth, rules: Rules) {
        self.rules = rules
        targets = before.targets
        preferred = before.preferred
    }

    func isHealthy(_ index: Int) -> Bool { targets.indices.contains(index) && targets[index].isHealthy }

    var hasHealthy: Bool { targets.contains { $0.isHealthy } }

    /// A check of a target has ended.
    mutating func checked(_ index: Int, isWell: Bool, now: UInt64) -> Change? {
        guard targets.indices.contains(index) else { return nil }
        defer { passed(now: now) }
        guard isWell != targets[index].isHealthy else {
            targets[index].contradictions = 0
            return nil
        }
        targets[index].contradictions += 1
        guard targets[index].contradictions >= (isWell ? rules.rise : rules.fall) else { return nil }
        targets[index].contradictions = 0
        targets[index].state = isWell ? .recovering(since: now) : .unhealthy
        return isWell ? .rose : .fell
    }

    /// Time has passed: hold-downs may have ended.
    mutating func passed(now: UInt64) {
        for index in targets.indices {
            if case .recovering(let since) = targets[index].state, now >= since, now - since >= rules.holdDown {
                targets[index].state = .settled
            }
        }
        if !targets[preferred].isHealthy {
            preferred = first
        } else if let better = targets[..<preferred].firstIndex(where: { $0.state == .settled }) {
            preferred = better
        }
    }

    /// When `passed` may have something to do: a target before the preferred one settles.
    var nextEvent: UInt64? {
        var next: UInt64?
        for target in targets[..<preferred] {
            if case .recovering(let since) = target.state { next = min(next ?? .max, since &+ rules.holdDown) }
        }
        return next
    }

    private var first: Int {
        targets.firstIndex { $0.state == .settled } ?? targets.firstIndex { $0.isHealthy } ?? 0
    }
}
