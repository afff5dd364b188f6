import ArgumentParser
import JSON

struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "What holds for the whole fleet: how servers are watched, when services move, who is told.",
        subcommands: [Show.self, Edit.self]
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the fleet's settings.")
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                let settings = try await conversation.client.send(Call(.get, "settings")).body
                output(
                    conversation.printsJSON
                        ? settings.pretty : SettingsCommand.details(settings).lines.joined(separator: "\n"))
            }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change the fleet's settings. What is not given stays as it is.",
            discussion: "A server can have settings of its own for how it is watched: `ddirect server edit --help`.")
        @OptionGroup var options: SettingsOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let call = try Call(editingSettings: options.members(), revision)
            try await connection.converse { try await $0.change(call, change, done: "changed the settings") }
        }
    }

    static func details(_ settings: JSONValue) -> Details {
        let (monitoring, failover) = (settings["monitoring"], settings["failover"])
        func seconds(_ value: JSONValue) -> String? { value.integer.map { "\($0) s" } }
        func number(_ value: JSONValue) -> String? { value.integer.map(String.init) }
        var details = Details()
        details.add("probe interval", seconds(monitoring["intervalSeconds"]))
        details.add("probe timeout", seconds(monitoring["timeoutSeconds"]))
        details.add("threshold", number(monitoring["threshold"]))
        details.add("recovery threshold", number(monitoring["recoveryThreshold"]))
        details.add("quorum", number(monitoring["quorum"]) ?? "a majority of the vantages")
        details.add("failover", failover["automatic"].bool == false ? "manual" : "automatic")
        details.add("failback", failover["failback"].text)
        details.add("hold-down", seconds(failover["holdDownSeconds"]))
        details.add(
            "webhooks",
            settings["webhooks"].items.map { hook in
                "\(hook["url"].text ?? "") (signed with \(hook["credential"].text ?? "nothing"))"
            })
        if settings["revision"].integer == 0 {
            details.add("revision", "0, as nobody has set any")
        } else {
            details.addHistory(of: settings)
        }
        return details
    }
}

enum FailbackMode: String, CaseIterable, ExpressibleByArgument { case manual, automatic }

/// The fleet's settings on the command line; what is not given is not sent.
struct SettingsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("From one probe of a server to the next.", valueName: "seconds"))
    var probeInterval: Int?

    @Option(help: ArgumentHelp("For how long a probe may take; no longer than the interval.", valueName: "seconds"))
    var probeTimeout: Int?

    @Option(help: ArgumentHelp("How many misses in a row make a vantage call a server down.", valueName: "n"))
    var threshold: Int?

    @Option(help: ArgumentHelp("How many answers in a row make it call the server up again.", valueName: "n"))
    var recoveryThreshold: Int?

    @Option(
        help: ArgumentHelp(
            "How many vantages have to agree; 'majority' for more than half of those that report.", valueName: "n"))
    var quorum: NumberOrWord<Majority>?

    @Flag(inversion: .prefixedNo, help: "Move a failed server's services without being told to.")
    var automaticFailover: Bool?

    @Option(help: "Whether services go back by themselves, once the server has been well for the hold-down.")
    var failback: FailbackMode?

    @Option(
        help: ArgumentHelp(
            "For how long a server has to have been well before its services go back to it.", valueName: "seconds"))
    var holdDown: Int?

    @Option(
        help: ArgumentHelp(
            "CREDENTIAL=URL: where alerts are sent, and the name of the key that signs them; again for each. The list replaces the present one.",
            valueName: "credential=url"))
    var webhook: [String] = []

    @Flag(help: "Send alerts nowhere.")
    var noWebhooks = false

    func members() throws -> JSONObject {
        if noWebhooks, !webhook.isEmpty {
            throw Failure.usage("--webhook and --no-webhooks contradict each other; give one of them")
        }
        var monitoring: JSONObject = [:]
        let numbers = [
            ("intervalSeconds", probeInterval), ("timeoutSeconds", probeTimeout), ("threshold", threshold),
            ("recoveryThreshold", recoveryThreshold),
        ]
        for case (let member, let value?) in numbers { monitoring[member] = .integer(value) }
        if let quorum { monitoring["quorum"] = quorum.json }
        var failover: JSONObject = [:]
        if let automaticFailover { failover["automatic"] = .bool(automaticFailover) }
        if let failback { failover["failback"] = .string(failback.rawValue) }
        if let holdDown { failover["holdDownSeconds"] = .integer(holdDown) }
        var members: JSONObject = [:]
        if !monitoring.isEmpty { members["monitoring"] = .object(monitoring) }
        if !failover.isEmpty { members["failover"] = .object(failover) }
        if !webhook.isEmpty { members["webhooks"] = .array(try webhook.map(SettingsOptions.hook)) }
        if noWebhooks { members["webhooks"] = [] }
        return members
    }

    private static func hook(_ text: String) throws(Failure) -> JSONValue {
        guard let sign = text.firstIndex(of: "="), sign != text.startIndex, !text[..<sign].contains("/") else {
            throw .usage(
                "--webhook is '\(text.printable)'; expected CREDENTIAL=URL, such as hook-key=https://alerts.example/ddirect"
            )
        }
        return ["url": .string(String(text[text.index(after: sign)...])), "credential": .string(String(text[..<sign]))]
    }
}
