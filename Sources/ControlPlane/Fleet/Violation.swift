import Domain

/// One thing that is wrong with a proposed change: where, and what would be right.
struct Violation: Error, Equatable, Sendable {
    enum Kind: Sendable {
        /// The value is wrong in itself, or with what it refers to.
        case invalid
        /// The value would do, were it not for what another resource already has.
        case conflict
    }

    let kind: Kind
    /// Where in the document, as a JSON pointer (RFC 6901).
    let pointer: String
    /// A sentence for the person who sent it.
    let detail: String

    static func invalid(_ pointer: String, _ detail: String) -> Violation {
        Violation(kind: .invalid, pointer: pointer, detail: detail)
    }

    static func conflict(_ pointer: String, _ detail: String) -> Violation {
        Violation(kind: .conflict, pointer: pointer, detail: detail)
    }

    /// The detail, with the place before it when there is one.
    var sentence: String { pointer.isEmpty ? detail : "\(pointer): \(detail)" }

    /// The same under another place.
    func under(_ prefix: String) -> Violation {
        Violation(kind: kind, pointer: prefix + pointer, detail: detail)
    }
}

/// Everything that is wrong with a proposed change. It changes nothing.
struct Rejection: Error, Equatable, Sendable {
    let violations: [Violation]

    /// A conflict only when nothing is wrong with the request itself.
    var isConflict: Bool { violations.allSatisfy { $0.kind == .conflict } }
}

/// Collects what is wrong while a document is read.
///
/// A class, as readers of nested objects share it; it never leaves the function that made it.
final class Findings {
    private(set) var violations: [Violation] = []
    private var omitted = 0

    /// Enough for any honest mistake; a megabyte of wrong fields is not answered by twenty megabytes.
    static let most = 100

    func add(_ violation: Violation) {
        if violations.count < Findings.most { violations.append(violation) } else { omitted += 1 }
    }

    func add(_ pointer: String, _ problem: InvalidValue) {
        add(.invalid(pointer, "\(problem)."))
    }

    /// What was found, with a last word on what was left out.
    var all: [Violation] {
        omitted == 0 ? violations : violations + [.invalid("", "\(omitted) more fields are wrong in the same request.")]
    }
}
