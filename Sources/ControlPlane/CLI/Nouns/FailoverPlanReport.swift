import JSON

/// What a failover would do, as the API tells beforehand.
struct FailoverPlanReport {
    let body: JSONValue

    init(_ body: JSONValue) { self.body = body }

    private var server: String { (body["server"].text ?? "the server").printable }
    private var services: [JSONValue] { body["services"].items }
    /// What would be moved when not everything is against it.
    private var movable: [JSONValue] { services.filter { FailoverPlanReport.obstacles(of: $0).isEmpty } }
    /// What is against the whole of it.
    private var obstacles: [String] { body["obstacles"].texts.map(\.printable) }

    /// Why each service that stays where it is does so.
    private var reasons: [String] {
        services.flatMap { service in
            FailoverPlanReport.obstacles(of: service).map {
                "service \(service["service"].text ?? "?"): \($0)".printable
            }
        }
    }

    private static func obstacles(of service: JSONValue) -> [String] {
        let obstacles = service["obstacles"].texts
        guard obstacles.isEmpty, service["to"].isNull else { return obstacles }
        return ["it has no standby that may take it over"]
    }

    /// Whether anything would stay where it is.
    var isStopped: Bool { !obstacles.isEmpty || movable.count < services.count }

    var lines: [String] {
        services.flatMap { service -> [String] in
            let from = service["from"].text ?? body["server"].text ?? "?"
            let heading = "\(service["service"].text ?? "?"): \(from) → \(service["to"].text ?? "nowhere")"
            var details = Details()
            for record in service["records"].items {
                details.add(
                    record["name"].text ?? "?",
                    "\(FailoverPlanReport.shown(record["before"])) → \(FailoverPlanReport.shown(record["after"]))"
                        + (record["zone"].text.map { "  (zone \($0))" } ?? ""))
            }
            if service["records"].items.isEmpty { details.add("records", "none would change") }
            for candidate in service["candidates"].items {
                details.add(
                    "standby \(candidate["server"].text ?? "?")",
                    FailoverPlanReport.readiness(candidate, isTaken: candidate["server"] == service["to"]))
            }
            if service["candidates"].items.isEmpty { details.add("standbys", []) }
            for obstacle in service["obstacles"].texts { details.add("stopped by", obstacle) }
            return [heading.printable] + details.lines.map { "  " + $0 } + [""]
        }
    }

    private static func shown(_ records: JSONValue) -> String {
        records.texts.isEmpty ? "nothing" : records.texts.joined(separator: ", ")
    }

    private static func readiness(_ candidate: JSONValue, isTaken: Bool) -> String {
        let obstacles = candidate["obstacles"].texts.joined(separator: "; ")
        if candidate["ready"].bool == true { return obstacles.isEmpty ? "ready" : "ready; \(obstacles)" }
        // What is wrong with it does not keep it from taking over, and there is none better.
        if isTaken { return "taken in spite of: \(obstacles)" }
        return obstacles.isEmpty ? "not ready" : "not ready: \(obstacles)"
    }

    /// What would happen; or what stops it, and what to do.
    var sentence: String {
        let all = obstacles + reasons.filter { !obstacles.contains($0) }
        if !obstacles.isEmpty || (movable.isEmpty && !services.isEmpty) {
            return "a failover of \(server) would be stopped: \(several(all)).\(remedy)"
        }
        guard !services.isEmpty else {
            return "\(server) is active for no service, so a failover of it would move nothing."
        }
        let records = movable.flatMap { $0["records"].items }
        let zones = Set(records.compactMap { $0["zone"].text })
        let places = Set(movable.compactMap { $0["to"].text?.printable }).sorted().joined(separator: ", ")
        let means =
            records.isEmpty
            ? "without a change of DNS"
            : "by changing \(count(records.count, "name")) in \(count(zones.count, "zone"))"
        let move =
            "`ddirect failover run \(server) --reason …` would move \(count(movable.count, "service")) to \(places), \(means)"
        return reasons.isEmpty ? "\(move)." : "\(move); what stays: \(several(reasons)).\(remedy)"
    }

    /// What --force is good for, where it is: the API's own words say what to do about the rest.
    private var remedy: String {
        guard
            services.contains(where: {
                !$0["candidates"].items.isEmpty && !FailoverPlanReport.obstacles(of: $0).isEmpty
            })
        else {
            return ""
        }
        return " --force overrules what is said against standbys and of records that are not ours, and nothing else."
    }
}

/// The first three of a list, and how many more there are, for a sentence.
func several(_ texts: [String]) -> String {
    let shown = texts.prefix(3).joined(separator: "; ")
    return texts.count > 3 ? "\(shown); and \(texts.count - 3) more" : shown
}

/// Which services a failover moves, and where to.
struct FailoverMoves {
    private let moves: [JSONValue]

    init(_ failover: JSONValue) { moves = failover["moves"].items }

    /// `2 services to ie1`.
    var summary: String {
        guard !moves.isEmpty else { return "no service" }
        let places = Set(moves.compactMap { $0["to"].text?.printable }).sorted()
        return count(moves.count, "service") + (places.isEmpty ? "" : " to " + places.joined(separator: ", "))
    }

    /// What is not where it should be: `acme-app (conflict)`.
    var unmoved: [String] {
        moves.filter { $0["state"].text != "written" }.map {
            "\($0["service"].text ?? "?") (\($0["state"].text ?? "unknown"))".printable
        }
    }

    var lines: [String] {
        moves.map { move in
            "\(move["service"].text ?? "?"): \(move["from"].text ?? "?") → \(move["to"].text ?? "?"), \(move["state"].text ?? "unknown")"
        }
    }
}
