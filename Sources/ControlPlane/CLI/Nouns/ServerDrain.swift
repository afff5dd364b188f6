import ArgumentParser

extension ServerCommand {
    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take no new connections; let open ones finish.",
            discussion:
                "A drain is a command to a connected server, not a change of its configuration: it makes no version.")
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await order(
                "drain", name, connection,
                done: "\(name) drains; `ddirect server show \(name)` shows what is still open")
        }
    }

    struct Undrain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take new connections again.")
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await order("undrain", name, connection, done: "\(name) takes new connections again")
        }
    }
}

extension ServerCommand {
    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a server take this configuration, of whatever store and version its own is.",
            discussion: """
                A server refuses a configuration of another store, or one older than its own: the database may be an old backup, or the \
                wrong one. `ddirect server show NAME` tells the refusal. This is how you say that the database is right. Open connections stay.
                """)
        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await order(
                "accept", name, connection,
                done:
                    "\(name) was told to take the configuration of this control plane; `ddirect server show \(name)` says whether it has"
            )
        }
    }
}

private func order(_ verb: String, _ name: String, _ connection: APIOptions, done sentence: String) async throws {
    var call = Call(.post, "servers", name, verb)
    call.isRepeatable = true
    try await connection.converse { conversation in
        let answer = try await conversation.client.send(call)
        output(conversation.printsJSON ? (answer.body.isNull ? "{}" : answer.body.pretty) : sentence)
    }
}
