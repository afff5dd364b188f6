/// What a failover would do, as the API tells beforehand.
struct FailoverPlan {
    let body: JSON

    init(_ body: JSON) { self.body = body }

    private var server: String { (body["server"].text ?? "the server").printable }
    private var services: [JSON] { body["services"].items }
    /// Services that have nowhere to go.
    private var stranded: [JSON] { services.filter { $0["to"].isNull } }

    /// Everything that is against it, each once.
    private var obstacles: [String] {
        var seen: Set<String> = []
        let own = services.flatMap { service -> [String] in
            let name = (service["service"].text ?? "a service").printable
            let named = service["obstacles"].texts.map { "\(name): \($0.printable)" }
            return named.isEmpty && service["to"].isNull ? ["\(name) has no standby that could take over"] : named
        }
        return (body["obstacles"].texts.map(\.printable) + own).filter { seen.insert($0).inserted }
    }

    var isStopped: Bool { !obstacles.isEmpty }

    var lines: [String] {
        services.flatMap { service -> [String] in
            let from = service["from"].text ?? body["server"].text ?? "?"
            let heading = "\(service["service"].text ?? "?"): \(from) → \(service["to"].text ?? "nowhere")"
            var details = Details()
            for record in service["records"].items {
                details.add(
                    record["name"].text ?? "?",
                    "\(FailoverPlan.shown(record["before"])) → \(FailoverPlan.shown(record["after"]))"
                        + (record["zone"].text.map { "  (zone \($0))" } ?? ""))
            }
            if service["records"].items.isEmpty { details.add("records", "none would change") }
            for candidate in service["candidates"].items {
                details.add("standby \(candidate["server"].text ?? "?")", FailoverPlan.readiness(candidate))
            }
            if service["candidates"].items.isEmpty { details.add("standbys", []) }
            for obstacle in service["obstacles"].texts { details.add("stopped by", obstacle) }
            return [heading.printable] + details.lines.map { "  " + $0 } + [""]
        }
    }

    private static func shown(_ records: JSON) -> String {
        records.texts.isEmpty ? "nothing" : records.texts.joined(separator: ", ")
    }

    private static func readiness(_ candidate: JSON) -> String {
        let obstacles = candidate["obstacles"].texts
        if candidate["ready"].bool == true { return (["ready"] + obstacles).joined(separator: "; ") }
        return obstacles.isEmpty ? "not ready" : "not ready: " + obstacles.joined(separator: "; ")
    }

    /// What would happen; or what stops it, and what to do.
    var sentence: String {
        if isStopped { return "a failover of \(server) would be stopped: \(several(obstacles)). \(remedy)" }
        guard !services.isEmpty else {
            return "\(server) is active for no service, so a failover of it would move nothing."
        }
        let targets = services.compactMap { $0["to"].text?.printable }
        let records = services.flatMap { $0["records"].items }
        let zones = Set(records.compactMap { $0["zone"].text })
        let places = Array(Set(targets)).sorted().joined(separator: ", ")
        let means =
            records.isEmpty
            ? "without a change of DNS"
            : "by changing \(count(records.count, "name")) in \(count(zones.count, "zone"))"
        return
            "`ddirect failover run \(server) --reason …` would move \(count(services.count, "service")) to \(places), \(means)."
    }

    private var remedy: String {
        let bare = stranded.filter { $0["candidates"].items.isEmpty }.compactMap { $0["service"].text?.printable }
        if let name = bare.first {
            return "Give \(several(bare)) a standby: ddirect service edit \(name) --standby SERVER."
        }
        let unready = Set(stranded.flatMap { $0["candidates"].items }.compactMap { $0["server"].text?.printable })
            .sorted()
        if !unready.isEmpty {
            return "Make a standby ready (\(several(unready))): `ddirect failover status` lists what is against each."
        }
        return "Mend that, or overrule it: ddirect failover run \(server) --force --reason …"
    }
}

/// The first three of a list, and how many more there are, for a sentence.
func several(_ texts: [String]) -> String {
    let shown = texts.prefix(3).joined(separator: "; ")
    return texts.count > 3 ? "\(shown); and \(texts.count - 3) more" : shown
}

/// Which services a failover moves, and where to.
struct FailoverMoves {
    private let moves: [JSON]

    init(_ failover: JSON) { moves = failover["moves"].items }

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
