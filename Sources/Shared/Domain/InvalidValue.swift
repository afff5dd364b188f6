/// Why a value from outside was not accepted, in words for the person who sent it.
///
/// The two halves make one sentence with the value between them: `"app..example"` *has an empty label*; expected *a
/// name such as app.acme.example*.
public struct InvalidValue: Error, Equatable, Sendable, CustomStringConvertible {
    /// The value as it was sent, cut to a length that can be shown.
    public let value: String
    /// What is wrong with it, as a verb phrase: "has an empty label".
    public let problem: String
    /// What would be right, as a noun phrase: "a name such as app.acme.example".
    public let expected: String

    public init(_ value: String, _ problem: String, expected: String) {
        self.value = value.count > 80 ? String(value.prefix(77)) + "…" : value
        self.problem = problem
        self.expected = expected
    }

    public var description: String { "'\(value)' \(problem); expected \(expected)" }
}
