/// How the device's address is told to the endpoint in plain HTTP.
public enum ForwardedFor: String, Hashable, Sendable, CaseIterable {
    /// Add the device's address to the `X-Forwarded-For` that the device sent, if any.
    case append
    /// Drop what the device sent, and send its address alone.
    case replace
    /// Leave the request as it is.
    case off
}

/// What becomes of the other fields of a plain HTTP request that tell where it came from: `Forwarded`, `X-Real-IP`,
/// `X-Forwarded-Proto`, `X-Forwarded-Host`, `X-Forwarded-Port` and whatever else begins so. A device can write into
/// them whatever it likes.
public enum ForwardedFields: String, Hashable, Sendable, CaseIterable {
    /// Pass on what the device sent.
    case keep
    /// Drop what the device sent.
    case strip
    /// Drop what the device sent, and send our own of each.
    case set
}

/// Which PROXY protocol header each connection to the endpoint begins with.
public enum SendProxyProtocol: String, Hashable, Sendable, CaseIterable {
    case off
    case v1
    case v2
}

/// How a service's traffic is carried: the part of a service that its servers need, and all that they are told of it.
///
/// A value, but one that is copied by a single reference: snapshots of many thousands are copied at each difference.
public struct Carriage: Hashable, Sendable {
    private final class Content: Sendable {
        let clientDomains: [ClientDomain]
        let endpoint: Endpoint
        let acceptProxyProtocol: Bool
        let sendProxyProtocol: SendProxyProtocol
        let forwardedFor: ForwardedFor
        let forwardedFields: ForwardedFields?
        let limits: ServiceLimits
        let access: ClientAccess
        let flowLog: FlowLog

        init(
            clientDomains: [ClientDomain], endpoint: Endpoint, acceptProxyProtocol: Bool,
            sendProxyProtocol: SendProxyProtocol, forwardedFor: ForwardedFor, forwardedFields: ForwardedFields?,
            limits: ServiceLimits, access: ClientAccess, flowLog: FlowLog
        ) {
            self.clientDomains = clientDomains
            self.endpoint = endpoint
            self.acceptProxyProtocol = acceptProxyProtocol
            self.sendProxyProtocol = sendProxyProtocol
            self.forwardedFor = forwardedFor
            self.forwardedFields = forwardedFields
            self.limits = limits
            self.access = access
            self.flowLog = flowLog
        }
    }

    private let content: Content

    public var clientDomains: [ClientDomain] { content.clientDomains }
    public var endpoint: Endpoint { content.endpoint }
    /// Whether the client address that a trusted sender tells in a PROXY header is believed.
    public var acceptProxyProtocol: Bool { content.acceptProxyProtocol }
    public var sendProxyProtocol: SendProxyProtocol { content.sendProxyProtocol }
    public var forwardedFor: ForwardedFor { content.forwardedFor }
    /// As it was said; nil when nobody said anything, and `forwardedFieldsInForce` follows from `forwardedFor`.
    public var forwardedFields: ForwardedFields? { content.forwardedFields }
    public var limits: ServiceLimits { content.limits }
    /// Which client addresses it takes connections from.
    public var access: ClientAccess { content.access }
    public var flowLog: FlowLog { content.flowLog }

    /// An endpoint that wants no word of the device's about its address wants none in another field either; one that
    /// takes what the device says, or looks at none of it, gets what it got before there was a choice.
    public var forwardedFieldsInForce: ForwardedFields {
        forwardedFields ?? (forwardedFor == .replace ? .strip : .keep)
    }

    public static let mostClientDomains = 1000

    public init(
        clientDomains: [ClientDomain], endpoint: Endpoint, acceptProxyProtocol: Bool = false,
        sendProxyProtocol: SendProxyProtocol = .off, forwardedFor: ForwardedFor = .append,
        forwardedFields: ForwardedFields? = nil, limits: ServiceLimits = .standard, access: ClientAccess = .open,
        flowLog: FlowLog = .standard
    ) throws(InvalidValue) {
        guard (1...Carriage.mostClientDomains).contains(clientDomains.count) else {
            throw InvalidValue(
                "\(clientDomains.count)", "is no number of client domains",
                expected: "1 to \(Carriage.mostClientDomains) of them")
        }
        if let domain = clientDomains.firstDuplicate {
            throw InvalidValue(domain.description, "is named twice", expected: "each client domain once")
        }
        for target in endpoint.targets {
            guard case .name(let host) = target.host, let domain = clientDomains.first(where: { $0.matches(host) })
            else { continue }
            throw InvalidValue(
                host.text, "is also the client domain \(domain), so traffic would go round in a loop",
                expected: "an endpoint that differs from every client domain of its service")
        }
        content = Content(
            clientDomains: clientDomains, endpoint: endpoint, acceptProxyProtocol: acceptProxyProtocol,
            sendProxyProtocol: sendProxyProtocol, forwardedFor: forwardedFor, forwardedFields: forwardedFields,
            limits: limits, access: access, flowLog: flowLog)
    }

    public static func == (left: Carriage, right: Carriage) -> Bool {
        left.content === right.content
            || left.clientDomains == right.clientDomains && left.endpoint == right.endpoint
                && left.acceptProxyProtocol == right.acceptProxyProtocol
                && left.sendProxyProtocol == right.sendProxyProtocol
                && left.forwardedFor == right.forwardedFor && left.forwardedFields == right.forwardedFields
                && left.limits == right.limits && left.access == right.access && left.flowLog == right.flowLog
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(clientDomains)
        hasher.combine(endpoint)
        hasher.combine(acceptProxyProtocol)
        hasher.combine(sendProxyProtocol)
        hasher.combine(forwardedFor)
        hasher.combine(forwardedFields)
        hasher.combine(limits)
        hasher.combine(access)
        hasher.combine(flowLog)
    }
}

/// One D-Direct configuration: client domains, an endpoint, options, and the servers that carry it.
public struct Service: Hashable, Sendable {
    public let name: ServiceName
    public let customer: CustomerName
    public let carriage: Carriage
    /// The server meant to carry its traffic.
    public let primary: ServerName
    /// The servers able to take over, in order.
    public let standbys: [ServerName]
    /// The names that steer its traffic. Without any, the customer moves the traffic.
    public let bindings: [DNSBinding]
    /// Its own uptime check, if it has one.
    public let check: ServiceCheck?

    public init(
        name: ServiceName, customer: CustomerName, carriage: Carriage, primary: ServerName, standbys: [ServerName],
        bindings: [DNSBinding] = [], check: ServiceCheck? = nil
    ) throws(InvalidValue) {
        guard Set(standbys).count == standbys.count, !standbys.contains(primary) else {
            throw InvalidValue(
                standbys.map(\.text).joined(separator: ","), "name a server twice",
                expected: "servers that differ from each other and the primary")
        }
        guard bindings.count <= DNSBinding.most else {
            throw InvalidValue(
                "\(bindings.count)", "are too many DNS bindings", expected: "at most \(DNSBinding.most)")
        }
        if let name = bindings.map(\.name).firstDuplicate {
            throw InvalidValue(name.text, "is bound twice", expected: "each name once")
        }
        if let check, !carriage.clientDomains.contains(where: { $0.matches(check.host) }) {
            throw InvalidValue(
                check.host.text, "is no client domain of the service", expected: "a name that its servers route to it")
        }
        self.name = name
        self.customer = customer
        self.carriage = carriage
        self.primary = primary
        self.standbys = standbys
        self.bindings = bindings
        self.check = check
    }

    /// Every server that carries it: the primary, then the standbys.
    public var servers: [ServerName] { [primary] + standbys }
}

/// Who pays for the traffic.
public struct Customer: Hashable, Sendable {
    public let name: CustomerName

    public init(name: CustomerName) { self.name = name }
}
