import ArgumentParser

extension Resource {
    static var audit: Resource {
        Resource(
            plural: "audit",
            emptiness: "the audit trail is empty",
            columns: [
                .init("AT (UTC)") { $0["at"].text?.shortTime ?? "" },
                .init("AUTHOR") { $0["author"].text ?? "" },
                .init("ACTION") { $0["action"].text ?? "" },
                .init("TARGET") { $0["target"].text ?? "" },
                .init("OUTCOME") { $0["outcome"].text ?? "" },
                .init("VERSION", .right) { $0["version"].integer.map(String.init) ?? "" },
                .init("DETAIL") { $0["detail"].text ?? "" },
            ],
            details: { _ in Details() })
    }
}

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Who did what, refused attempts and token events included.",
        subcommands: [List.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the audit trail, the newest first.")
        @OptionGroup var list: HistoryOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.audit, limit: list.limit) }
        }
    }
}
