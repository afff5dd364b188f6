public import Domain

/// What the control plane knows of one server's data plane.
public struct ServerStatus: Sendable, Equatable {
    /// The snapshot that the data plane would not take; it serves on with the version that it has applied.
    public struct Refusal: Sendable, Equatable {
        public let version: SnapshotVersion
        public let reasons: [String]

        public init(version: SnapshotVersion, reasons: [String]) {
            self.version = version
            self.reasons = reasons
        }
    }

    /// Since when its session has been up, in seconds since 1970; nil when there is none.
    public var connectedSince: Double?
    /// When its last session ended, if there was one since this control plane started.
    var disconnectedAt: ContinuousClock.Instant?
    /// The version that it has said it applied and serves with; nil when it has none. Without a session, what it said in the last one.
    public var appliedVersion: SnapshotVersion?
    /// The refusal that is still in force: of a version newer than the applied one.
    public var refusal: Refusal?
    public var softwareVersion: String?
    public var draining = false
    public var connectionsOpen: UInt64 = 0
    public var connectionsTotal: UInt64 = 0
    /// Where its session comes from: an address and a port, or `unix`.
    public var sessionAddress: String?
    /// Until when the certificate of its session holds, in seconds since 1970; nil for a session over the Unix socket.
    public var certificateExpires: Double?
    /// For how long its process has been running, in seconds.
    public var uptime: UInt64 = 0
    /// The load average of its machine for each processor, times 100.
    public var loadPercent: UInt32 = 0
    /// How often, in this session, its services' endpoints could not be connected to.
    public var connectFailures: [String: UInt64] = [:]

    public init() {}

    public var connected: Bool { connectedSince != nil }

    /// Why the server must not be chosen to take over another's traffic, the newest version being `current`; nil when it may be.
    func standbyObstacle(at current: SnapshotVersion) -> String? {
        if !connected { return "it is not connected" }
        if draining { return "it is draining" }
        if let refusal { return "it has refused version \(refusal.version)" }
        guard let appliedVersion else { return "it has applied no version" }
        return appliedVersion < current ? "it has applied version \(appliedVersion), not \(current) yet" : nil
    }
}

/// What a data plane saw when it resolved an endpoint and connected to it.
public struct EndpointCheck: Sendable, Equatable {
    public struct Attempt: Sendable, Equatable {
        public let address: String
        public let port: Int
        /// Nil when it connected.
        public let error: String?
        public let connectTime: Duration

        public init(address: String, port: Int, error: String?, connectTime: Duration) {
            self.address = address
            self.port = port
            self.error = error
            self.connectTime = connectTime
        }
    }

    /// Nil when the name was resolved, or the host is an address.
    public let resolveError: String?
    /// For how long the answer holds; nil for an address.
    public let timeToLive: Duration?
    public let resolveTime: Duration
    public let attempts: [Attempt]

    public init(resolveError: String?, timeToLive: Duration?, resolveTime: Duration, attempts: [Attempt]) {
        self.resolveError = resolveError
        self.timeToLive = timeToLive
        self.resolveTime = resolveTime
        self.attempts = attempts
    }
}
