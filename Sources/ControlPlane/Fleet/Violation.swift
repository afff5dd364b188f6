/// One thing that is wrong with a proposed change: where, and what would be right.
package struct Violation: Error, Equatable, Sendable {
    enum Kind: Sendable {
        /// The value is wrong in itself, or with what it refers to.
        case invalid
        /// The value would do, were it not for what another resource already has.
        case conflict
    }

    let kind: Kind
    /// Where in the document, as a JSON pointer (RFC 6901).
    package let pointer: String
    /// A sentence for the person who sent it.
    package let detail: String

    package static func invalid(_ pointer: String, _ detail: String) -> Violation {
        Violation(kind: .invalid, pointer: pointer, detail: detail)
    }

    package static func conflict(_ pointer: String, _ detail: String) -> Violation {
        Violation(kind: .conflict, pointer: pointer, detail: detail)
    }

    /// The detail, with the place before it when there is one.
    package var sentence: String { pointer.isEmpty ? detail : "\(pointer): \(detail)" }

    /// The same under another place.
    package func under(_ prefix: String) -> Violation {
        Violation(kind: kind, pointer: prefix + pointer, detail: detail)
    }
}

/// Everything that is wrong with a proposed change. It changes nothing.
package struct Rejection: Error, Equatable, Sendable {
    package let violations: [Violation]

    package init(violations: [Violation]) {
        self.violations = violations
    }

    /// A conflict only when nothing is wrong with the request itself.
    package var isConflict: Bool { violations.allSatisfy { $0.kind == .conflict } }
}
