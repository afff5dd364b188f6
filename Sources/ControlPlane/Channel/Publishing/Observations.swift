import Domain
import Wire

extension EndpointCheck {
    init(_ message: WireEndpointCheck) {
        self.init(
            resolveError: message.resolveError.isEmpty ? nil : message.resolveError,
            timeToLive: message.ttlSeconds == 0 ? nil : .seconds(Int64(message.ttlSeconds)),
            resolveTime: .boundedMicroseconds(message.resolveMicroseconds),
            attempts: message.attempts.map { Attempt($0) })
    }
}

extension EndpointCheck.Attempt {
    init(_ message: WireAttempt) {
        self.init(
            address: message.address, port: Int(message.port), error: message.error.isEmpty ? nil : message.error,
            connectTime: .boundedMicroseconds(message.connectMicroseconds))
    }
}

extension Duration {
    /// Cut to a year: a peer's number is not to be trusted with our arithmetic.
    static func boundedMicroseconds(_ count: UInt64) -> Duration {
        .microseconds(Int64(min(count, 31_536_000_000_000)))
    }
}

extension ServerStatus {
    mutating func observe(_ load: WireLoad) {
        connectionsOpen = load.connectionsOpen
        connectionsTotal = load.connectionsTotal
        draining = load.draining
        uptime = load.uptimeSeconds
        loadPercent = load.loadPercent
        for report in load.failures { connectFailures[report.service, default: 0] &+= report.connectFailures }
    }

    mutating func applied(_ version: SnapshotVersion) {
        appliedVersion = version
        if let refusal, refusal.version <= version { self.refusal = nil }
    }

    /// The newest version that the data plane has answered, as far as we know.
    var answeredVersion: SnapshotVersion? {
        switch (appliedVersion, refusal?.version) {
        case (let applied?, let refused?): max(applied, refused)
        case (let applied, let refused): applied ?? refused
        }
    }
}
