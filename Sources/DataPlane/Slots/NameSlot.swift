/// Which endpoint name a target means: a place in each worker's table of addresses, and the number of its tenant, so
/// that addresses on their way for a former tenant are never taken for those of the present one.
struct NameSlot: BitwiseCopyable, Hashable, Sendable {
    var index: Int32
    var tenant: UInt32

    /// The responder inside this process, which is no endpoint and has no name.
    static let monitor = NameSlot(index: -1, tenant: 0)
}
