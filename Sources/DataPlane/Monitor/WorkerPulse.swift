/// Watches that every worker makes progress: its loop waits for events a quarter of a second at most, so its rounds always move.
///
/// Pure: it is told the counters and the time. Whoever feeds a watchdog can keep one too.
struct WorkerPulse {
    /// Five seconds is twenty times a worker's longest wait: a machine that is merely busy stays well below.
    let patience: Duration

    private var rounds: [UInt64] = []
    private var lastMoved: [Duration] = []

    init(patience: Duration = .seconds(5)) { self.patience = patience }

    /// Takes down how many rounds each worker has made at `now`, a moment of any clock that never goes back.
    ///
    /// To be called a few times within the patience: that a worker stands still shows only between two calls.
    mutating func observed(_ rounds: [UInt64], at now: Duration) {
        if rounds.count != self.rounds.count { lastMoved = Array(repeating: now, count: rounds.count) }
        for (worker, pair) in zip(rounds, self.rounds).enumerated() where pair.0 != pair.1 { lastMoved[worker] = now }
        self.rounds = rounds
    }

    /// The workers, by index, that have not moved for longer than the patience.
    func stuck(at now: Duration) -> [Int] { lastMoved.indices.filter { now - lastMoved[$0] > patience } }
}
