import ArgumentParser
import Foundation

/// How to reach the API, and in what form to print what it says. On every command.
struct APIOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The API's address. (default: DDIRECT_API, what login stored, or \(Access.defaultAPI))", valueName: "url"))
    var api: String?

    @Option(
        help: ArgumentHelp("A file with the token. (default: DDIRECT_TOKEN_FILE)", valueName: "path"),
        completion: .file())
    var tokenFile: String?

    @Flag(help: "Print the API's JSON instead of text for people.")
    var json = false

    func access() throws -> Access { try APIOptions.access(api: api, tokenFile: tokenFile) }

    static func access(api: String?, tokenFile: String?) throws -> Access {
        let environment = ProcessInfo.processInfo.environment
        return try Access(
            api: api, tokenFile: tokenFile, environment: environment,
            stored: LoginFile.stored(in: LoginFile.file(environment: environment)), read: Access.token(in:))
    }

    /// Runs one command's work with an open client.
    func converse(_ work: (Conversation) async throws -> Void) async throws {
        try await APIClient.with(try access()) { client in
            try await work(Conversation(client: client, printsJSON: json))
        }
    }
}

/// How much of a list to print.
struct ListOptions: ParsableArguments {
    @Option(help: ArgumentHelp("At most this many. (default: all)", valueName: "number"))
    var limit: Int?

    mutating func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); expected a whole number from 1") }
    }
}

/// How much of a history to print: it only grows, so not all of it unless asked for.
struct HistoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("At most this many, the newest first.", valueName: "number"))
    var limit = 50

    mutating func validate() throws {
        if limit < 1 { throw ValidationError("--limit is \(limit); expected a whole number from 1") }
    }
}

/// What to do with a change besides making it. On every change.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Show what would change, and store nothing.")
    var dryRun = false

    @Flag(help: "Wait until every server concerned has applied the change; exit with 2 when one has not.")
    var wait = false

    @Option(help: ArgumentHelp("How long --wait waits, 0.1 to 60.", valueName: "seconds"))
    var timeout = 10.0

    mutating func validate() throws {
        if dryRun, wait {
            throw ValidationError("--dry-run changes nothing that --wait could wait for; give one of them")
        }
        if !(0.1...60).contains(timeout) {
            throw ValidationError("--timeout is \(timeout); expected 0.1 to 60 seconds")
        }
    }

    func apply(to call: inout Call) {
        if dryRun { call.query.append(("dry_run", "true")) }
        if wait {
            call.query += [("wait", "applied"), ("timeout", "\(timeout)")]
            call.patience += .seconds(timeout)
        }
    }
}

/// Refuses to change what someone else has changed since it was looked at.
struct RevisionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Change it only if it still has this revision (`show` prints it).", valueName: "revision"))
    var ifMatch: Int?
}

/// Deleting asks first.
struct DeleteOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func confirm(_ what: String, dryRun: Bool = false) throws {
        if yes || dryRun { return }
        guard Terminal.isThere else {
            throw Failure.usage("nobody can be asked whether to delete \(what); add --yes to delete it")
        }
        guard Terminal.confirms("Delete \(what)?") else { throw Failure.usage("\(what) stays as it is") }
    }
}
