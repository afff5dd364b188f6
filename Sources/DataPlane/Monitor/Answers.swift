import Syscalls

/// What the monitor endpoint says, whatever is asked for: an uptime check learns from it which server it reached, and
/// what that one has applied. The path that the check took is the path of all traffic.
enum MonitorAnswer {
    static func to(_ question: Question, status: Status, time: UTCTime) -> Answer {
        guard question.method != .other else { return .methodNotAllowed }
        // Names are slugs and the rest is ours, so nothing needs escaping.
        let region = status.applied.map { "\"\($0.region)\"" } ?? "null"
        let version = status.applied.map { "\($0.version)" } ?? "null"
        let body =
            "{\"server\":\"\(status.server)\",\"region\":\(region),\"version\":\(version),"
            + "\"state\":\"\(status.stage.rawValue)\",\"time\":\"\(time.rfc3339)\"}\n"
        // A cache between a check and this server would answer for a server that is down.
        return Answer(
            status: status.stage == .serving ? 200 : 503, contentType: "application/json",
            fields: ["Cache-Control: no-store"],
            body: Array(body.utf8))
    }
}

/// What the admin listener answers.
enum AdminAnswer {
    /// `metrics` are rendered only when they are asked for.
    static func to(_ question: Question, status: Status, metrics: (Status) -> [UInt8]) -> Answer {
        guard ["/metrics", "/healthz", "/readyz"].contains(question.path) else {
            return .text(404, "There is nothing here but /metrics, /healthz and /readyz.")
        }
        guard question.method != .other else { return .methodNotAllowed }
        switch question.path {
        case "/metrics": return Answer(status: 200, contentType: MetricsText.contentType, body: metrics(status))
        case "/healthz": return health(status.ailments)
        default:
            guard let unreadiness = status.unreadiness else { return .text(200, "ok") }
            return .text(503, unreadiness)
        }
    }

    private static func health(_ ailments: [ThreadAilment]) -> Answer {
        guard !ailments.isEmpty else { return .text(200, "ok") }
        return .text(503, ailments.map { "\($0.text)." }.joined(separator: "\n"))
    }
}
