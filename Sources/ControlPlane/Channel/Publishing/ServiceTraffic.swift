package import Domain

/// New connections of a service that a server has taken, by which the traffic that a failover has moved is seen to
/// arrive.
package struct ServiceTraffic: Sendable, Equatable {
    package let server: ServerName
    package let service: ServiceName
    /// Since the last time that the server told.
    package let opened: UInt64
    /// When we heard of it.
    let at: ContinuousClock.Instant

    /// Far more than there are in the seconds between two reports: sums of these cannot overflow in any lifetime.
    static let most: UInt64 = 1 << 32
}
