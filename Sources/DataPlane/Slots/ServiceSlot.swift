/// The bounds on slots: how many services and endpoint names one data plane can hold in its life at one time.
enum Capacity {
    static let services = 262_144
    static let names = 262_144
}

/// Slots of services that no snapshot names.
enum ServiceSlot {
    /// Connections that named no service that we know.
    static let unrouted: Int32 = 0
    /// The monitor endpoint.
    static let monitor: Int32 = 1
    static let firstFree: Int32 = 2
}
