import JSON

/// Who has applied a change, as the API saw it when it answered or stopped waiting.
struct Applied: Equatable {
    struct Server: Equatable {
        let name: String
        let state: String
        let version: Int?
        let reasons: [String]
    }

    let version: Int
    let complete: Bool
    let servers: [Server]

    /// Nil when the answer says nothing about servers.
    init?(_ body: JSONValue) {
        let applied = body["applied"]
        guard let version = applied["version"].integer, let complete = applied["complete"].bool else { return nil }
        self.version = version
        self.complete = complete
        servers = applied["servers"].items.map { server in
            Server(
                name: server["server"].text ?? "", state: server["state"].text ?? "",
                version: server["version"].integer,
                reasons: server["reasons"].texts)
        }
    }

    /// Whether the change is in force on every server that it concerns.
    var isInForce: Bool { complete }

    var lines: [String] {
        guard !servers.isEmpty else { return ["version \(version) concerns no server"] }
        let applied = servers.filter { $0.state == "applied" }
        let summary =
            servers.allSatisfy { $0.state == "disconnected" }
            ? "version \(version) is stored; none of its servers is connected"
            : "version \(version) is applied on \(applied.count) of \(count(servers.count, "server"))"
        let table = Table(columns: [
            .init("SERVER") { $0["name"].text ?? "" },
            .init("STATE") { $0["state"].text ?? "" },
            .init("VERSION", .right) { $0["version"].integer.map(String.init) ?? "" },
            .init("REASONS") { $0["reasons"].texts.joined(separator: "; ") },
        ])
        let rows = servers.map { server -> JSONValue in
            [
                "name": .string(server.name), "state": .string(server.state),
                "version": server.version.map(JSONValue.integer) ?? .null,
                "reasons": .array(server.reasons.map(JSONValue.string)),
            ]
        }
        return [summary] + table.lines(rows)
    }

    /// What to tell an operator who waited in vain.
    var shortfall: String {
        let missing = servers.filter { $0.state != "applied" }.map { "\($0.name) (\($0.state))" }
        return "version \(version) is stored, but not applied on \(missing.joined(separator: ", ")); "
            + "`ddirect server show NAME` says more"
    }
}
