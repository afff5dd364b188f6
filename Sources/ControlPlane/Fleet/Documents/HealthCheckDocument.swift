import Domain
import JSON

extension HealthCheck {
    var document: JSONValue {
        [
            "kind": .string(kind.rawValue), "path": .string(path), "intervalSeconds": .integer(interval),
            "timeoutSeconds": .integer(timeout), "rise": .integer(rise), "fall": .integer(fall),
            "holdDownSeconds": .integer(holdDown),
        ]
    }

    /// Reads the member `check` of an endpoint. Nil when there is none, or with findings. What is left out is as it is when nobody says
    /// anything.
    static func read(_ endpoint: inout ObjectReader) -> HealthCheck? {
        guard let value = endpoint.value("check", required: false, expected: "an object with a kind, or null"),
            value != .null
        else { return nil }
        let findings = endpoint.findings
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: endpoint.pointer(to: "check"), findings) else { return nil }
        let kind = readKind(&reader)
        let path = reader.text("path", required: false, expected: "a path such as /health") {
            text throws(InvalidValue) in try RequestPath.checked(text)
        }
        let seconds = "a whole number of seconds from 1 to 3600"
        let checks = "a whole number of checks from 1 to 100"
        let interval = reader.integer("intervalSeconds", default: 5, in: 1...3600, expected: seconds)
        // A check that is made every second, and of which nothing else is said, does not take two.
        let timeout = reader.integer("timeoutSeconds", default: min(2, interval ?? 2), in: 1...3600, expected: seconds)
        let rise = reader.integer("rise", default: 2, in: 1...100, expected: checks)
        let fall = reader.integer("fall", default: 3, in: 1...100, expected: checks)
        let holdDown = reader.integer(
            "holdDownSeconds", default: 30, in: 0...86_400, expected: "a whole number of seconds from 0 to 86400")
        reader.finish()
        guard findings.all.count == earlier, let kind, let interval, let timeout, let rise, let fall, let holdDown
        else { return nil }
        do {
            return try HealthCheck(
                kind: kind, path: path ?? "/", interval: interval, timeout: timeout, rise: rise, fall: fall,
                holdDown: holdDown)
        } catch {
            // Each number is in its range; what is left to be wrong is a timeout that is longer than the interval.
            findings.add(reader.pointer(to: "timeoutSeconds"), error)
            return nil
        }
    }

    private static func readKind(_ reader: inout ObjectReader) -> Kind? {
        let expected = "one of " + Kind.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return reader.text("kind", expected: expected) { text throws(InvalidValue) in
            guard let kind = Kind(rawValue: text) else {
                throw InvalidValue(text, "is not known here", expected: expected)
            }
            return kind
        }
    }
}
