import ArgumentParser

extension Resource {
    static var tokens: Resource {
        Resource(
            plural: "tokens",
            emptiness: "no tokens",
            columns: [
                .init("NAME") { $0["name"].text ?? "" },
                .init("CREATED (UTC)") { $0["createdAt"].text?.shortTime ?? "" },
            ],
            details: { _ in Details() })
    }
}

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Who may use the API.",
        subcommands: [List.self, Create.self, Delete.self],
        aliases: ["tokens"]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the tokens' names; the tokens themselves nobody can see.")
        @OptionGroup var list: ListOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.tokens, limit: list.limit) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a token and print it, this once.",
            discussion: "Only the token goes to standard output: (umask 077; ddirect token create ci > ci.token)")
        @Argument(help: "Whose it is; changes made with it carry this name as their author.")
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                // Without an idempotency key: to give the same answer again, the API would have to keep the secret.
                var call = Call(.post, "tokens")
                call.body = ["name": .string(name)]
                let answer = try await conversation.client.send(call).body
                if conversation.printsJSON { return output(answer.pretty) }
                guard let token = answer["token"].text else {
                    throw Failure.broken("the API's answer has no token in it")
                }
                output(token)
                say("This is token \(name). It is shown this once; `ddirect token delete \(name)` takes it back.")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a token; whoever uses it is refused from now on.")
        @Argument(help: "The token's name.")
        var name: String
        @OptionGroup var delete: DeleteOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try delete.confirm("token \(name)")
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(Call(.delete, "tokens", name))
                output(
                    conversation.printsJSON ? (answer.body.isNull ? "{}" : answer.body.pretty) : "deleted token \(name)"
                )
            }
        }
    }
}
