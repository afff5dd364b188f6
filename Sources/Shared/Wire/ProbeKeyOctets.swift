public import Domain

/// The key of a message, for those who have no `Data`.
extension WireWatchTarget {
    /// Nil when there is none, or what there is is none.
    public var key: ProbeKey? { ProbeKey(octets: [UInt8](probeKey)) }
}
