import Foundation

/// Prints the result to standard output: what was asked for, and what a script reads.
///
/// At once, so that it and what `say` prints come in the order in which they were written. A reader that has seen
/// enough (head) ends us without a word; a full disk does not.
func output(_ text: String) {
    do {
        try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    } catch {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError ?? error as? POSIXError
        if cause?.code != .EPIPE { say("ddirect: cannot write the output: \(error.localizedDescription)") }
        // EX_IOERR of sysexits(3).
        exit(74)
    }
}

func output(_ lines: [String]) { output(lines.joined(separator: "\n")) }

/// Prints to standard error: what a person should know besides.
func say(_ text: String) {
    // Where standard error is closed there is nobody to tell that it is.
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
}

extension String {
    /// The text with everything that a terminal would obey, rather than show, made visible.
    ///
    /// Names and details may come from outside (an audit entry quotes a refused request), and must not move the cursor,
    /// change colours, or turn the reading direction.
    var printable: String {
        guard unicodeScalars.contains(where: \.isObeyed) else { return self }
        var shown = ""
        for scalar in unicodeScalars {
            if scalar.isObeyed {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// A time of the API, RFC 3339 in UTC, as `2026-03-01 12:00:05`; anything else stays as it is.
    ///
    /// UTC, since those who compare a table with a log are often in different places.
    var shortTime: String {
        guard let separator = firstIndex(of: "T"), hasSuffix("Z") else { return self }
        let time = self[index(after: separator)...].dropLast().prefix { $0 != "." }
        return "\(self[..<separator]) \(time)"
    }
}

extension Unicode.Scalar {
    fileprivate var isObeyed: Bool {
        properties.generalCategory == .control || (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
    }
}

/// A length of time by its two greatest units: `3 d 4 h`, `5 min 2 s`.
func spell(seconds: Int) -> String {
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")]
    let shown = units.drop { $0.0 == 0 }.prefix(2).filter { $0.0 != 0 }
    return shown.isEmpty ? "0 s" : shown.map { "\($0.0) \($0.1)" }.joined(separator: " ")
}

/// `1 server`, `2 servers`.
func count(_ number: Int, _ singular: String) -> String {
    "\(number) \(singular)\(number == 1 ? "" : "s")"
}
