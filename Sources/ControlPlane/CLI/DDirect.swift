import ArgumentParser

/// The operator's command line: a client of the API, and nothing else.
@main
struct DDirect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ddirect",
        abstract: "Runs a D-Direct fleet from the command line.",
        discussion: """
            The API is at --api, DDIRECT_API, where `ddirect login` was told, or http://127.0.0.1:7080. The token comes from \
            --token-file, DDIRECT_TOKEN, DDIRECT_TOKEN_FILE or `ddirect login`, whichever is there first.

            Exit codes: 0 done; 1 refused by the API; 2 changed but not applied everywhere, an endpoint check failed, \
            or a failover would be stopped or has not come to its end; 64 wrong usage; 69 the API cannot be reached; 70 the API failed; \
            74 the output cannot be written; 77 unauthorized.
            """,
        version: "0.1.0",
        subcommands: [
            CustomerCommand.self, ServerCommand.self, ServiceCommand.self, EndpointCommand.self, ZoneCommand.self,
            SettingsCommand.self, VersionCommand.self, FailoverCommand.self, FailbackCommand.self, FreezeCommand.self,
            UnfreezeCommand.self, FlowsCommand.self,
            AuditCommand.self, EventsCommand.self, TokenCommand.self, LoginCommand.self, CompletionsCommand.self,
        ]
    )

    static func main() async {
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            say(failure.description)
            exit(withError: failure.exit)
        } catch {
            exit(withError: error)
        }
    }
}
