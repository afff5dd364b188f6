import ArgumentParser

extension Resource {
    static var versions: Resource {
        Resource(
            plural: "versions",
            emptiness: "no versions yet; the first change makes one",
            columns: [
                .init("VERSION", .right) { $0["version"].integer.map(String.init) ?? "" },
                .init("AT (UTC)") { $0["at"].text?.shortTime ?? "" },
                .init("AUTHOR") { $0["author"].text ?? "" },
                .init("SUMMARY") { version in
                    let summary = version["summary"].text ?? ""
                    return version["restoredFrom"].integer.map { "\(summary) (restored from \($0))" } ?? summary
                },
            ],
            details: { version in
                var details = Details()
                details.add("version", version["version"].integer.map(String.init))
                details.add("at", version["at"].text.map { "\($0.shortTime) UTC" })
                details.add("author", version["author"].text)
                details.add("summary", version["summary"].text)
                if let origin = version["restoredFrom"].integer { details.add("restored from", String(origin)) }
                return details
            })
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Every change there was, who made it, and the way back.",
        subcommands: [List.self, Show.self, Diff.self, Restore.self],
        aliases: ["versions"]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List versions, the newest first.")
        @OptionGroup var list: HistoryOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.versions, limit: list.limit) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a version and what it changed.")
        @Argument(help: "The version's number.")
        var version: Int
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(Call(.get, "versions", String(version))).body
                if conversation.printsJSON { return output(answer.pretty) }
                let lines = Resource.versions.details(answer).lines + ChangesReport.lines(answer["changes"].items)
                output(lines.joined(separator: "\n"))
            }
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what differs between two versions.")
        @Argument(help: "The version to compare from.")
        var from: Int
        @Argument(help: "The version to compare to; it may be the older one.")
        var to: Int
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(
                    Call(.get, "versions", String(from), "diff", String(to))
                )
                .body
                if conversation.printsJSON { return output(answer.pretty) }
                let changes = answer["changes"].items
                output(
                    changes.isEmpty
                        ? "versions \(from) and \(to) say the same"
                        : ChangesReport.lines(changes).joined(separator: "\n"))
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make everything as it was at a version; this is a new version itself.",
            discussion: "Try it with --dry-run first: it takes back everybody's changes since then.")
        @Argument(help: "The version to go back to.")
        var version: Int
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let call = Call(.post, "versions", String(version), "restore")
            try await connection.converse { try await $0.change(call, change, done: "restored version \(version)") }
        }
    }
}
