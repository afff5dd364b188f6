import ArgumentParser
import Foundation

extension ServerCommand {
    struct Force: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say for a while that a server is up or down, whatever the probes say.",
            discussion: """
                `down` moves its services as if it had failed, `up` keeps them where they are, and `off` leaves it to the probes again, as \
                the end of the time does. `ddirect failover status` shows what is forced.
                """)

        enum State: String, CaseIterable, ExpressibleByArgument { case up, down, off }

        @Argument(help: "The server's name.", completion: .servers)
        var name: String
        @Argument(help: "What it is to count as.")
        var state: State
        @OptionGroup var end: UntilOptions
        @Option(help: "Why; for those who read the status.")
        var reason: String?
        @OptionGroup var connection: APIOptions

        mutating func validate() throws {
            if state == .off {
                guard !end.isGiven, reason == nil else {
                    throw ValidationError("off takes effect at once, and takes none of --for, --until and --reason")
                }
                return
            }
            _ = try end.end(now: Date(timeIntervalSince1970: 0))
            guard let reason else { throw ValidationError("--reason is missing; expected a few words") }
            try ReasonOptions.check(reason)
        }

        /// The call, with the end counted from now.
        func call(now: Date) throws -> Call {
            var call = Call(state == .off ? .delete : .put, "servers", name, "override")
            call.whereToLook = "ddirect failover status"
            if state != .off {
                call.body = [
                    "state": .string(state.rawValue), "until": try end.end(now: now), "reason": .string(reason ?? ""),
                ]
            }
            return call
        }

        func run() async throws {
            let call = try call(now: Date())
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(call).body
                guard let until = call.body?["until"].text else {
                    return conversation.confirm(answer, "\(name) is what the probes say it is")
                }
                conversation.confirm(
                    answer,
                    "\(name) counts as \(state.rawValue) until \(until.shortTime) UTC; `ddirect server force \(name) off` ends it"
                )
            }
        }
    }
}
