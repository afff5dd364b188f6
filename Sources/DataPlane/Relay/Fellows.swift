/// All workers of a process, as one of them sees them when it accepts.
///
/// The kernel wakes one worker for a new connection: of those that wait, always the same one (EPOLLEXCLUSIVE wakes in
/// the order of the queue). Left at that, one of two workers had 394 of 400 long connections. So a worker that has
/// clearly more flows open than the mean leaves the listeners to the others for a moment.
///
/// The alternative, a listener for each worker (SO_REUSEPORT), was not taken. systemd passes one descriptor for all,
/// and so does the next process at a restart; the kernel deals connections out by a hash, also to a worker that is
/// stuck or full; and what waits in a queue that is closed is lost. What it could win is a connection's place on the
/// core that receives its packets: a lone round trip on loopback takes 32 µs when client, relay and endpoint share a
/// core, and 83 µs (four times the CPU) when the relay has another; with 16 under way the CPU differs by a quarter.
/// That is time of a machine that is idle otherwise, and needs workers pinned to the cores of the card's queues, of
/// which there may be fewer.
struct Fellows: Sendable {
    private let counters: [WorkerCounters]

    init(_ counters: [WorkerCounters]) { self.counters = counters }

    /// Nobody else is there to leave anything to.
    var isAlone: Bool { counters.count < 2 }

    /// Flows that are open, for each worker in the mean.
    func meanOpen() -> Int {
        var open: UInt64 = 0
        var index = 0
        while index < counters.count {
            // Readings of another thread's counters are not of one moment, so few can come out as less than none.
            let closed = counters[index].read(.flowsClosed)
            open &+= counters[index].read(.flowsOpened).saturatingDifference(closed)
            index &+= 1
        }
        return Int(clamping: open) / max(1, counters.count)
    }

    /// How far above the mean a worker may get: by a thirty-second, so that any two are within a tenth of each other;
    /// by a few in any case, or workers with little to do would go to and fro for nothing.
    static func slack(_ mean: Int) -> Int { max(4, mean / 32) }
}
