import Domain
import FoundationEssentials
import JSON

/// Something that somebody is to be told of at once, as it is sent to webhooks: at least once, always with the same ID
/// and the same body.
package struct Alert: Sendable, Equatable {
    /// Milliseconds since 1970, or the next number when that one is taken.
    ///
    /// Receivers tell by it what they have had already. So a number must never come back, neither after old alerts were
    /// forgotten nor after an old backup was restored. It is exact in a Double, which is all that JSON has in some
    /// languages.
    let id: Int64
    let at: Date
    let kind: String
    /// The JSON text that is sent.
    let body: String
}

extension FleetEvent.Kind {
    /// Whether somebody has to know. The others are for those who watch.
    var isAlert: Bool {
        switch self {
        case .serverFailed, .serverRecovered, .answersMissing, .answersBack, .serverOverridden, .failoverDecided,
            .failoverVerified, .failoverConflict,
            .failoverHeld, .failoverEnded, .failoverAbandoned, .failbackReady, .standbyUnready, .standbyReady,
            .fleetFrozen, .fleetUnfrozen:
            true
        case .change, .sessionConnected, .sessionEnded, .versionRefused, .versionApplied, .serverDraining,
            .serverUndrained, .serverAccepted, .serverEnrolled, .serverRevoked, .channelRefused, .serverSuspect,
            .failoverWritten, .gap:
            false
        }
    }
}

extension Alert {
    /// In Unicode scalars. Details quote reasons that come from outside.
    static let longestDetail = 2000

    /// The members of the body that depend on what happened; the ID, the time and the kind are added where the alert is
    /// stored.
    static func members(server: ServerName?, failover: Int64?, detail: String) -> JSONObject {
        [
            "server": server.map { .string($0.text) } ?? .null,
            "failover": failover.map { .integer(Int(clamping: $0)) } ?? .null,
            "detail": .string(bounded(detail)),
        ]
    }

    private static func bounded(_ text: String) -> String {
        guard text.unicodeScalars.count > longestDetail else { return text }
        return String(text.unicodeScalars.prefix(longestDetail - 1)) + "…"
    }
}

/// An alert that one webhook has not had yet.
struct AlertDelivery: Sendable, Equatable {
    let alert: Alert
    let url: String
    /// How many times it was tried.
    let attempts: Int

    /// The scheme, host and port of the URL: what logs may have, since the path of a webhook is often its password.
    var receiver: String { AlertDelivery.receiver(of: url) }

    static func receiver(of url: String) -> String {
        guard let scheme = url.range(of: "://") else { return "a webhook" }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        return url[..<scheme.upperBound] + String(authority)
    }
}
