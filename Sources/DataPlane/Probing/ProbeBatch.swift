import Wire

/// Rounds that have ended, until they are sent: together with those that end in the same moment. Pure; time is passed
/// in, in milliseconds.
struct ProbeBatch {
    /// A hundred servers that are probed every second make ten frames a second of it, and a failover can wait that
    /// long.
    static let patience: UInt64 = 100
    /// With reasons as long as they can be, so many fit in a frame.
    static let most = 1000

    /// When they are to be sent; nil when there are none.
    private(set) var due: UInt64?
    private var probes: [WireProbe] = []

    mutating func add(_ probe: WireProbe, now: UInt64) {
        probes.append(probe)
        if due == nil { due = now &+ ProbeBatch.patience }
        if probes.count >= ProbeBatch.most { due = now }
    }

    /// The frame that is to be sent now, if any.
    mutating func nextFrame(now: UInt64) -> WireFrame? {
        guard let due, now >= due else { return nil }
        var observation = WireObservation()
        observation.probes.probes = Array(probes.prefix(ProbeBatch.most))
        probes.removeFirst(min(probes.count, ProbeBatch.most))
        self.due = probes.isEmpty ? nil : now
        var frame = WireFrame()
        frame.message = .observation(observation)
        return frame
    }

    /// Nobody is there to hear of them.
    mutating func drop() { self = ProbeBatch() }
}
