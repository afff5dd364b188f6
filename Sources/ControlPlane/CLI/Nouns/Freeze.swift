import ArgumentParser
import Foundation
import JSON

struct FreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze",
        abstract: "Keep all services where they are for a while, whatever happens to servers.",
        discussion: """
            For maintenance of the network, or when the control plane is not to be believed. Servers are watched on, and an alert says \
            what is not done. What is asked for by hand is refused, too. The freeze ends by itself; said again, it has the new end.
            """)
    @OptionGroup var end: UntilOptions
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var connection: APIOptions

    func run() async throws {
        let until = try end.end(now: Date())
        try await connection.converse { conversation in
            var call = Call(.put, "failover", "freeze")
            call.body = ["until": until, "reason": .string(reason.reason)]
            call.whereToLook = "ddirect failover status"
            let answer = try await conversation.client.send(call).body
            let time = answer["until"].text ?? answer["frozen"]["until"].text ?? until.text ?? ""
            conversation.confirm(
                answer,
                "frozen until \(time.shortTime) UTC: no service is moved until then; `ddirect unfreeze` ends it")
        }
    }

    mutating func validate() throws { _ = try end.end(now: Date(timeIntervalSince1970: 0)) }
}

struct UnfreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unfreeze", abstract: "Let services be moved again.")
    @OptionGroup var connection: APIOptions

    func run() async throws {
        try await connection.converse { conversation in
            var call = Call(.delete, "failover", "freeze")
            call.whereToLook = "ddirect failover status"
            conversation.confirm(
                try await conversation.client.send(call).body,
                "not frozen; `ddirect failover status` shows how the fleet stands")
        }
    }
}

extension Conversation {
    /// Prints the answer to something that was done: in JSON as it is, for people a sentence.
    func confirm(_ answer: JSONValue, _ sentence: String) {
        output(printsJSON ? (answer.isNull ? "{}" : answer.pretty) : sentence.printable)
    }
}
