import JSON

/// How the fleet stands: who watches whom and sees what, and what could take over.
struct FailoverStatus {
    let body: JSONValue

    init(_ body: JSONValue) { self.body = body }

    /// What matters most comes first: whether anything would be moved at all.
    func lines(within width: Int?) -> [String] {
        let servers = body["servers"].items
        let table = Table(columns: FailoverStatus.columns)
        let notices = [freeze, holding].compactMap { $0?.printable }
        let parts = [
            notices,
            servers.isEmpty ? ["no servers yet"] : table.lines(servers, within: width),
            servers.flatMap(FailoverStatus.trouble),
            unready(body["standbys"], heading: "not ready to take over:") {
                "\($0["server"].text ?? "?") for \($0["service"].text ?? "?"): \($0["obstacles"].texts.joined(separator: "; "))"
            },
            unready(body["zones"], heading: "zones that could not be changed:") {
                "\($0["zone"].text ?? "?"): \($0["detail"].text ?? "no reason is given")"
            },
        ].filter { !$0.isEmpty }
        return Array(parts.joined(separator: [""])) + (isReady ? ["", "every standby and every zone is ready"] : [])
    }

    private static var columns: [Table.Column] {
        [
            .init("SERVER") { $0["server"].text ?? "" },
            .init("STATE") { $0["state"].text ?? "" },
            .init("SINCE (UTC)") { $0["since"].text?.shortTime ?? "" },
            .init("ACTIVE", .right) { $0["activeServices"].integer.map(String.init) ?? "" },
            .init("MISSES", value: misses),
            .init("OVERRIDE", value: override),
            .init("FAILOVER", .right) { $0["failover"].integer.map(String.init) ?? "" },
        ]
    }

    private var freeze: String? {
        let freeze = body["frozen"]
        guard !freeze.isNull else { return nil }
        return "FROZEN until \(freeze["until"].text?.shortTime ?? "?") UTC by \(freeze["author"].text ?? "?"), since "
            + "\(freeze["since"].text?.shortTime ?? "?") UTC: \(freeze["reason"].text ?? "no reason is given"). "
            + "No service is moved; `ddirect unfreeze` ends that."
    }

    private var holding: String? {
        body["holding"].text.map { "HOLDING, nothing moves by itself: \($0)" }
    }

    private var isReady: Bool {
        let all = body["standbys"].items + body["zones"].items
        return !all.isEmpty && all.allSatisfy { $0["ready"].bool == true }
    }

    /// Of every vantage once one of them misses: who still sees the server is as telling.
    private static func misses(_ server: JSONValue) -> String {
        let vantages = server["vantages"].items
        guard vantages.contains(where: { $0["misses"].integer ?? 0 > 0 }) else { return vantages.isEmpty ? "" : "none" }
        return vantages.map { "\($0["vantage"].text ?? "?") \($0["misses"].integer ?? 0)" }.joined(separator: ", ")
    }

    private static func override(_ server: JSONValue) -> String {
        let override = server["override"]
        guard let state = override["state"].text else { return "" }
        return "\(state) until \(override["until"].text?.shortTime ?? "?")"
    }

    /// Why a server is not well, and what each vantage that misses it saw last.
    private static func trouble(_ server: JSONValue) -> [String] {
        let override = server["override"]
        let missing = server["vantages"].items.filter { ["missed", "unanswered"].contains($0["outcome"].text) }
        let state = server["state"].text ?? "unknown"
        guard state != "healthy" || !missing.isEmpty || !override.isNull else { return [] }
        let detail = server["detail"].text.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
        var lines = ["\(server["server"].text ?? "?") is \(state)\(detail)"]
        if let forced = override["state"].text {
            lines.append(
                "  forced \(forced) by \(override["author"].text ?? "?"): \(override["reason"].text ?? "no reason is given")"
            )
        }
        for vantage in missing {
            lines.append(
                "  \(vantage["vantage"].text ?? "?") at \(vantage["at"].text?.shortTime ?? "?"): "
                    + (vantage["detail"].text ?? "missed"))
        }
        return lines.map(\.printable)
    }

    private func unready(_ list: JSONValue, heading: String, _ line: (JSONValue) -> String) -> [String] {
        let unready = list.items.filter { $0["ready"].bool != true }
        guard !unready.isEmpty else { return [] }
        return [heading]
            + unready.map { item in
                let checked = item["checkedAt"].text.map { " (checked \($0.shortTime) UTC)" } ?? ""
                return "  \(line(item))\(checked)".printable
            }
    }
}
