/// When the rounds of a probe or a check begin: the first at a random moment within an interval, so that a thousand
/// that are wanted at once do not go out at once, and then one every interval. Pure; time is passed in, in
/// milliseconds.
struct RoundSchedule {
    let interval: UInt64
    /// The beginning of the next round.
    private(set) var next: UInt64

    /// `phase` is from 0 up to 1.
    init(interval: UInt64, phase: Double, now: UInt64) {
        self.interval = max(1, interval)
        next = now &+ UInt64(Double(self.interval) * min(max(0, phase), 1))
    }

    func isDue(now: UInt64) -> Bool { now >= next }

    /// A round begins now. One that begins late delays none of the others, and those whose time has passed altogether
    /// are left out: a thread that was held up for a minute has nothing to make up for.
    mutating func began(now: UInt64) {
        guard now >= next else { return }
        next &+= ((now &- next) / interval &+ 1) &* interval
    }
}
