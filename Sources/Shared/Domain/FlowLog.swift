/// Which flows are written down, one line at the end of each.
///
/// A service's counts before that of its server; where neither says anything, nothing is written.
public struct FlowLog: Hashable, Sendable {
    /// One flow in so many is written down: 1 for each, 0 for none, nil where this says nothing.
    public let oneIn: UInt32?
    /// For a flow that is written down and lasts: a line every so many seconds, beside the one at its end. 0 for none,
    /// nil where this says nothing.
    public let interval: UInt32?

    /// A server that carries a million flows a minute writes one line a minute.
    public static let samples: ClosedRange<UInt32> = 0...1_000_000
    public static let intervals: ClosedRange<UInt32> = 0...86_400
    /// Five minutes: a push connection that lasts a day writes some 300 lines, and nobody waits long to see what it
    /// carries.
    public static let standardInterval: UInt32 = 300

    /// Says nothing.
    public static let standard = FlowLog()

    private init() {
        oneIn = nil
        interval = nil
    }

    public init(oneIn: UInt32? = nil, interval: UInt32? = nil) throws(InvalidValue) {
        if let oneIn, !FlowLog.samples.contains(oneIn) {
            throw InvalidValue("\(oneIn)", "is no sampling", expected: "0 for none, or one in 1 to 1000000")
        }
        if let interval, !FlowLog.intervals.contains(interval) {
            throw InvalidValue("\(interval)", "is no interval", expected: "0 to 86400 seconds")
        }
        self.oneIn = oneIn
        self.interval = interval
    }

    /// What holds for a service, given what its server says.
    public func resolved(over server: FlowLog) -> (oneIn: UInt32, interval: UInt32) {
        (oneIn ?? server.oneIn ?? 0, interval ?? server.interval ?? FlowLog.standardInterval)
    }
}
