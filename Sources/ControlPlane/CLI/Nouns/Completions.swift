import ArgumentParser

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print a completion script for your shell.",
        discussion: """
            bash:  ddirect completions bash > /usr/share/bash-completion/completions/ddirect
            zsh:   ddirect completions zsh > "${fpath[1]}/_ddirect"
            fish:  ddirect completions fish > ~/.config/fish/completions/ddirect.fish

            Names of customers, servers, services and zones are completed by asking the API.
            """)

    enum Shell: String, CaseIterable, ExpressibleByArgument { case bash, zsh, fish }

    @Argument(help: "The shell.")
    var shell: Shell

    func run() {
        let dialect: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        output(DDirect.completionScript(for: dialect))
    }
}

extension CompletionKind {
    static var customers: CompletionKind { .names(of: "customers") }
    static var servers: CompletionKind { .names(of: "servers") }
    static var services: CompletionKind { .names(of: "services") }
    static var zones: CompletionKind { .names(of: "zones") }

    /// The first thousand names that the API has. Silence when it cannot be asked: a message would land in the middle
    /// of a command line.
    private static func names(of plural: String) -> CompletionKind {
        .custom { (_: [String], _: Int, prefix: String) async -> [String] in
            var call = Call(.get, plural)
            call.query = [("limit", "1000")]
            // Who presses tab would rather type the name than wait longer.
            call.patience = .seconds(2)
            let request = call
            let items = try? await APIClient.with(APIOptions.access(api: nil, tokenFile: nil)) {
                try await $0.send(request).body["items"].items
            }
            return (items ?? []).compactMap { $0["name"].text }.filter { $0.hasPrefix(prefix) }
        }
    }
}
