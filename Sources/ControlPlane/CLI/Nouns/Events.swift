import ArgumentParser
import JSON

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "What happens in the fleet: changes, sessions of servers, refusals.",
        discussion: """
            The control plane keeps the newest events in memory; for what was changed by whom, ever, see `ddirect version list` and \
            `ddirect audit list`. With --follow events are printed as they happen, until Ctrl-C, also when the control plane is \
            restarted in the meantime; a line 'gap' says that some are not known any more.
            """)
    @Flag(help: "Print what comes from now on, as it happens.")
    var follow = false

    @Option(
        help: ArgumentHelp(
            "Begin behind this event, whose id --json prints. (default: all, or with --follow none)", valueName: "id"))
    var after: String?

    @OptionGroup var connection: APIOptions

    func run() async throws {
        try await APIClient.with(try connection.access(), silence: EventReader.longestSilence) { client in
            let reader = EventReader(client: client, after: after)
            guard follow else {
                var isEmpty = true
                try await reader.read { event in
                    isEmpty = false
                    show(event)
                }
                if isEmpty, !connection.json { output(after == nil ? "no events yet" : "no events since then") }
                return
            }
            try await reader.follow { show($0) }
        }
    }

    private func show(_ event: JSONValue) { output(connection.json ? event.compact : EventsCommand.line(event)) }

    /// One event for people. The columns are as wide as what most often stands in them, for nobody knows what is still
    /// to come.
    static func line(_ event: JSONValue) -> String {
        let columns: [(text: String?, width: Int)] = [
            (event["at"].text?.shortTime, 19), (event["kind"].text, 17), (event["server"].text, 8),
            (event["version"].integer.map(String.init), 6), (event["author"].text, 8),
        ]
        let cells = columns.map { column in
            let text = column.text?.printable ?? "-"
            return text + String(repeating: " ", count: max(0, column.width - text.count))
        }
        return (cells + [(event["detail"].text ?? "").printable]).joined(separator: "  ")
    }
}
