import ArgumentParser
import Foundation
import JSON

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Store the API's address and a token for the commands to come.",
        discussion: """
            The token is asked for without showing it, or read from standard input (ddirect login < token-file); never from the \
            command line, where others on the machine could read it. It is tried, then kept in ~/.config/ddirect/credentials, \
            which only you can read.
            """)
    @Option(help: ArgumentHelp("The API's address. (default: DDIRECT_API or \(Access.defaultAPI))", valueName: "url"))
    var api: String?
    @Flag(help: "Print JSON instead of text for people.")
    var json = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let file = LoginFile.file(environment: environment) else {
            throw Failure.usage(
                "neither HOME nor XDG_CONFIG_HOME is set, so there is no place for credentials; use DDIRECT_TOKEN_FILE")
        }
        // The address first, so that a mistake in it does not cost a typed token.
        let api = try Access(
            api: api, tokenFile: nil, environment: ["DDIRECT_API": environment["DDIRECT_API"] ?? ""], stored: nil
        ) { $0 }.api
        let token = Terminal.isThere ? try Terminal.secret("Token for \(api): ") : readLine(strippingNewline: true)
        guard let token, !token.isEmpty else { throw Failure.usage("no token was given; nothing is stored") }
        let access = try Access(api: api, tokenFile: nil, environment: ["DDIRECT_TOKEN": token], stored: nil) { $0 }

        try await APIClient.with(access) { client in
            var call = Call(.get, "customers")
            call.query = [("limit", "1")]
            _ = try await client.send(call)
        }
        try LoginFile(api: api, token: token).store(in: file)
        output(
            json
                ? (["api": .string(api), "file": .string(file)] as JSONValue).pretty
                : "\(api) accepts this token; both are kept in \(file)")
        if api.hasPrefix("http:"), !api.hasPrefix("http://127."), !api.hasPrefix("http://localhost"),
            !api.hasPrefix("http://[::1]")
        {
            say("Beware: \(api) is not encrypted, so whoever sees the traffic sees the token.")
        }
    }
}
