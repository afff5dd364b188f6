import Foundation

/// Prints to standard error: what a person should know, apart from what a script reads.
func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

extension String {
    /// The text with everything that a terminal would obey, rather than show, made visible.
    ///
    /// Names and details may come from outside (an audit entry quotes a refused request), and must not move the cursor, change
    /// colours, or turn the reading direction.
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

/// `1 server`, `2 servers`.
func count(_ number: Int, _ singular: String) -> String {
    "\(number) \(singular)\(number == 1 ? "" : "s")"
}
