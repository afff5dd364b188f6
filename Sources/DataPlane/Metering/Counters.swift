import Syscalls

/// What is counted for each service, by each worker. Cumulative; only grows.
enum ServiceCounter: Int, CaseIterable, BitwiseCopyable {
    /// Payload from devices: as read from them, without a trusted sender's PROXY header.
    case bytesUp
    /// Payload to devices: as taken by their sockets.
    case bytesDown
    case connectionsOpened
    case connectionsClosed
    /// Connections that were opened in an earlier process of this server, which counted them, and have gone on in this one.
    case connectionsAdopted
    /// Connections for which neither the endpoint nor a fallback could be connected to.
    case connectFailures
    /// Addresses that the endpoint policy forbade at the moment of dialling.
    case addressesForbidden
    /// Requests of plain HTTP.
    case requests
    /// Connections that a fallback took.
    case fallbacksUsed
    // Connections that were refused or cut, by the reason. Those without a service are refused by limits of the server.
    case refusedByLimit
    case refusedByRate
    case refusedClientByLimit
    case refusedClientByRate
    case refusedOpenings
    case refusedClient
    case cutForSlowness
    /// Connections that were cut since this service holds too much memory, whosever they were.
    case cutForMemory
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
    /// 1 once the worker has let go of its listeners for good.
    case listenersLeft
    /// Incidents follow, one counter for each.
    case incidents
}

/// One worker's counters. The worker adds; anyone reads.
struct WorkerCounters: Sendable {
    private static let perService = ServiceCounter.allCases.count
    private let services: CounterBlock
    private let own: CounterBlock

    init(services: Int) throws(SystemCallError) {
        self.services = try CounterBlock(count: services * WorkerCounters.perService)
        own = try CounterBlock(count: WorkerCounter.incidents.rawValue + Incident.allCases.count)
    }

    @inline(__always) func add(_ amount: UInt64, _ counter: ServiceCounter, service: Int32) {
        services.add(amount, at: Int(service) &* WorkerCounters.perService &+ counter.rawValue)
    }

    @inline(__always) func add(_ amount: UInt64, _ counter: WorkerCounter) { own.add(amount, at: counter.rawValue) }

    func add(_ incident: Incident) { own.add(1, at: WorkerCounter.incidents.rawValue + incident.rawValue) }

    /// Sets a counter that is a level and not a sum.
    func set(_ level: UInt64, _ counter: WorkerCounter) {
        own.add(level &- own.read(counter.rawValue), at: counter.rawValue)
    }

    func read(_ counter: ServiceCounter, service: Int32) -> UInt64 {
        services.read(Int(service) * WorkerCounters.perService + counter.rawValue)
    }

    func read(_ counter: WorkerCounter) -> UInt64 { own.read(counter.rawValue) }
    func read(_ incident: Incident) -> UInt64 { own.read(WorkerCounter.incidents.rawValue + incident.rawValue) }
}

extension Sequence<WorkerCounters> {
    func sum(_ counter: ServiceCounter, service: Int32) -> UInt64 {
        reduce(0) { $0 &+ $1.read(counter, service: service) }
    }
    func sum(_ counter: WorkerCounter) -> UInt64 { reduce(0) { $0 &+ $1.read(counter) } }
    func sum(_ incident: Incident) -> UInt64 { reduce(0) { $0 &+ $1.read(incident) } }
}
