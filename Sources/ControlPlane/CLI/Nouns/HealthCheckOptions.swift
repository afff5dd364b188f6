import ArgumentParser
import JSON

enum HealthCheckKind: String, CaseIterable, ExpressibleByArgument { case tcp, tls, http, off }

/// How servers check the endpoint and its fallbacks, on the command line; what is not given is not sent.
struct HealthCheckOptions: ParsableArguments {
    @Option(
        help:
            "Have each server check the endpoint and its fallbacks, so that new connections go to the first healthy one: by a connection, a TLS handshake, or a request for --health-path; off to leave it."
    )
    var healthCheck: HealthCheckKind?

    @Option(
        help: ArgumentHelp(
            "What an http check asks for; any status below 500 is an answer. (default for a new check: /)",
            valueName: "path"))
    var healthPath: String?

    @Option(
        help: ArgumentHelp(
            "From one check of a target to the next, in seconds. (default for a new check: 5)", valueName: "seconds"))
    var healthInterval: Int?

    @Option(
        help: ArgumentHelp(
            "For how long one may take; no longer than the interval. (default for a new check: 2)",
            valueName: "seconds"))
    var healthTimeout: Int?

    @Option(
        help: ArgumentHelp(
            "How many successes in a row make a target healthy again. (default for a new check: 2)", valueName: "n"))
    var healthRise: Int?

    @Option(
        help: ArgumentHelp(
            "How many failures in a row make it unhealthy. (default for a new check: 3)", valueName: "n"))
    var healthFall: Int?

    @Option(
        help: ArgumentHelp(
            "For how long it has to have been healthy again before connections go back to it. (default for a new check: 30)",
            valueName: "seconds"))
    var healthHoldDown: Int?

    /// The member `check` of an endpoint: what changes in it, null for having none, nil for leaving it as it is.
    func check() throws -> JSONValue? {
        var members: JSONObject = [:]
        if let healthPath { members["path"] = .string(healthPath) }
        let numbers = [
            ("intervalSeconds", healthInterval), ("timeoutSeconds", healthTimeout), ("rise", healthRise),
            ("fall", healthFall), ("holdDownSeconds", healthHoldDown),
        ]
        for case (let member, let value?) in numbers { members[member] = .integer(value) }
        if healthCheck == .off {
            guard members.isEmpty else {
                throw Failure.usage(
                    "--health-check off and the other options of the check contradict each other; give one of them")
            }
            return .null
        }
        if let healthCheck { members["kind"] = .string(healthCheck.rawValue) }
        return members.isEmpty ? nil : .object(members)
    }
}

/// How a health check is shown to people: `http /health every 5 s, timeout 2 s, fall 3, rise 2, hold-down 30 s`.
enum HealthCheckText {
    static func text(_ check: JSONValue) -> String? {
        guard let kind = check["kind"].text else { return nil }
        let request = kind == HealthCheckKind.http.rawValue ? check["path"].text : nil
        let interval = check["intervalSeconds"].integer.map { "every \($0) s" }
        let first = [kind, request, interval].compactMap { $0 }.joined(separator: " ")
        let rest = [
            ("timeout", "timeoutSeconds", " s"), ("fall", "fall", ""), ("rise", "rise", ""),
            ("hold-down", "holdDownSeconds", " s"),
        ].compactMap { label, member, unit in check[member].integer.map { "\(label) \($0)\(unit)" } }
        return ([first] + rest).joined(separator: ", ")
    }
}
