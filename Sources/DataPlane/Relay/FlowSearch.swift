import Domain
import Syscalls

/// What is looked for among the flows of a worker, and how far the worker has come with it.
struct FlowSearch: Sendable {
    let number: UInt64
    /// The slot of a service; nil for all flows.
    let service: Int32?
    let client: Prefix?
    /// When nobody waits for the answer any more; in milliseconds of the monotonic clock.
    let deadline: UInt64
    /// Where the worker answers. Its lock is taken once for a search, and a full one drops the answer.
    let answers: Mailbox<FlowFindings>
    /// The next place to look at.
    var position: Int32 = 0
    /// How many match so far.
    var matching: UInt64 = 0
    var oldest: OldestFlows

    init(
        number: UInt64, service: Int32? = nil, client: Prefix? = nil, limit: Int, deadline: UInt64,
        answers: Mailbox<FlowFindings>
    ) {
        self.number = number
        self.service = service
        self.client = client
        self.deadline = deadline
        self.answers = answers
        oldest = OldestFlows(limit: limit)
    }
}

/// The oldest of all flows that it was shown, so many at most.
///
/// It keeps up to twice as many, so that it sorts once for each `limit` flows that it takes, and not for each flow.
struct OldestFlows: Sendable {
    struct Sighting: Sendable, Equatable {
        let flow: FlowIndex
        /// Of its client's half: another flow in the same place has another.
        var generation: UInt32 = 0
        /// In the worker's ticks.
        let openedAt: UInt32
    }

    private let limit: Int
    private var kept: [Sighting] = []
    /// What has begun then or later is not among the oldest.
    private var bar = UInt32.max

    init(limit: Int) { self.limit = max(1, limit) }

    mutating func see(_ sighting: Sighting) {
        guard sighting.openedAt < bar else { return }
        kept.append(sighting)
        if kept.count >= 2 * limit { settle() }
    }

    /// The oldest first.
    mutating func inOrder() -> [Sighting] {
        settle()
        return kept
    }

    private mutating func settle() {
        kept.sort { ($0.openedAt, $0.flow.place) < ($1.openedAt, $1.flow.place) }
        guard kept.count >= limit else { return }
        kept.removeLast(kept.count - limit)
        bar = kept.last?.openedAt ?? .max
    }
}

/// A worker's answer to a search: values alone, nothing that belongs to the worker.
struct FlowFindings: Sendable {
    /// The number of the search.
    let search: UInt64
    let worker: Int
    /// How many match, those beyond the limit among them.
    let matching: UInt64
    /// The oldest first.
    let flows: [FoundFlow]
}

/// One flow that was open when it was looked at.
struct FoundFlow: Sendable, Equatable {
    /// The slot of its service.
    var service: Int32
    var isHTTP = false
    var stage: OpenFlow.Stage
    var client: TransportAddress?
    var called: TransportAddress?
    var endpoint: TransportAddress?
    var target: Int?
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// Milliseconds since it was accepted, and since a byte has passed.
    var age: UInt64 = 0
    var idle: UInt64 = 0
}
