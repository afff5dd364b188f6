import Foundation

/// Questions to the person at the terminal.
enum Terminal {
    /// Whether someone can be asked.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// How many columns standard output has; nil where it is no terminal, and lines may be as long as they are.
    static var width: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        let size = try? stty("size").split(separator: " ")
        return size?.last.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Asks for consent; anything but y or yes is a no.
    static func confirms(_ question: String) -> Bool {
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        let answer = (readLine() ?? "").trimmingCharacters(in: .whitespaces).lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Asks for a secret without showing it. Nil at the end of input, or when interrupted.
    ///
    /// While the echo is off, the interrupt key only ends the line, so that the terminal is never left without echo.
    static func secret(_ prompt: String) throws -> String? {
        let interrupt: Character = "\u{3}"
        FileHandle.standardError.write(Data(prompt.utf8))
        let settings = try stty("-g")
        _ = try stty("-echo -isig eol ^C")
        defer {
            _ = try? stty(settings)
            say("")
        }
        // One read is one line in a terminal's canonical mode, which readLine() would not see the end of after the
        // interrupt key.
        let line = String(decoding: FileHandle.standardInput.availableData, as: UTF8.self)
        guard !line.isEmpty, !line.contains(interrupt) else { return nil }
        return line.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs stty(1) on our terminal and gives what it printed.
    ///
    /// A command rather than tcsetattr(3), whose structures could only be reached by unsafe means. Foundation starts
    /// processes in a group of their own, which a terminal stops for changing its settings unless they ignore SIGTTOU.
    private static func stty(_ arguments: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "trap '' TTOU; exec stty \(arguments) < /dev/tty"]
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure.usage(
                "the terminal cannot hide what is typed; give the token by a pipe: ddirect login < token-file")
        }
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
