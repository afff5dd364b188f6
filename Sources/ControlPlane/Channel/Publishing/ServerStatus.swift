package import Domain

/// What the control plane knows of one server's data plane.
package struct ServerStatus: Sendable, Equatable {
    /// The snapshot that the data plane would not take; it serves on with the version that it has applied.
    package struct Refusal: Sendable, Equatable {
        package let version: SnapshotVersion
        package let reasons: [String]

        package init(version: SnapshotVersion, reasons: [String]) {
            self.version = version
            self.reasons = reasons
        }
    }

    /// Since when its session has been up, in seconds since 1970; nil when there is none.
    package var connectedSince: Double?
    /// When its last session ended, if there was one since this control plane started.
    var disconnectedAt: ContinuousClock.Instant?
    /// The version that it has said it applied and serves with; nil when it has none. Without a session, what it said
    /// in the last one.
    package var appliedVersion: SnapshotVersion?
    /// The refusal that is still in force: of a version newer than the applied one.
    package var refusal: Refusal?
    package var softwareVersion: String?
    package var draining = false
    package var connectionsOpen: UInt64 = 0
    package var connectionsTotal: UInt64 = 0
    /// Where its session comes from: an address and a port, or `unix`.
    package var sessionAddress: String?
    /// Until when the certificate of its session holds, in seconds since 1970; nil for a session over the Unix socket.
    package var certificateExpires: Double?
    /// For how long its process has been running, in seconds.
    package var uptime: UInt64 = 0
    /// The load average of its machine for each processor, times 100.
    package var loadPercent: UInt32 = 0
    /// How often, in this session, its services' endpoints could not be connected to.
    package var connectFailures: [String: UInt64] = [:]

    package init() {}

    package var connected: Bool { connectedSince != nil }

    /// Why the server must not be chosen to take over another's traffic, the newest version being `current`; nil when
    /// it may be.
    package func standbyObstacle(at current: SnapshotVersion) -> String? {
        if !connected { return "it is not connected" }
        if draining { return "it is draining" }
        if let refusal { return "it has refused version \(refusal.version)" }
        guard let appliedVersion else { return "it has applied no version" }
        return appliedVersion < current ? "it has applied version \(appliedVersion), not \(current) yet" : nil
    }
}

/// What a data plane saw when it resolved an endpoint and connected to it.
package struct EndpointCheck: Sendable, Equatable {
    package struct Attempt: Sendable, Equatable {
        package let address: String
        package let port: Int
        /// Nil when it connected.
        package let error: String?
        package let connectTime: Duration

        package init(address: String, port: Int, error: String?, connectTime: Duration) {
            self.address = address
            self.port = port
            self.error = error
            self.connectTime = connectTime
        }
    }

    /// Nil when the name was resolved, or the host is an address.
    package let resolveError: String?
    /// For how long the answer holds; nil for an address.
    package let timeToLive: Duration?
    package let resolveTime: Duration
    package let attempts: [Attempt]

    package init(resolveError: String?, timeToLive: Duration?, resolveTime: Duration, attempts: [Attempt]) {
        self.resolveError = resolveError
        self.timeToLive = timeToLive
        self.resolveTime = resolveTime
        self.attempts = attempts
    }
}
