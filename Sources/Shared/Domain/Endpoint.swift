/// A TCP port that can be connected to: 1 to 65535.
public struct Port: Hashable, Sendable, CustomStringConvertible {
    public let number: UInt16

    public static let numbers = 1...65535

    public init(_ number: Int) throws(InvalidValue) {
        guard Port.numbers.contains(number) else {
            throw InvalidValue(String(number), "is not a port", expected: "a whole number from 1 to 65535")
        }
        self.number = UInt16(number)
    }

    public static let http = Port(known: 80)
    public static let https = Port(known: 443)

    private init(known number: UInt16) { self.number = number }

    public var description: String { String(number) }
}

/// Where an endpoint is: a name that the data plane keeps resolved, or an address.
public enum EndpointHost: Hashable, Sendable, CustomStringConvertible {
    case name(DomainName)
    case address(Address)

    public init(_ text: String) throws(InvalidValue) {
        if let address = Address(parsing: text.utf8Span.span) {
            self = .address(address)
            return
        }
        do {
            self = .name(try DomainName(text))
        } catch {
            throw InvalidValue(
                error.value, error.problem, expected: "a domain such as origin.acme.example, or an IP address")
        }
    }

    public var description: String {
        switch self {
        case .name(let name): name.text
        case .address(let address): address.description
        }
    }
}

/// One place that can take a service's traffic: a host, and the ports that stand for our 80 and 443 there.
public struct EndpointTarget: Hashable, Sendable {
    public let host: EndpointHost
    public let httpPort: Port
    public let httpsPort: Port

    public init(host: EndpointHost, httpPort: Port = .http, httpsPort: Port = .https) {
        self.host = host
        self.httpPort = httpPort
        self.httpsPort = httpsPort
    }
}

/// Where a service's traffic is forwarded to, and where it goes, in order, when that cannot be connected to.
public struct Endpoint: Hashable, Sendable {
    public let target: EndpointTarget
    public let fallbacks: [EndpointTarget]
    /// How they are checked; nil when a failed connect alone tells.
    public let check: HealthCheck?

    /// Enough for a second site and a page that says sorry; each costs a device the time of a failed connect.
    public static let mostFallbacks = 4

    public init(_ target: EndpointTarget, fallbacks: [EndpointTarget] = [], check: HealthCheck? = nil)
        throws(InvalidValue)
    {
        guard fallbacks.count <= Endpoint.mostFallbacks else {
            throw InvalidValue(
                "\(fallbacks.count)", "are too many fallbacks", expected: "at most \(Endpoint.mostFallbacks)")
        }
        guard fallbacks.isEmpty || ([target] + fallbacks).firstDuplicate == nil else {
            throw InvalidValue(
                target.host.description, "is named twice",
                expected: "fallbacks that differ from each other and the endpoint")
        }
        self.target = target
        self.fallbacks = fallbacks
        self.check = check
    }

    /// The endpoint and its fallbacks, in the order in which they are tried.
    public var targets: [EndpointTarget] { [target] + fallbacks }
}
