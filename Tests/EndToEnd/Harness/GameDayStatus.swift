import JSON

/// What the control plane says of failover, and waiting until it says something.
extension GameDay {
    var status: JSONValue { get throws { try asOperator { try $0.grant("GET", "/failover").body } } }

    /// Waits until the status of failover is as `condition` wants.
    func awaitStatus(_ what: String, _ condition: (JSONValue) -> Bool) throws {
        var last = JSONValue.null
        do {
            try eventually(what, every: .milliseconds(50)) {
                last = try status
                return condition(last)
            }
        } catch {
            throw Failure("\(error): \(last)")
        }
    }

    /// Waits until each server answers the control plane and the two other servers.
    func awaitHealth() throws {
        try awaitStatus("all servers are healthy, as seen from everywhere") { status in
            let servers = status["servers"].items
            return status["holding"] == .null && servers.count == 3
                && servers.allSatisfy { server in
                    let vantages = server["vantages"].items
                    return server["state"].text == "healthy" && vantages.count >= 3
                        && vantages.allSatisfy { $0["outcome"].text == "answered" }
                }
        }
    }

    /// All failovers, the newest first; without their timelines.
    var failovers: [JSONValue] {
        get throws { try asOperator { try $0.grant("GET", "/failovers").body["items"].items } }
    }

    func failover(_ id: Int) throws -> JSONValue { try asOperator { try $0.grant("GET", "/failovers/\(id)").body } }

    /// Waits until there is a failover of a kind that is as `condition` wants, and gives it with its timeline.
    @discardableResult
    func awaitFailover(
        _ kind: String = "automatic", _ what: String, every interval: Duration = .milliseconds(50),
        _ condition: (JSONValue) -> Bool
    ) throws -> JSONValue {
        var last = JSONValue.null
        do {
            try eventually("a failover (\(kind)) \(what)", every: interval) {
                let newest = try failovers.first { $0["kind"].text == kind }
                guard let id = newest?["id"].integer else { return false }
                last = try failover(id)
                return condition(last)
            }
            return last
        } catch {
            throw Failure("\(error): \(last); status: \((try? status) ?? .null)")
        }
    }

    /// Waits until all authoritative servers have been found to give the new answer.
    @discardableResult
    func awaitVerified(_ kind: String = "automatic") throws -> JSONValue {
        try awaitFailover(kind, "is verified") { failover in
            let zones = failover["zones"].items
            return !zones.isEmpty && zones.allSatisfy { $0["verifiedAt"] != .null }
        }
    }

    /// The events of a kind since a moment, the oldest first. There are some of before: a fleet that starts is not well
    /// at once.
    func events(_ kind: String, since start: Moment) throws -> [JSONValue] {
        let said = try ddirect("events", "--json")
        guard said.code == 0 else { throw Failure("ddirect events ended with \(said.code): \(said.errors)") }
        return try said.output.split(separator: "\n").map { try JSONValue.parse($0.utf8) }.filter {
            $0["kind"].text == kind && ($0["at"].moment ?? 0) >= start
        }
    }

    /// Waits until something has been told since a moment, and gives what was said of it first, and when.
    @discardableResult
    func awaitEvent(_ kind: String, since start: Moment) throws -> (detail: String, at: Moment) {
        try eventually("the event \(kind)", every: .milliseconds(500)) {
            try events(kind, since: start).first.map { ($0["detail"].text ?? "", $0["at"].moment ?? start) }
        }
    }
}

extension JSONValue {
    /// Of the timeline of a failover: the moment of the first entry of a kind.
    func moment(of kind: String) -> Moment? { self["timeline"].items.first { $0["kind"].text == kind }?["at"].moment }

    /// When every zone was found to be answered anew by all its authoritative servers.
    var verified: Moment? { self["zones"].items.compactMap { $0["verifiedAt"].moment }.max() }

    var isInForce: Bool { self["inForce"] == true }

    /// Of the status of failover: what is said of a server.
    func server(_ name: String) -> JSONValue { self["servers"].items.first { $0["server"].text == name } ?? .null }

    /// Of a server's status: how many rounds in a row a vantage has missed.
    func misses(from vantage: String) -> Int {
        self["vantages"].items.first { $0["vantage"].text == vantage }?["misses"].integer ?? 0
    }
}
