public import Logging

/// Log lines as systemd's journal wants them from standard error: the priority in front, as sd-daemon(3) has it, and no
/// time, which the journal adds itself. The sentence comes first, and then its fields, each `key=value`.
///
///     <4>No session with the control plane; traffic goes on with the configuration in force reason="no route to host" serving=41
public struct JournalLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    private let write: @Sendable (String) -> Void

    /// `write` gets whole lines, and must not tear them.
    public init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

    /// Whether standard error leads into the journal.
    public static func isWanted(environment: [String: String]) -> Bool {
        environment["JOURNAL_STREAM"]?.isEmpty == false
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { fields["error"] = "\(error)" }
        write(JournalLogHandler.line(event.level, "\(event.message)", fields))
    }

    static func line(_ level: Logger.Level, _ sentence: String, _ fields: Logger.Metadata) -> String {
        var line = "<\(priority(level))>\(oneLine(sentence))"
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(quoted("\(value)"))" }
        return line + "\n"
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    /// In quotation marks when it would not be one word without.
    private static func quoted(_ text: String) -> String {
        guard text.isEmpty || text.contains(where: { $0.isWhitespace || $0 == "\"" || $0 == "=" }) else { return text }
        let escaped = oneLine(text).map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }
        return "\"\(escaped.joined())\""
    }
}
