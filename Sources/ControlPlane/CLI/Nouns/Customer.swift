import ArgumentParser

extension Resource {
    static var customers: Resource {
        Resource(
            plural: "customers",
            emptiness: "no customers yet; `ddirect customer create NAME` makes one",
            columns: [
                .init("NAME") { $0["name"].text ?? "" },
                .init("CREATED (UTC)") { $0["createdAt"].text?.shortTime ?? "" },
            ],
            details: { customer in
                var details = Details()
                details.add("name", customer["name"].text)
                details.addHistory(of: customer)
                return details
            })
    }
}

struct CustomerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customer",
        abstract: "Who pays for the traffic.",
        subcommands: [List.self, Show.self, Create.self, Delete.self],
        aliases: ["customers"]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all customers.")
        @OptionGroup var list: ListOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.customers, limit: list.limit) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a customer.")
        @Argument(help: "The customer's name.", completion: .customers)
        var name: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.show(.customers, name) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a customer.")
        @Argument(help: "Lower-case letters, digits and hyphens, such as acme; it stays for ever.")
        var name: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            let call = Call(creating: "customers", ["name": .string(name)])
            try await connection.converse { try await $0.change(call, change, done: "created customer \(name)") }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a customer that has no services.")
        @Argument(help: "The customer's name.", completion: .customers)
        var name: String
        @OptionGroup var delete: DeleteOptions
        @OptionGroup var revision: RevisionOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try delete.confirm("customer \(name)", dryRun: change.dryRun)
            let call = Call(deleting: name, of: "customers", revision)
            try await connection.converse { try await $0.change(call, change, done: "deleted customer \(name)") }
        }
    }
}
