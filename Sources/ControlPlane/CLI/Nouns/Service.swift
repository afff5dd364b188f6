import ArgumentParser
import JSON

extension Resource {
    static var services: Resource {
        Resource(
            plural: "services",
            emptiness: "no services here; `ddirect service create --help` says what one needs",
            columns: [
                .init("NAME") { $0["name"].text ?? "" },
                .init("CUSTOMER") { $0["customer"].text ?? "" },
                .init("PRIMARY") { $0["primary"].text ?? "" },
                .init("STANDBYS") { $0["standbys"].texts.joined(separator: ",") },
                .init("ENDPOINT") { service in
                    abbreviated(
                        ([service["endpoint"]] + service["endpoint"]["fallbacks"].items).compactMap {
                            Target($0)?.description
                        })
                },
                .init("CLIENT DOMAINS") { abbreviated($0["clientDomains"].texts) },
            ],
            details: { service in
                var details = Details()
                details.add("name", service["name"].text)
                details.add("customer", service["customer"].text)
                details.add("client domains", service["clientDomains"].texts)
                details.add("endpoint", Target(service["endpoint"])?.description)
                details.add("fallbacks", service["endpoint"]["fallbacks"].items.compactMap { Target($0)?.description })
                details.add("health check", HealthCheckText.text(service["endpoint"]["check"]))
                details.add("primary", service["primary"].text)
                details.add("standbys", service["standbys"].texts)
                details.add(
                    "accept PROXY header", service["acceptProxyProtocol"].bool == true ? "from trusted senders" : "no")
                details.add("send PROXY header", service["sendProxyProtocol"].text)
                details.add("X-Forwarded-For", service["forwardedFor"].text)
                details.add("forwarded fields", LimitText.forwardedFields(service))
                details.add("limits", LimitText.lines(ofService: service["limits"]))
                let allowed = service["allow"].texts
                details.add("allow", allowed.isEmpty ? ["every client"] : allowed)
                details.add("deny", service["deny"].texts)
                details.add("flow log", LimitText.flowLog(service["flowLog"], unsaid: "as the server"))
                details.add("DNS", service["dns"].items.compactMap { Binding(shown: $0)?.description })
                details.add("check", ServiceCheckText.text(service["check"]))
                details.addHistory(of: service)
                return details
            })
    }
}

struct ServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Client domains, the endpoint they lead to, and the servers that carry them.",
        subcommands: [List.self, Show.self, Create.self, Edit.self, Delete.self],
        aliases: ["services"]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List services.")
        @Option(help: "Only this customer's.", completion: .customers)
        var customer: String?
        @Option(help: "Only those of which this server is primary or standby.", completion: .servers)
        var server: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let filters = [("customer", customer), ("server", server)]
            let query = filters.compactMap { name, value in value.map { (name: name, value: $0) } }
            try await connection.converse { try await $0.list(.services, query: query, limit: list.limit) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a service.")
        @Argument(help: "The service's name.", completion: .services)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.show(.services, name) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a service.",
            discussion: """
                For example: ddirect service create acme-app --customer acme --client-domain app.acme.example \
                --endpoint origin.acme.example --primary za1 --standby ie1 --wait
                """)
        @Argument(help: "Lower-case letters, digits and hyphens, such as acme-app; it stays for ever.")
        var name: String
        @OptionGroup var options: ServiceOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        mutating func validate() throws {
            let missing = [
                options.customer == nil ? "--customer" : nil, options.clientDomain.isEmpty ? "--client-domain" : nil,
                options.endpoint == nil ? "--endpoint" : nil, options.primary == nil ? "--primary" : nil,
            ].compactMap { $0 }
            if !missing.isEmpty { throw ValidationError("a new service needs \(missing.joined(separator: ", "))") }
        }

        func run() async throws {
            let call = Call(creating: "services", try options.members().adding(["name": .string(name)]))
            try await connection.converse { try await $0.change(call, change, done: "created service \(name)") }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a service. What is not given stays as it is.",
            discussion: "`ddirect endpoint set` is the short form for moving it to another endpoint.")
        @Argument(help: "The service's name.", completion: .services)
        var name: String
        @OptionGroup var options: ServiceOptions
        @OptionGroup var domains: ClientDomainOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        mutating func validate() throws {
            if !domains.areUnchanged, !options.clientDomain.isEmpty {
                throw ValidationError(
                    "--client-domain replaces the list that --add- and --remove-client-domain change; give one or the other"
                )
            }
        }

        func run() async throws {
            try await connection.converse { conversation in
                var members = try options.members()
                var revision = revision
                if !domains.areUnchanged {
                    // Read, changed and written back: a change of someone else's in between must be refused, not
                    // overwritten.
                    let service = try await conversation.client.send(Call(.get, "services", name)).body
                    members["clientDomains"] = .array(
                        try domains.applied(to: service["clientDomains"].texts).map(JSONValue.string))
                    revision.ifMatch = revision.ifMatch ?? service["revision"].integer
                }
                let call = try Call(editing: name, of: "services", members, revision)
                try await conversation.change(call, change, done: "changed service \(name)")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a service; its client domains are answered no more.")
        @Argument(help: "The service's name.", completion: .services)
        var name: String
        @OptionGroup var delete: DeleteOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try delete.confirm("service \(name)", dryRun: change.dryRun)
            let call = Call(deleting: name, of: "services", revision)
            try await connection.converse { try await $0.change(call, change, done: "deleted service \(name)") }
        }
    }
}
