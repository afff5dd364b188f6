public import Domain

/// Where the flow log goes.
public enum FlowLogDestination: Equatable, Sendable {
    /// The process's standard output, which a unit leads into the journal.
    case standardOutput
    /// A Unix socket of datagrams on which somebody listens, a line each.
    case socket(path: String)

    /// Reads `stdout`, or `unix:` and a path.
    public init(_ text: String) throws(InvalidValue) {
        let expected = "stdout, or unix: and the path of a socket of datagrams, such as unix:/run/collector.sock"
        if text == "stdout" {
            self = .standardOutput
        } else if text.hasPrefix("unix:/"), text.utf8.count <= 5 + 107 {
            self = .socket(path: String(text.dropFirst(5)))
        } else {
            throw InvalidValue(text, "is no place for the flow log", expected: expected)
        }
    }
}
