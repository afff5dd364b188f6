import ArgumentParser
import JSON

struct EndpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoint",
        abstract: "Where a service's traffic is forwarded to.",
        subcommands: [Show.self, Set.self, Check.self]
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a service's endpoint and its fallbacks.")
        @Argument(help: "The service's name.", completion: .services)
        var service: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(Call(.get, "services", service)).body
                if conversation.printsJSON { return output(answer["endpoint"].pretty) }
                var details = Details()
                details.add("endpoint", answer["endpoint"]["host"].text)
                details.add("HTTP port", answer["endpoint"]["httpPort"].integer.map(String.init))
                details.add("HTTPS port", answer["endpoint"]["httpsPort"].integer.map(String.init))
                details.add("fallbacks", answer["endpoint"]["fallbacks"].items.compactMap { Target($0)?.description })
                details.add("health check", HealthCheckText.text(answer["endpoint"]["check"]))
                details.add("revision", answer["revision"].integer.map(String.init))
                output(details.lines.joined(separator: "\n"))
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a service to another endpoint (cutover).",
            discussion: """
                New connections go to the new endpoint as soon as a server has applied the change; open ones stay where they are. \
                Ports, fallbacks and the health check stay as they are where they are not given. With --wait the exit code is 0 only when every \
                server has applied it. `ddirect endpoint check SERVICE --host HOST` tries the new one beforehand.
                """)
        @Argument(help: "The service's name.", completion: .services)
        var service: String
        @Argument(
            help: ArgumentHelp("A domain or an IP address, with both ports or without.", valueName: "host[:http:https]")
        )
        var host: String
        @OptionGroup var target: EndpointOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let members: JSONObject = ["endpoint": .object(try target.members(host: host))]
            let call = try Call(editing: service, of: "services", members, revision)
            try await connection.converse {
                try await $0.change(call, change, done: "moved \(service) to \(host.printable)")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have each server that carries a service resolve and connect to its endpoint now.",
            discussion: """
                With --host, --http-port or --https-port the servers try what `ddirect endpoint set` would make of it. The exit \
                code is 0 only when each server that answered could connect to each port.
                """)
        @Argument(help: "The service's name.", completion: .services)
        var service: String
        @Option(help: ArgumentHelp("Check this endpoint instead of the present one.", valueName: "host[:http:https]"))
        var host: String?
        @Option(help: ArgumentHelp("Its port for plain HTTP.", valueName: "port"))
        var httpPort: Int?
        @Option(help: ArgumentHelp("Its port for TLS.", valueName: "port"))
        var httpsPort: Int?
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                var call = Call(.post, "services", service, "endpoint-check")
                call.isRepeatable = true
                // Names that do not resolve and hosts that do not answer take their time, on each server.
                call.patience = .seconds(60)
                call.body = [:]
                if host != nil || httpPort != nil || httpsPort != nil {
                    let present = try await conversation.client.send(Call(.get, "services", service)).body["endpoint"]
                    call.body = ["endpoint": try candidate(insteadOf: present)]
                }
                let check = EndpointCheckReport(try await conversation.client.send(call).body)
                output(conversation.printsJSON ? check.body.pretty : check.lines.joined(separator: "\n"))
                if !check.isPassed { throw Failure.incomplete(check.shortfall) }
            }
        }

        /// The endpoint that would be if this one were set, without its fallbacks.
        func candidate(insteadOf present: JSONValue) throws -> JSONValue {
            let members = try Target.members(host: host, httpPort: httpPort, httpsPort: httpsPort)
            let kept = ["host", "httpPort", "httpsPort"].map { ($0, present[$0]) }.filter { !$0.1.isNull }
            return .object(JSONObject(kept).adding(members))
        }
    }
}
