package import Domain

/// The place that a probe is made from: the control plane itself, or the data plane of a server on its behalf.
package enum Vantage: Hashable, Sendable, Comparable, CustomStringConvertible {
    case control
    case server(ServerName)

    package var description: String {
        switch self {
        case .control: "control"
        case .server(let server): server.text
        }
    }
}

/// How one round of a probe ended.
///
/// A round of which nothing is known, since its vantage was hindered, has no outcome: a vantage in trouble falls
/// silent, and must not look like a fleet in trouble.
package struct ProbeOutcome: Sendable, Equatable {
    /// The server that was probed, or through which a service was.
    package let server: ServerName
    /// Whose own check it was; nil for the server's monitor endpoint.
    package let service: ServiceName?
    package let vantage: Vantage
    /// Why the round was missed, and at which address and port, on one line of no more than `longestError` characters;
    /// nil when it was answered.
    package let error: String?
    /// Of a missed round: connections were taken at every address and port that was missed, and no answer came.
    package let accepted: Bool
    /// From the start of the round to its end.
    let duration: Duration
    /// When it ended, or when we heard of it.
    package let at: ContinuousClock.Instant

    /// What a server, an endpoint or a certificate says of itself may stand in a reason, and reasons are kept, logged
    /// and shown.
    static let longestError = 300

    package init(
        server: ServerName, service: ServiceName?, vantage: Vantage, error: String?, accepted: Bool = false,
        duration: Duration, at: ContinuousClock.Instant
    ) {
        self.server = server
        self.service = service
        self.vantage = vantage
        self.error = error.map { text in
            // By scalars: one character may be made of any number of them.
            var line = String.UnicodeScalarView()
            for scalar in text.unicodeScalars.prefix(ProbeOutcome.longestError) {
                line.append(scalar.properties.generalCategory == .control ? " " : scalar)
            }
            return String(line)
        }
        self.accepted = accepted && error != nil
        self.duration = duration
        self.at = at
    }
}
