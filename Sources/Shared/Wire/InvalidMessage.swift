public import Domain

/// Why a message, although well formed, makes no valid value. Every reason is named, not only the first.
public struct InvalidMessage: Error, Equatable, Sendable, CustomStringConvertible {
    public let reasons: [String]

    public init(reasons: [String]) { self.reasons = reasons }

    public init(_ inconsistency: Snapshot.Inconsistency) { reasons = inconsistency.reasons }

    public var description: String { reasons.joined(separator: "; ") }
}

/// Collects what is wrong with a message while as much of it as possible is read.
struct ReasonCollector {
    private(set) var reasons: [String] = []

    /// The value that `make` makes, or nil and a reason: what the value is of, and what is wrong with it.
    mutating func value<Value>(
        of subject: @autoclosure () -> String, _ make: () throws(InvalidValue) -> Value
    ) -> Value? {
        do {
            return try make()
        } catch {
            reasons.append("\(subject()): \(error)")
            return nil
        }
    }

    mutating func add(_ reason: String) { reasons.append(reason) }

    /// Throws what has been collected, if anything.
    func check() throws(InvalidMessage) {
        guard reasons.isEmpty else { throw InvalidMessage(reasons: reasons) }
    }
}
