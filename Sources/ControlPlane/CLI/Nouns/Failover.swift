import ArgumentParser
import Foundation
import JSON

extension Resource {
    static var failovers: Resource {
        Resource(
            plural: "failovers",
            emptiness: "no failovers yet; `ddirect failover drill SERVER --for 10m` rehearses one",
            columns: [
                .init("ID", .right) { $0["id"].integer.map(String.init) ?? "" },
                .init("AT (UTC)") { $0["at"].text?.shortTime ?? "" },
                .init("KIND") { $0["kind"].text ?? "" },
                .init("SERVER") { $0["server"].text ?? "" },
                .init("STAGE") { $0["stage"].text ?? "" },
                .init("IN FORCE") { $0["inForce"].bool == true ? "yes" : "no" },
                .init("MOVES") { FailoverMoves($0).summary },
                .init("AUTHOR") { $0["author"].text ?? "" },
                .init("REASON") { $0["reason"].text ?? "" },
            ],
            details: { _ in Details() })
    }
}

struct FailoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Moves a server's services to their standbys: what would happen, what happens, what happened.",
        discussion:
            "`ddirect failback SERVER` moves them back; `ddirect freeze` keeps all of them where they are.",
        subcommands: [Plan.self, Run.self, Drill.self, Status.self, History.self, Show.self],
        aliases: ["failovers"]
    )

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a failover of a server would do, record by record, and change nothing.",
            discussion: "The exit code is 2 when it would be stopped. The last line says by what, and what to do.")
        @Argument(help: "The server to move services away from.", completion: .servers)
        var server: String
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                var call = Call(.get, "servers", server, "failover-plan")
                // The zones are asked whether they would make the change.
                call.patience = .seconds(45)
                let plan = FailoverPlanReport(try await conversation.client.send(call).body)
                if conversation.printsJSON {
                    output(plan.body.pretty)
                } else {
                    output(plan.lines + (plan.isStopped ? [] : [plan.sentence]))
                }
                if plan.isStopped { throw Failure.incomplete(plan.sentence) }
            }
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move all services that a server is active for to their standbys, now.",
            discussion: """
                They stay there until `ddirect failback`. `ddirect failover plan SERVER` shows beforehand what will happen. Services that \
                cannot be moved stay; when none can be, or the fleet is frozen, it is refused. --force overrules what is said against \
                standbys, and replaces records that are not ours.
                """)
        @Argument(help: "The server to move services away from.", completion: .servers)
        var server: String
        @OptionGroup var reason: ReasonOptions
        @Flag(help: "Overrule what is said against the servers that take over, and replace records that are not ours.")
        var force = false
        @OptionGroup var following: FollowOptions
        @OptionGroup var connection: APIOptions

        var body: JSONValue { ["reason": .string(reason.reason), "forSeconds": .null, "force": .bool(force)] }

        func run() async throws {
            try await connection.converse { conversation in
                try await conversation.begin(Call(.post, "servers", server, "failover"), body, wait: following.wait)
            }
        }
    }

    struct Drill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rehearse a server's failover for a while: the services move, and move back by themselves.",
            discussion:
                "Nothing of it is pretended: devices are carried by the standbys meanwhile. `ddirect failback SERVER` ends it early."
        )
        @Argument(help: "The server to move services away from.", completion: .servers)
        var server: String
        @Option(
            name: .customLong("for"),
            help: ArgumentHelp("After how long the services move back, such as 90s, 10m or 2h.", valueName: "time"),
            transform: Span.init(parsing:))
        var span: Span
        @Option(help: "Why; for those who read the history.")
        var reason = "drill"
        @OptionGroup var following: FollowOptions
        @OptionGroup var connection: APIOptions

        var body: JSONValue { ["reason": .string(reason), "forSeconds": .integer(span.seconds), "force": false] }

        func run() async throws {
            try await connection.converse { conversation in
                try await conversation.begin(Call(.post, "servers", server, "failover"), body, wait: following.wait)
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show how every server is, who misses it, and what could not be moved now.")
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(Call(.get, "failover")).body
                output(
                    conversation.printsJSON
                        ? answer.pretty
                        : FailoverStatus(answer).lines(within: Terminal.width).joined(separator: "\n"))
            }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List failovers, drills and failbacks, the newest first.")
        @OptionGroup var list: HistoryOptions
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { try await $0.list(.failovers, limit: list.limit) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a failover from the first miss on: who saw what, each change of DNS, the traffic.")
        @Argument(help: "The failover's number, which `ddirect failover history` lists.")
        var id: Int
        @OptionGroup var connection: APIOptions

        func run() async throws {
            try await connection.converse { conversation in
                let answer = try await conversation.client.send(Call(.get, "failovers", String(id))).body
                output(conversation.printsJSON ? answer.pretty : FailoverReport(answer).lines.joined(separator: "\n"))
            }
        }
    }
}

struct FailbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failback",
        abstract: "Move services back to the server that they were moved away from.",
        discussion: """
            This ends the failover in force, or the drill. It is refused while something is known against the server, or the fleet is \
            frozen. --force overrules what is said against the server, and replaces records that are not ours.
            """)
    @Argument(help: "The server to move services back to.", completion: .servers)
    var server: String
    @OptionGroup var reason: ReasonOptions
    @Flag(help: "Overrule what is said against the servers that take over, and replace records that are not ours.")
    var force = false
    @OptionGroup var following: FollowOptions
    @OptionGroup var connection: APIOptions

    var body: JSONValue { ["reason": .string(reason.reason), "force": .bool(force)] }

    func run() async throws {
        try await connection.converse { conversation in
            try await conversation.begin(Call(.post, "servers", server, "failback"), body, wait: following.wait)
        }
    }
}

/// Why something is done that others will ask about.
struct ReasonOptions: ParsableArguments {
    @Option(help: "Why; for those who read the history.")
    var reason: String

    mutating func validate() throws { try ReasonOptions.check(reason) }

    static func check(_ reason: String) throws {
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("--reason is empty; expected a few words, such as 'za1 loses packets'")
        }
    }
}

/// Whether to look on.
struct FollowOptions: ParsableArguments {
    @Flag(help: "Follow it to its end, for 120 seconds at most; exit with 2 when it has not come to a good one.")
    var wait = false
}
