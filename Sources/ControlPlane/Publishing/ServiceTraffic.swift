import Domain

/// New connections of a service that a server has taken, by which the traffic that a failover has moved is seen to arrive.
struct ServiceTraffic: Sendable, Equatable {
    let server: ServerName
    let service: ServiceName
    /// Since the last time that the server told.
    let opened: UInt64
    /// When we heard of it.
    let at: ContinuousClock.Instant

    /// Far more than there are in the seconds between two reports: sums of these cannot overflow in any lifetime.
    static let most: UInt64 = 1 << 32
}
