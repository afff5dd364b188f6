public import Domain

extension WireListFlows {
    public init(_ query: FlowQuery) {
        self.init()
        service = query.service?.text ?? ""
        client = query.client?.description ?? ""
        limit = UInt32(clamping: query.limit)
    }
}

extension FlowQuery {
    public init(_ message: WireListFlows) throws(InvalidMessage) {
        var collector = ReasonCollector()
        let service: ServiceName? =
            message.service.isEmpty
            ? nil
            : collector.value(of: "service") { () throws(InvalidValue) in try ServiceName(message.service) }
        let client: Prefix? =
            message.client.isEmpty
            ? nil : collector.value(of: "client") { () throws(InvalidValue) in try Prefix(message.client) }
        let query = collector.value(of: "limit") { () throws(InvalidValue) in
            try FlowQuery(service: service, client: client, limit: Int(message.limit))
        }
        try collector.check()
        guard let query else { throw InvalidMessage(reasons: ["limit: is missing"]) }
        self = query
    }
}

extension WireFlowList {
    public init(command: UInt64, _ list: FlowList) {
        self.init()
        self.command = command
        matching = list.matching
        complete = list.isComplete
        flows = list.flows.map { WireOpenFlow($0) }
    }

    /// The answer to a search that is not made.
    public init(command: UInt64, refusal: String) {
        self.init()
        self.command = command
        self.refusal = refusal
    }
}

extension FlowList {
    /// The list of an answer that is no refusal.
    public init(_ message: WireFlowList) throws(InvalidMessage) {
        guard message.flows.count <= FlowQuery.limits.upperBound else {
            throw InvalidMessage(
                reasons: ["\(message.flows.count) flows: expected at most \(FlowQuery.limits.upperBound)"])
        }
        var collector = ReasonCollector()
        let flows = message.flows.compactMap { $0.decoded(&collector) }
        try collector.check()
        self.init(flows: flows, matching: message.matching, isComplete: message.complete)
    }
}

extension WireOpenFlow {
    /// A hundred years: a peer's number is not to be trusted with our arithmetic.
    private static let longestMilliseconds: UInt64 = 3_155_760_000_000

    init(_ flow: OpenFlow) {
        self.init()
        switch flow.owner {
        case .nobody: break
        case .monitor: monitor = true
        case .service(let name): service = name.text
        }
        http = flow.isHTTP
        stage =
            switch flow.stage {
            case .opening: .opening
            case .dialling: .dialling
            case .relaying: .relaying
            case .lingering: .lingering
            }
        client = flow.client?.description ?? ""
        called = flow.called?.description ?? ""
        endpoint = flow.endpoint?.description ?? ""
        if let place = flow.target { target = UInt32(clamping: place) }
        bytesUp = flow.bytesUp
        bytesDown = flow.bytesDown
        ageMilliseconds = flow.age.wireMilliseconds
        idleMilliseconds = flow.idle.wireMilliseconds
        worker = UInt32(clamping: flow.worker)
    }

    /// The flow, or nil with at least one reason added.
    func decoded(_ collector: inout ReasonCollector) -> OpenFlow? {
        let before = collector.reasons.count
        var owner: OpenFlow.Owner? = monitor ? .monitor : .nobody
        if !monitor, !service.isEmpty {
            owner = collector.value(of: "service") { () throws(InvalidValue) in .service(try ServiceName(service)) }
        }
        let client = WireOpenFlow.end(client, "client", &collector)
        let called = WireOpenFlow.end(called, "called", &collector)
        let endpoint = WireOpenFlow.end(endpoint, "endpoint", &collector)
        if domainStage == nil { collector.add("stage: \(stage.rawValue) is unknown") }
        guard collector.reasons.count == before, let owner, let domainStage else { return nil }
        return OpenFlow(
            owner: owner, isHTTP: http, stage: domainStage, client: client, called: called, endpoint: endpoint,
            target: hasTarget ? Int(target) : nil, bytesUp: bytesUp, bytesDown: bytesDown,
            age: .milliseconds(Int64(min(ageMilliseconds, WireOpenFlow.longestMilliseconds))),
            idle: .milliseconds(Int64(min(idleMilliseconds, WireOpenFlow.longestMilliseconds))), worker: Int(worker))
    }

    private var domainStage: OpenFlow.Stage? {
        switch stage {
        case .opening: .opening
        case .dialling: .dialling
        case .relaying: .relaying
        case .lingering: .lingering
        case .UNRECOGNIZED: nil
        }
    }

    private static func end(
        _ text: String, _ subject: String, _ collector: inout ReasonCollector
    ) -> TransportAddress? {
        guard !text.isEmpty else { return nil }
        return collector.value(of: subject) { () throws(InvalidValue) in try TransportAddress(text) }
    }
}

extension Duration {
    fileprivate var wireMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) &* 1000 &+ UInt64(max(0, attoseconds) / 1_000_000_000_000_000)
    }
}
