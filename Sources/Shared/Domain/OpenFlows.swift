/// Which of a server's open flows an operator wants to see.
public struct FlowQuery: Hashable, Sendable {
    /// Nil for those of every service, of the monitor endpoint, and of nobody yet.
    public let service: ServiceName?
    /// Where the client is; nil for anywhere.
    public let client: Prefix?
    /// Of those that match: how many are listed at most, the oldest first.
    public let limit: Int

    /// A thousand lines are more than anybody reads, and as a message they are a quarter of a megabyte.
    public static let limits = 1...1000
    public static let usualLimit = 100

    public init(
        service: ServiceName? = nil, client: Prefix? = nil, limit: Int = FlowQuery.usualLimit
    ) throws(InvalidValue) {
        guard FlowQuery.limits.contains(limit) else {
            throw InvalidValue("\(limit)", "is no limit of a list of flows", expected: "a whole number from 1 to 1000")
        }
        self.service = service
        self.client = client
        self.limit = limit
    }
}

/// One flow that was open when it was looked at, from the client to the endpoint.
public struct OpenFlow: Hashable, Sendable {
    /// As the data plane goes through them: what the client wants is read, the endpoint is connected to, bytes go both
    /// ways, and the last of them are delivered.
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        case opening, dialling, relaying, lingering
    }

    public enum Owner: Hashable, Sendable {
        /// It has named no service yet, or that service is gone.
        case nobody
        /// The fleet's monitor endpoint.
        case monitor
        case service(ServiceName)
    }

    public var owner: Owner
    /// Plain HTTP; TLS otherwise.
    public var isHTTP: Bool
    public var stage: Stage
    /// Who calls: behind a trusted sender, whom that names. Nil when the client has just gone.
    public var client: TransportAddress?
    /// What the client has called.
    public var called: TransportAddress?
    /// Nil before it is connected.
    public var endpoint: TransportAddress?
    /// Which of the service's targets it is about: 0 the endpoint, then the fallbacks. Nil when that is not known.
    public var target: Int?
    public var bytesUp: UInt64
    public var bytesDown: UInt64
    public var age: Duration
    /// Since when no byte has passed.
    public var idle: Duration
    public var worker: Int

    public init(
        owner: Owner, isHTTP: Bool, stage: Stage, client: TransportAddress? = nil, called: TransportAddress? = nil,
        endpoint: TransportAddress? = nil, target: Int? = nil, bytesUp: UInt64 = 0, bytesDown: UInt64 = 0,
        age: Duration = .zero, idle: Duration = .zero, worker: Int = 0
    ) {
        self.owner = owner
        self.isHTTP = isHTTP
        self.stage = stage
        self.client = client
        self.called = called
        self.endpoint = endpoint
        self.target = target
        self.bytesUp = bytesUp
        self.bytesDown = bytesDown
        self.age = age
        self.idle = idle
        self.worker = worker
    }
}

/// The flows that were open on a server, as far as they were asked for.
public struct FlowList: Hashable, Sendable {
    /// The oldest first.
    public var flows: [OpenFlow]
    /// How many match, listed or not.
    public var matching: UInt64
    /// Every worker has answered in time.
    public var isComplete: Bool

    public init(flows: [OpenFlow], matching: UInt64, isComplete: Bool) {
        self.flows = flows
        self.matching = matching
        self.isComplete = isComplete
    }
}
