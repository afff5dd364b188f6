/// An operator's shell, in which `ddirect` knows the fleet's API and its first token.
struct Shell {
    var environment: [String: String]

    init(_ fleet: Fleet) throws {
        environment = [
            "DDIRECT_API": "http://\(fleet.api.place)", "DDIRECT_TOKEN_FILE": fleet.tokenFile,
            "HOME": try Scene.present().folder,
            // Else `ddirect login` would read and write the credentials of whoever runs the tests.
            "XDG_CONFIG_HOME": "",
            "SHELL": "/bin/sh",
        ]
    }

    /// Types `ddirect` and the words of a line.
    func ddirect(_ line: String, input: String? = nil) throws -> Said {
        try run("ddirect", line.split(separator: " ").map(String.init), input: input, environment: environment)
    }

    @discardableResult
    func succeed(_ line: String, input: String? = nil) throws -> String {
        let said = try ddirect(line, input: input)
        guard said.code == 0 else {
            throw Failure("ddirect \(line) ended with \(said.code): \(said.errors)\(said.output)")
        }
        return said.output
    }

    /// The same at a terminal, where `ddirect` can ask, and all that the terminal shows; script(1) is the terminal.
    func ddirect(_ line: String, typing answers: String) throws -> Said {
        let command = "'\(try Executables.path(of: "ddirect"))' \(line)"
        return try run(
            "script", ["--quiet", "--return", "--command", command, "/dev/null"], input: answers,
            environment: environment)
    }
}
