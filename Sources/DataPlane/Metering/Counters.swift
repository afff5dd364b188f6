import Syscalls

/// What is counted for each service, by each worker. Cumulative; only grows.
enum ServiceCounter: Int, CaseIterable, BitwiseCopyable {
    /// Payload from devices: as read from them, without a trusted sender's PROXY header.
    case bytesUp
    /// Payload to devices: as taken by their sockets.
    case bytesDown
    case connectionsOpened
    case connectionsClosed
    /// Connections that were opened in an earlier process of this server, which counted them, and have gone on in this
    /// one.
    case connectionsAdopted
    /// Connections for which neither the endpoint nor a fallback could be connected to.
    case connectFailures
    /// Addresses that the endpoint policy forbade at the moment of dialling.
    case addressesForbidden
    /// Requests of plain HTTP.
    case requests
    /// Connections that a fallback took.
    case fallbacksUsed
    // Heads of responses of plain HTTP that endpoints have sent, by the first digit of their status.
    case responses1xx, responses2xx, responses3xx, responses4xx, responses5xx
    // The same of answers that are ours.
    case answers2xx, answers4xx, answers5xx
    // Of `Timing`: how many were measured, and milliseconds in all.
    case connects, connectMilliseconds
    case firstBytes, firstByteMilliseconds
    /// Incidents of all kinds: while this stands still, so do those by kind.
    case incidents
}

extension ServiceCounter {
    /// Of responses that an endpoint has sent, by the class of their status; nil for a status that has none.
    static func responses(_ status: Int) -> ServiceCounter? {
        switch status {
        case 100..<200: .responses1xx
        case 200..<300: .responses2xx
        case 300..<400: .responses3xx
        case 400..<500: .responses4xx
        case 500..<600: .responses5xx
        default: nil
        }
    }

    /// Of answers of ours.
    static func answers(_ status: Int) -> ServiceCounter {
        switch status {
        case ..<400: .answers2xx
        case ..<500: .answers4xx
        default: .answers5xx
        }
    }
}

/// What is counted for each worker as a whole.
enum WorkerCounter: Int, CaseIterable, BitwiseCopyable {
    case accepted
    case flowsOpened
    case flowsClosed
    /// Rounds of the worker's loop: its pulse, for the watchdog.
    case rounds
    case bytesSpliced
    case bytesCopied
    case bytesBuffered
    /// Connections of clients for which the ledger had no place.
    case clientsUntracked
    /// Pipes that directions splice through now, and empty ones that are kept: levels.
    case pipesLent, pipesIdle
    /// Pipes that the kernel has refused, or made too small to be of use.
    case pipesRefused
    /// Flows that no endpoint has accepted yet: a level.
    case dialsUnderWay
    /// Records of flows for which there was no room on their way to the flow log.
    case flowRecordsLost
    /// 1 once the worker has let go of its listeners for good.
    case listenersLeft
    /// Incidents follow, one counter for each.
    case incidents
}

/// What is measured of each flow that reaches an endpoint.
enum Timing: Int, CaseIterable, BitwiseCopyable {
    /// From the decision to dial until an endpoint has accepted: names, addresses and fallbacks that failed before are
    /// in it.
    case connect
    /// From then until the endpoint's first byte was passed on.
    case firstByte

    /// Upper bounds of the buckets of a histogram, in milliseconds. One more is for all that takes longer.
    static let bounds: [UInt64] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]
    fileprivate static let buckets = bounds.count + 1

    /// The bucket of so many milliseconds. (Not by `bounds`: an array on the heap is nothing for the hot path.)
    static func bucket(_ milliseconds: UInt64) -> Int {
        switch milliseconds {
        case ...1: 0
        case ...2: 1
        case ...5: 2
        case ...10: 3
        case ...25: 4
        case ...50: 5
        case ...100: 6
        case ...250: 7
        case ...500: 8
        case ...1000: 9
        case ...2500: 10
        case ...5000: 11
        case ...10_000: 12
        default: 13
        }
    }

    fileprivate var count: ServiceCounter { self == .connect ? .connects : .firstBytes }
    fileprivate var sum: ServiceCounter { self == .connect ? .connectMilliseconds : .firstByteMilliseconds }
}

/// One worker's counters. The worker adds; anyone reads.
struct WorkerCounters: Sendable {
    private static let perService = ServiceCounter.allCases.count
    private static let kinds = Incident.allCases.count
    private let services: CounterBlock
    private let own: CounterBlock
    /// By service and kind. Apart, since most services have none.
    private let incidents: CounterBlock
    private let timings: CounterBlock
    private static let perTiming = Timing.buckets + 1

    init(services: Int) throws(SystemCallError) {
        self.services = try CounterBlock(count: services * WorkerCounters.perService)
        own = try CounterBlock(count: WorkerCounter.incidents.rawValue + WorkerCounters.kinds)
        incidents = try CounterBlock(count: services * WorkerCounters.kinds)
        timings = try CounterBlock(count: Timing.allCases.count * WorkerCounters.perTiming)
    }

    @inline(__always) func add(_ amount: UInt64, _ counter: ServiceCounter, service: Int32) {
        services.add(amount, at: Int(service) &* WorkerCounters.perService &+ counter.rawValue)
    }

    @inline(__always) func add(_ amount: UInt64, _ counter: WorkerCounter) { own.add(amount, at: counter.rawValue) }

    /// Counts an incident, for the process and for the service that it befell or that brought it about.
    func add(_ incident: Incident, service: Int32) {
        own.add(1, at: WorkerCounter.incidents.rawValue &+ incident.rawValue)
        incidents.add(1, at: Int(service) &* WorkerCounters.kinds &+ incident.rawValue)
        add(1, .incidents, service: service)
    }

    func observe(_ timing: Timing, milliseconds: UInt64, service: Int32) {
        let start = timing.rawValue &* WorkerCounters.perTiming
        timings.add(1, at: start &+ Timing.bucket(milliseconds))
        timings.add(milliseconds, at: start &+ Timing.buckets)
        add(1, timing.count, service: service)
        add(milliseconds, timing.sum, service: service)
    }

    /// Sets a counter that is a level and not a sum.
    func set(_ level: UInt64, _ counter: WorkerCounter) {
        own.add(level &- own.read(counter.rawValue), at: counter.rawValue)
    }

    func read(_ counter: ServiceCounter, service: Int32) -> UInt64 {
        services.read(Int(service) * WorkerCounters.perService + counter.rawValue)
    }

    func read(_ incident: Incident, service: Int32) -> UInt64 {
        incidents.read(Int(service) * WorkerCounters.kinds + incident.rawValue)
    }

    /// How many were within each bound, and not within the one before; the last are those beyond all.
    func read(_ timing: Timing) -> [UInt64] {
        (0..<Timing.buckets).map { timings.read(timing.rawValue * WorkerCounters.perTiming + $0) }
    }

    /// All times together, in milliseconds.
    func sum(_ timing: Timing) -> UInt64 {
        timings.read(timing.rawValue * WorkerCounters.perTiming + Timing.buckets)
    }

    func read(_ counter: WorkerCounter) -> UInt64 { own.read(counter.rawValue) }
    func read(_ incident: Incident) -> UInt64 { own.read(WorkerCounter.incidents.rawValue + incident.rawValue) }
}

extension Sequence<WorkerCounters> {
    func sum(_ counter: ServiceCounter, service: Int32) -> UInt64 {
        reduce(0) { $0 &+ $1.read(counter, service: service) }
    }
    func sum(_ incident: Incident, service: Int32) -> UInt64 { reduce(0) { $0 &+ $1.read(incident, service: service) } }
    func sum(_ timing: Timing) -> UInt64 { reduce(0) { $0 &+ $1.sum(timing) } }
    func sum(_ counter: WorkerCounter) -> UInt64 { reduce(0) { $0 &+ $1.read(counter) } }
    func sum(_ incident: Incident) -> UInt64 { reduce(0) { $0 &+ $1.read(incident) } }
}
