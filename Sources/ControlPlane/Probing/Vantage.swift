import Domain

/// The place that a probe is made from: the control plane itself, or the data plane of a server on its behalf.
enum Vantage: Hashable, Sendable, Comparable, CustomStringConvertible {
    case control
    case server(ServerName)

    var description: String {
        switch self {
        case .control: "control"
        case .server(let server): server.text
        }
    }
}

/// How one round of a probe ended.
///
/// A round of which nothing is known, since its vantage was hindered, has no outcome: a vantage in trouble falls silent, and must not look
/// like a fleet in trouble.
struct ProbeOutcome: Sendable, Equatable {
    /// The server that was probed, or through which a service was.
    let server: ServerName
    /// Whose own check it was; nil for the server's monitor endpoint.
    let service: ServiceName?
    let vantage: Vantage
    /// Why the round was missed, and at which address and port; nil when it was answered.
    let error: String?
    /// From the start of the round to its end.
    let duration: Duration
    /// When it ended, or when we heard of it.
    let at: ContinuousClock.Instant
}
