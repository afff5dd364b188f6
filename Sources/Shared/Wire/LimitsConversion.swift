import Domain

extension Limit {
    /// As in messages: nil for the standard, 0 for no limit.
    fileprivate var wireNumber: UInt32? { self == .unlimited ? 0 : number }

    fileprivate init(wireNumber: UInt32?) throws(InvalidValue) {
        switch wireNumber {
        case nil: self = .standard
        case 0: self = .unlimited
        case let number?: try self.init(Int(number))
        }
    }
}

extension WireServiceLimits {
    init(_ limits: ServiceLimits) {
        self.init()
        if let number = limits.connections.wireNumber { connections = number }
        if let number = limits.newConnections.wireNumber { newConnections = number }
        if let number = limits.clientConnections.wireNumber { clientConnections = number }
        if let number = limits.newClientConnections.wireNumber { newClientConnections = number }
        if let rate = limits.minimumRate { minimumRate = rate }
    }

    /// The limits, or nil with at least one reason added.
    func decoded(of subject: @autoclosure () -> String, _ collector: inout ReasonCollector) -> ServiceLimits? {
        collector.value(of: "\(subject()): limits") { () throws(InvalidValue) in
            try ServiceLimits(
                connections: Limit(wireNumber: hasConnections ? connections : nil),
                newConnections: Limit(wireNumber: hasNewConnections ? newConnections : nil),
                clientConnections: Limit(wireNumber: hasClientConnections ? clientConnections : nil),
                newClientConnections: Limit(wireNumber: hasNewClientConnections ? newClientConnections : nil),
                minimumRate: hasMinimumRate ? minimumRate : nil)
        }
    }
}

extension WireServerLimits {
    init(_ limits: ServerLimits) {
        self.init()
        if let number = limits.clientConnections.wireNumber { clientConnections = number }
        if let number = limits.newClientConnections.wireNumber { newClientConnections = number }
        if let number = limits.clientOpenings.wireNumber { clientOpenings = number }
        if let rate = limits.minimumRate { minimumRate = rate }
    }

    /// The limits, or nil with a reason added.
    func decoded(_ collector: inout ReasonCollector) -> ServerLimits? {
        collector.value(of: "limits") { () throws(InvalidValue) in
            try ServerLimits(
                clientConnections: Limit(wireNumber: hasClientConnections ? clientConnections : nil),
                newClientConnections: Limit(wireNumber: hasNewClientConnections ? newClientConnections : nil),
                clientOpenings: Limit(wireNumber: hasClientOpenings ? clientOpenings : nil),
                minimumRate: hasMinimumRate ? minimumRate : nil)
        }
    }
}

extension WireFlowLog {
    init(_ flowLog: FlowLog) {
        self.init()
        if let number = flowLog.oneIn { oneIn = number }
        if let seconds = flowLog.interval { intervalSeconds = seconds }
    }

    /// What it says, or nil with a reason added.
    func decoded(of subject: @autoclosure () -> String, _ collector: inout ReasonCollector) -> FlowLog? {
        collector.value(of: subject()) { () throws(InvalidValue) in
            try FlowLog(
                oneIn: hasOneIn ? oneIn : nil, interval: hasIntervalSeconds ? intervalSeconds : nil)
        }
    }
}

extension WireServerOption {
    init(_ option: OneOf_Option) {
        self.init()
        self.option = option
    }

    struct Decoded {
        var limits = ServerLimits.standard
        var flowLog = FlowLog.standard
    }

    /// What `options` say; with a reason for each that is wrong, comes twice, or is of a later release.
    static func decoded(_ options: [WireServerOption], _ collector: inout ReasonCollector) -> Decoded {
        var decoded = Decoded()
        var seen = Repetitions()
        for option in options {
            switch option.option {
            case .limits(let limits):
                if seen.isFirst("limits", of: "settings", &collector) {
                    decoded.limits = limits.decoded(&collector) ?? .standard
                }
            case .flowLog(let flowLog):
                if seen.isFirst("flow log", of: "settings", &collector) {
                    decoded.flowLog = flowLog.decoded(of: "flow log", &collector) ?? .standard
                }
            case nil: collector.add("settings: have an option that this release does not know")
            }
        }
        return decoded
    }
}

extension WireServiceOption {
    private init(_ option: OneOf_Option) {
        self.init()
        self.option = option
    }

    static func options(of carriage: Carriage) -> [WireServiceOption] {
        var options: [WireServiceOption] = []
        if carriage.limits != .standard { options.append(Self(.limits(WireServiceLimits(carriage.limits)))) }
        switch carriage.forwardedFields {
        case nil: break
        case .keep: options.append(Self(.forwardedFields(.keep)))
        case .strip: options.append(Self(.forwardedFields(.strip)))
        case .set: options.append(Self(.forwardedFields(.set)))
        }
        if carriage.flowLog != .standard { options.append(Self(.flowLog(WireFlowLog(carriage.flowLog)))) }
        return options
    }

    struct Decoded {
        var limits = ServiceLimits.standard
        var forwardedFields: ForwardedFields?
        var flowLog = FlowLog.standard
    }

    /// What `options` say; with a reason for each that is wrong, comes twice, or is of a later release.
    static func decoded(
        _ options: [WireServiceOption], of subject: @autoclosure () -> String, _ collector: inout ReasonCollector
    ) -> Decoded {
        var decoded = Decoded()
        var seen = Repetitions()
        for option in options {
            switch option.option {
            case .limits(let limits):
                if seen.isFirst("limits", of: subject(), &collector) {
                    decoded.limits = limits.decoded(of: subject(), &collector) ?? .standard
                }
            case .forwardedFields(let fields):
                if seen.isFirst("forwarded fields", of: subject(), &collector) {
                    decoded.forwardedFields = fields.decoded(of: subject(), &collector)
                }
            case .flowLog(let flowLog):
                if seen.isFirst("flow log", of: subject(), &collector) {
                    decoded.flowLog = flowLog.decoded(of: "\(subject()): flow log", &collector) ?? .standard
                }
            case nil: collector.add("\(subject()): has an option that this release does not know")
            }
        }
        return decoded
    }
}

extension WireForwardedFields {
    fileprivate func decoded(
        of subject: @autoclosure () -> String, _ collector: inout ReasonCollector
    ) -> ForwardedFields? {
        switch self {
        case .keep: return .keep
        case .strip: return .strip
        case .set: return .set
        case .UNRECOGNIZED(let number):
            collector.add(
                "\(subject()): has the unknown setting \(number) for forwarded fields; expected keep, strip or set")
            return nil
        }
    }
}

/// The options that have come already.
private struct Repetitions {
    private var seen: Set<String> = []

    /// Whether `option` comes for the first time; when it does not, a reason is added.
    mutating func isFirst(
        _ option: String, of subject: @autoclosure () -> String, _ collector: inout ReasonCollector
    ) -> Bool {
        if seen.insert(option).inserted { return true }
        collector.add("\(subject()): has two options for \(option); expected one at most")
        return false
    }
}
