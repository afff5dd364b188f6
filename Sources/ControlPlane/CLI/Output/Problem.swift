import JSON

/// A refusal in the API's words (RFC 9457): what was wrong, and each field that was.
struct Problem: Equatable, CustomStringConvertible {
    struct Fault: Equatable {
        /// A JSON pointer into the request, such as `/endpoint/host`.
        let pointer: String
        let detail: String
    }

    let status: Int
    let title: String
    let detail: String?
    let faults: [Fault]

    /// Reads a problem; an answer that is not one (from something between us and the API) still gets a sentence.
    init(status: Int, body: JSONValue) {
        self.status = status
        title = body["title"].text ?? "the API answered \(status)"
        detail = body["detail"].text
        faults = body["errors"].items.map { fault in
            Fault(pointer: fault["pointer"].text ?? "", detail: fault["detail"].text ?? fault.compact)
        }
    }

    /// The sentence, then one line per field.
    var description: String {
        // Without fields the detail says it all, and better than the title of its kind.
        guard !faults.isEmpty else { return (detail ?? title).printable }
        let sentence = detail.map { $0 == title || faults.map(\.detail) == [$0] ? title : "\(title): \($0)" } ?? title
        let lines = faults.map { fault in
            fault.pointer.isEmpty
                ? "  \(fault.detail.printable)" : "  \(fault.pointer.printable): \(fault.detail.printable)"
        }
        return ([sentence.printable] + lines).joined(separator: "\n")
    }
}
