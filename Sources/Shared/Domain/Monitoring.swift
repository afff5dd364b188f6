/// How a server is watched: when it is probed, and what makes it count as down.
public struct Monitoring: Hashable, Sendable {
    /// From the start of one probe to that of the next, in seconds.
    public let interval: Int
    /// For how long a probe may take, in seconds; no longer than the interval.
    public let timeout: Int
    /// How many consecutive misses of a vantage make it call the server down.
    public let threshold: Int
    /// How many consecutive answers make a vantage call it up again.
    public let recoveryThreshold: Int
    /// How many vantages have to agree; nil for more than half of those that report.
    public let quorum: Int?

    /// Down within seconds, and not at one lost probe. 60 s and 5 misses are one setting away.
    public static let standard = Monitoring(
        checkedInterval: 2, timeout: 1, threshold: 3, recoveryThreshold: 5, quorum: nil)

    public static let intervals = 1...3600
    public static let thresholds = 1...100
    public static let quorums = 1...64

    private init(checkedInterval interval: Int, timeout: Int, threshold: Int, recoveryThreshold: Int, quorum: Int?) {
        self.interval = interval
        self.timeout = timeout
        self.threshold = threshold
        self.recoveryThreshold = recoveryThreshold
        self.quorum = quorum
    }

    public init(
        interval: Int, timeout: Int, threshold: Int, recoveryThreshold: Int, quorum: Int? = nil
    ) throws(InvalidValue) {
        guard Monitoring.intervals.contains(interval) else {
            throw InvalidValue("\(interval)", "is no interval", expected: "1 to 3600 seconds")
        }
        guard (1...interval).contains(timeout) else {
            throw InvalidValue("\(timeout)", "is no timeout", expected: "1 second to the interval, \(interval) s")
        }
        for value in [threshold, recoveryThreshold] where !Monitoring.thresholds.contains(value) {
            throw InvalidValue("\(value)", "is no threshold", expected: "1 to 100 probes")
        }
        if let quorum, !Monitoring.quorums.contains(quorum) {
            throw InvalidValue("\(quorum)", "is no quorum", expected: "1 to 64 vantages, or null for a majority")
        }
        self.init(
            checkedInterval: interval, timeout: timeout, threshold: threshold, recoveryThreshold: recoveryThreshold,
            quorum: quorum)
    }
}

/// What is particular to the monitoring of one server; what is nil is as the fleet has it.
public struct MonitoringOverrides: Hashable, Sendable {
    public var interval: Int?
    public var timeout: Int?
    public var threshold: Int?
    public var recoveryThreshold: Int?
    public var quorum: Int?
    /// Where the server's public addresses answer, when something in front of it makes other ports of 80 and 443.
    public var httpPort = Port.http
    public var httpsPort = Port.https

    public init() {}

    /// The settings that hold for the server, or why there are none.
    public func resolved(over fleet: Monitoring) throws(InvalidValue) -> Monitoring {
        let interval = interval ?? fleet.interval
        return try Monitoring(
            interval: interval, timeout: timeout ?? min(fleet.timeout, interval),
            threshold: threshold ?? fleet.threshold,
            recoveryThreshold: recoveryThreshold ?? fleet.recoveryThreshold, quorum: quorum ?? fleet.quorum)
    }
}

/// A service's own uptime check: a request through the server that has to come back from the endpoint.
public struct ServiceCheck: Hashable, Sendable {
    /// Whether it goes by TLS, to 443, or in the clear, to 80.
    public let usesTLS: Bool
    /// Which of the service's names is called.
    public let host: DomainName
    /// The request's target; anything but a 5xx status, or 421 (our own answer for a name that is not carried), is an
    /// answer.
    public let path: String

    public init(usesTLS: Bool = true, host: DomainName, path: String) throws(InvalidValue) {
        self.usesTLS = usesTLS
        self.host = host
        self.path = try RequestPath.checked(path)
    }
}

/// How the endpoint and its fallbacks are checked by each data plane that carries the service.
public struct HealthCheck: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A connection to the HTTPS port.
        case tcp
        /// A TLS handshake on the HTTPS port, with a client domain as its SNI. The certificate is the device's
        /// business.
        case tls
        /// A request to the HTTP port, with a client domain as its Host; anything but a 5xx status is an answer.
        case http
    }

    public let kind: Kind
    /// Of a request; of no use otherwise.
    public let path: String
    /// In seconds.
    public let interval: Int
    /// In seconds; no longer than the interval.
    public let timeout: Int
    /// How many consecutive successes make a target healthy again.
    public let rise: Int
    /// How many consecutive failures make it unhealthy.
    public let fall: Int
    /// For how many seconds a target has to have been healthy again before traffic goes back to it.
    public let holdDown: Int

    /// In seconds, of the timeout too.
    public static let intervals = 1...3600
    /// Of `rise` and `fall`.
    public static let counts = 1...100
    public static let holdDowns = 0...86_400

    public static let standardInterval = 5
    public static let standardTimeout = 2
    public static let standardRise = 2
    public static let standardFall = 3
    public static let standardHoldDown = 30

    public init(
        kind: Kind, path: String = "/", interval: Int = standardInterval, timeout: Int = standardTimeout,
        rise: Int = standardRise, fall: Int = standardFall, holdDown: Int = standardHoldDown
    ) throws(InvalidValue) {
        guard HealthCheck.intervals.contains(interval) else {
            throw InvalidValue("\(interval)", "is no interval", expected: "1 to 3600 seconds")
        }
        guard (1...interval).contains(timeout) else {
            throw InvalidValue("\(timeout)", "is no timeout", expected: "1 second to the interval, \(interval) s")
        }
        for value in [rise, fall] where !HealthCheck.counts.contains(value) {
            throw InvalidValue("\(value)", "is no number of checks", expected: "1 to 100")
        }
        guard HealthCheck.holdDowns.contains(holdDown) else {
            throw InvalidValue("\(holdDown)", "is no hold-down", expected: "0 to 86400 seconds")
        }
        self.kind = kind
        self.path = try RequestPath.checked(path)
        self.interval = interval
        self.timeout = timeout
        self.rise = rise
        self.fall = fall
        self.holdDown = holdDown
    }
}

/// The target of a request that we make ourselves (RFC 9112 section 3.2.1, origin form).
public enum RequestPath {
    public static let longest = 1000

    public static func checked(_ path: String) throws(InvalidValue) -> String {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= longest,
            path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
        else {
            throw InvalidValue(path, "is no path", expected: "'/' and up to 999 visible ASCII characters")
        }
        return path
    }
}
