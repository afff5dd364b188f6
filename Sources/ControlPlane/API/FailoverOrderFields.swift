import Domain
import Failover
import Fleet
import FoundationEssentials
import Store

/// The fields of orders to failover, as they are read and described.
enum FailoverOrderFields {
    /// Why something is done that others will want to know the reason of.
    static let reason = TextField("reason", .text(reasonLengths), expected: "why, in a few words") {
        text throws(InvalidValue) in
        guard reasonLengths.contains(text.unicodeScalars.count) else {
            throw InvalidValue(String(text.prefix(80)), "is no reason", expected: "1 to 500 characters")
        }
        return text
    }

    static let force = FlagField("force", standard: false)
    /// The same for a failover, where more is passed over.
    static let forceFailover = FlagField(
        "force", standard: false,
        note: "Pass over what is known against standbys, and replace records that are not as expected.")

    /// A drill that is over before resolvers have heard of it shows nothing, and after a week it is none.
    static let forSeconds = IntegerField(
        "forSeconds", in: 1...604_800, isNullable: true, expected: "a whole number of seconds, or null")

    static let state = TextField("state", .words(of: ServerOverride.State.self), expected: "'up' or 'down'") {
        text throws(InvalidValue) in
        guard let state = ServerOverride.State(rawValue: text) else {
            throw InvalidValue(text, "is no state", expected: "'up' or 'down'")
        }
        return state
    }

    static let until = TextField("until", .timestamp, expected: momentToCome) { text throws(InvalidValue) in
        guard let date = Timestamp.date(text), date > Date() else {
            throw InvalidValue(text, "is no moment to come", expected: momentToCome)
        }
        return date
    }

    /// In Unicode scalars.
    private static let reasonLengths = 1...500
    private static let momentToCome = "a moment to come, such as 2026-03-01T12:00:00Z"
}
