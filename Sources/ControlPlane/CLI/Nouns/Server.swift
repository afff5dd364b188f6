import ArgumentParser
import JSON

extension Resource {
    static var servers: Resource {
        Resource(
            plural: "servers",
            emptiness: "no servers yet; `ddirect server create NAME --region R --hostname H --address A` makes one",
            columns: [
                .init("NAME") { $0["name"].text ?? "" },
                .init("REGION") { $0["region"].text ?? "" },
                .init("STATE", value: state),
                .init("APPLIED", .right) { $0["appliedVersion"].integer.map(String.init) ?? "" },
                .init("CURRENT", .right) { $0["currentVersion"].integer.map(String.init) ?? "" },
                .init("OPEN", .right) { $0["connectionsOpen"].integer.map(String.init) ?? "" },
                .init("SERVICES", .right) { $0["services"].integer.map(String.init) ?? "" },
                .init("ADDRESSES") { abbreviated($0["addresses"].texts) },
            ],
            details: details)
    }

    /// The one thing about a server that matters most now.
    private static func state(_ server: JSONValue) -> String {
        if !server["refusal"].isNull {
            return "refused \(server["refusal"]["version"].integer.map(String.init) ?? "a version")"
        }
        if server["connected"].bool != true { return "disconnected" }
        return server["draining"].bool == true ? "draining" : "connected"
    }

    private static func details(_ server: JSONValue) -> Details {
        var details = Details()
        details.add("name", server["name"].text)
        details.add("region", server["region"].text)
        details.add("hostname", server["hostname"].text)
        details.add("addresses", server["addresses"].texts)
        details.add("trusted senders", server["trustedSenders"].texts)
        details.add(
            "default services",
            server["defaultServices"].members.keys.sorted().map {
                "\($0) → \(server["defaultServices"][$0].text ?? "none")"
            })
        details.add("watched", MonitoringText.lines(ofServer: server["monitoring"]))
        details.add("limits", LimitText.lines(ofServer: server["limits"]))
        details.add("flow log", LimitText.flowLog(server["flowLog"], unsaid: "off"))
        let since = server["connectedSince"].text.map { " since \($0.shortTime) UTC" } ?? ""
        let from = server["sessionAddress"].text.map { ", from \($0)" } ?? ""
        details.add("connected", server["connected"].bool == true ? "yes\(since)\(from)" : "no")
        details.add(
            "certificate",
            server["certificateExpiresAt"].text.map { "until \($0.shortTime) UTC, renewed by itself before" })
        details.add("draining", server["draining"].bool == true ? "yes" : "no")
        let (applied, current) = (server["appliedVersion"].integer, server["currentVersion"].integer)
        let lag = applied == current ? "the current one" : "the current one is \(current.map(String.init) ?? "unknown")"
        details.add("applied version", applied.map { "\($0), \(lag)" })
        let refusal = server["refusal"]
        details.add(
            "refused", refusal.isNull ? [] : ["version \(refusal["version"].compact):"] + refusal["reasons"].texts)
        details.add(
            "as a standby", server["standbyObstacle"].text.map { "not now: \($0)" } ?? "it could take over now")
        details.add("software", server["softwareVersion"].text)
        if server["connected"].bool == true, let up = server["uptimeSeconds"].integer {
            details.add("running", "for \(spell(seconds: up)), load \(server["loadPercent"].integer ?? 0) %")
        }
        details.add(
            "connect failures",
            server["connectFailures"].members.keys.sorted().map {
                "\($0): \(server["connectFailures"][$0].compact)"
            })
        if let open = server["connectionsOpen"].integer {
            details.add(
                "connections", "\(open) open" + (server["connectionsTotal"].integer.map { ", \($0) in total" } ?? ""))
        }
        details.add("services", server["services"].integer.map(String.init))
        details.addHistory(of: server)
        return details
    }
}

struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "The machines that carry the traffic.",
        subcommands: [
            List.self, Show.self, Create.self, Edit.self, Delete.self, Drain.self, Undrain.self, Accept.self,
            Enroll.self, Revoke.self,
            Force.self,
        ],
        aliases: ["servers"]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all servers: connected or not, and what they have applied.")
        @OptionGroup var list: ListOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.servers, limit: list.limit) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a server, and why it refused a version if it did.")
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.show(.servers, name) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a server, so that its ddirect-proxy is let in.")
        @Argument(
            help: "Lower-case letters, digits and hyphens, such as za1; ddirect-proxy is started with --server NAME.")
        var name: String
        @OptionGroup var options: ServerOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        mutating func validate() throws {
            let missing = [
                options.region == nil ? "--region" : nil, options.hostname == nil ? "--hostname" : nil,
                options.address.isEmpty ? "--address" : nil,
            ].compactMap { $0 }
            if !missing.isEmpty { throw ValidationError("a new server needs \(missing.joined(separator: ", "))") }
        }

        func run() async throws {
            let call = Call(creating: "servers", try options.members().adding(["name": .string(name)]))
            try await connection.converse { try await $0.change(call, change, done: "created server \(name)") }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a server. What is not given stays as it is.")
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var options: ServerOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let call = try Call(editing: name, of: "servers", options.members(), revision)
            try await connection.converse { try await $0.change(call, change, done: "changed server \(name)") }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a server that carries no services.")
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var delete: DeleteOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try delete.confirm("server \(name)", dryRun: change.dryRun)
            let call = Call(deleting: name, of: "servers", revision)
            try await connection.converse { try await $0.change(call, change, done: "deleted server \(name)") }
        }
    }
}
