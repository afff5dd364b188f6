import ArgumentParser
import JSON

extension Resource {
    static var zones: Resource {
        Resource(
            plural: "zones",
            emptiness: "no zones yet; `ddirect zone create --help` says what one needs",
            columns: [
                .init("NAME") { $0["name"].text ?? "" },
                .init("PROVIDER") { $0["provider"]["kind"].text ?? "" },
                .init("AT") { place($0["provider"]) ?? "" },
                .init("CREDENTIAL") { $0["provider"]["credential"].text ?? "" },
                .init("AUTHORITIES") { abbreviated($0["authorities"].texts) },
            ],
            details: { zone in
                var details = Details()
                let provider = zone["provider"]
                details.add("name", zone["name"].text)
                details.add("provider", provider["kind"].text)
                details.add("at", place(provider))
                if let key = provider["keyName"].text {
                    details.add("key", provider["algorithm"].text.map { "\(key) (\($0))" } ?? key)
                }
                if let server = provider["serverID"].text { details.add("server ID", server) }
                if let hostedZone = provider["hostedZone"].text { details.add("hosted zone", hostedZone) }
                details.add("credential", provider["credential"].text)
                let authorities = zone["authorities"].texts
                details.add("authorities", authorities.isEmpty ? ["those of its NS records"] : authorities)
                details.addHistory(of: zone)
                return details
            })
    }

    /// Where changes of the zone go, whatever the kind of its provider.
    private static func place(_ provider: JSONValue) -> String? {
        ["server", "url", "hostedZone", "command"].lazy.compactMap { provider[$0].text }.first
    }
}

struct ZoneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zone",
        abstract: "The DNS zones whose records steer traffic, and who changes them.",
        subcommands: [List.self, Show.self, Create.self, Edit.self, Delete.self],
        aliases: ["zones"]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all zones.")
        @OptionGroup var list: ListOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.zones, limit: list.limit) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a zone.")
        @Argument(help: "The zone's apex.", completion: .zones)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.show(.zones, name) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a zone.",
            discussion: """
                For example: ddirect zone create acme.example --provider rfc2136 --server 192.0.2.53:53 --key-name ddirect \
                --credential acme-tsig

                The credential is a file of that name among the control plane's credentials; its content is never sent here.
                """)
        @Argument(help: "The zone's apex, such as acme.example.")
        var name: String
        @OptionGroup var options: ZoneOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        mutating func validate() throws {
            if options.provider == nil { throw ValidationError("a new zone needs --provider") }
        }

        func run() async throws {
            let members = try options.members(replacing: false).adding(["name": .string(name)])
            let call = Call(creating: "zones", members)
            try await connection.converse { try await $0.change(call, change, done: "created zone \(name)") }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a zone. What is not given stays as it is.",
            discussion: "With --provider, what belongs to the other kinds of provider is dropped.")
        @Argument(help: "The zone's apex.", completion: .zones)
        var name: String
        @OptionGroup var options: ZoneOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let call = try Call(editing: name, of: "zones", options.members(replacing: true), revision)
            try await connection.converse { try await $0.change(call, change, done: "changed zone \(name)") }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a zone that no service has names in. Its records stay as they are.")
        @Argument(help: "The zone's apex.", completion: .zones)
        var name: String
        @OptionGroup var delete: DeleteOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try delete.confirm("zone \(name)", dryRun: change.dryRun)
            let call = Call(deleting: name, of: "zones", revision)
            try await connection.converse { try await $0.change(call, change, done: "deleted zone \(name)") }
        }
    }
}
