import FoundationEssentials

/// When a delivery that failed is tried again.
enum AlertBackoff {
    /// In seconds: most failures are a receiver that is being restarted.
    static let first = 1.0
    /// In seconds. A receiver that was away for long hears no later than this after it is back.
    static let longest = 300.0
    /// In seconds. A day after a failure people have learned of it in other ways.
    static let patience = 86_400.0

    /// How many seconds to wait after the attempt with this number, the first being 1.
    ///
    /// `jitter` is a random number from 0 to 1; it spreads the second half of the wait, as several alerts often fail at
    /// the same moment.
    static func pause(after attempt: Int, jitter: Double) -> Double {
        // 1 s doubled nine times is more than the longest.
        let whole = min(longest, first * Double(1 << (min(max(attempt, 1), 10) - 1)))
        return whole * (0.5 + 0.5 * min(max(jitter, 0), 1))
    }

    /// When to try an alert of `raised` again after the attempt with this number has failed at `now`. Nil: it is given
    /// up.
    static func next(after attempt: Int, raised: Date, now: Date, jitter: Double) -> Date? {
        guard now.timeIntervalSince(raised) < patience else { return nil }
        return now.addingTimeInterval(pause(after: attempt, jitter: jitter))
    }
}
