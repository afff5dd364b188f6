import Changes
import DNS
import Domain
import Failover
import Fleet
import FoundationEssentials
import Hummingbird
import JSON
import Store

/// What is asked of failover: how it stands, what it did, and orders to it.
struct FailoverRoutes: Routes {
    let store: Store
    let changes: Changes
    let failover: FailoverService
    let journal: FailoverJournal

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/failover", needs: .readFailovers, .showFailoverStatus) {
                try await showStatus($0)
            },
            Operation(.put, "/api/v1/failover/freeze", needs: .overrideFailover, .freezeFleet) { try await freeze($0) },
            Operation(.delete, "/api/v1/failover/freeze", needs: .overrideFailover, .unfreezeFleet) {
                try await unfreeze($0)
            },
            Operation(.get, "/api/v1/failovers", needs: .readFailovers, .listFailovers) { try await list($0) },
            Operation(.get, "/api/v1/failovers/{id}", needs: .readFailovers, .showFailover) { try await show($0) },
            Operation(.post, "/api/v1/failovers/{id}/failback", needs: .moveServices, .takeFailoverBack) {
                try await takeBack($0)
            },
            Operation(.get, "/api/v1/servers/{name}/failover-plan", needs: .readFailovers, .planFailover) {
                try await showPlan($0)
            },
            Operation(.post, "/api/v1/servers/{name}/failover", needs: .moveServices, .failServerOver) {
                try await failOver($0)
            },
            Operation(.post, "/api/v1/servers/{name}/failback", needs: .moveServices, .failServerBack) {
                try await failBack($0)
            },
            Operation(.put, "/api/v1/servers/{name}/override", needs: .overrideFailover, .overrideServer) {
                try await override($0)
            },
            Operation(.delete, "/api/v1/servers/{name}/override", needs: .overrideFailover, .clearOverride) {
                try await clearOverride($0)
            },
        ]
    }

    // MARK: Reading

    private func showStatus(_ request: APIRequest) async throws -> Response {
        .json(await failover.overview().representation)
    }

    private func showPlan(_ request: APIRequest) async throws -> Response {
        .json(await failover.rehearsedPlan(leaving: try request.server(in: store)).representation)
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "failovers")
        let page = try await journal.failovers(
            before: try paging.number().map { FailoverID(number: $0) }, limit: paging.limit)
        var items: [JSONValue] = []
        for stored in page.elements { items.append(.object(await representation(stored))) }
        return Paging.response("failovers", items, next: page.next?.description)
    }

    private func show(_ request: APIRequest) async throws -> Response {
        let (stored, timeline) = try await storedFailover(request)
        var body = await representation(stored)
        body["timeline"] = .array(timeline)
        return .json(.object(body))
    }

    private func representation(_ stored: Failover) async -> JSONObject {
        var body = await failover.current(stored).document
        body["inForce"] = .bool(await failover.isInForce(stored.id))
        return body
    }

    private func storedFailover(_ request: APIRequest) async throws -> (failover: Failover, timeline: [JSONValue]) {
        let text = request.variable("id")
        guard let number = Int64(text), let found = try await journal.failover(FailoverID(number: number)) else {
            throw Problem(
                .notFound,
                "There is no failover '\(text.prefix(80))'; GET /api/v1/failovers lists those that there are.")
        }
        return found
    }

    // MARK: Moving

    private func failOver(_ request: APIRequest) async throws -> Response {
        let server = try request.server(in: store)
        let order = try await order(request, mayReturn: true)
        return try await accepted(request, "failover.run", server.text) {
            try await failover.run(
                server, reason: order.reason, author: request.author, returnsAfter: order.forSeconds,
                force: order.force)
        }
    }

    private func failBack(_ request: APIRequest) async throws -> Response {
        let server = try request.server(in: store)
        let order = try await order(request, mayReturn: false)
        return try await accepted(request, "failover.failback", server.text) {
            try await failover.failBack(server, reason: order.reason, author: request.author, force: order.force)
        }
    }

    private func takeBack(_ request: APIRequest) async throws -> Response {
        let (stored, _) = try await storedFailover(request)
        let order = try await order(request, mayReturn: false)
        return try await accepted(request, "failover.failback", stored.server.text) {
            guard await failover.isInForce(stored.id) else {
                throw FailoverRefusal(reason: "failover \(stored.id) is not in force any more")
            }
            return try await failover.failBack(
                stored.server, stored.id, reason: order.reason, author: request.author, force: order.force)
        }
    }

    private struct Order {
        var reason: String
        var forSeconds: Int?
        var force: Bool
    }

    private func order(_ request: APIRequest, mayReturn: Bool) async throws -> Order {
        guard let (value, _) = try await request.json(types: ["application/json"]) else {
            throw Problem(.invalidJSON, "")
        }
        let findings = Findings()
        guard var reader = ObjectReader(value, at: "", findings) else { throw Rejection(violations: findings.all) }
        let reason = reader.read(FailoverOrderFields.reason)
        let force = reader.read(FailoverOrderFields.force)
        let seconds = mayReturn ? reader.read(FailoverOrderFields.forSeconds) : nil
        reader.finish()
        guard findings.all.isEmpty, let reason else { throw Rejection(violations: findings.all) }
        return Order(reason: reason, forSeconds: seconds, force: force)
    }

    /// The answer to an order that moves services, or why it is not followed.
    private func accepted(
        _ request: APIRequest, _ action: String, _ target: String, _ work: () async throws -> Failover
    ) async throws -> Response {
        do {
            let failover = try await work()
            return .json(
                .object(await representation(failover)), status: .accepted,
                headers: [.location: "/api/v1/failovers/\(failover.id)"])
        } catch let refusal as FailoverRefusal {
            await changes.enterRefusal(
                ChangeRequest(author: request.author, action: action, target: target), refusal.reason)
            throw Problem(.conflict, "Nothing is moved: \(refusal.reason).")
        }
    }

    // MARK: Words that last

    private func freeze(_ request: APIRequest) async throws -> Response {
        let (until, reason, _) = try await lastingWord(request, hasState: false)
        let freeze = Freeze(since: Date(), until: until, reason: reason, author: request.author)
        try await failover.freeze(freeze)
        return .json(freeze.representation)
    }

    private func unfreeze(_ request: APIRequest) async throws -> Response {
        try await failover.unfreeze(by: request.author)
        return Response(status: .noContent)
    }

    private func override(_ request: APIRequest) async throws -> Response {
        let server = try request.server(in: store)
        let (until, reason, state) = try await lastingWord(request, hasState: true)
        guard let state else { throw Problem(.invalidJSON, "") }
        let override = ServerOverride(
            server: server, state: state, until: until, reason: reason, author: request.author)
        try await failover.override(override)
        return .json(override.representation)
    }

    private func clearOverride(_ request: APIRequest) async throws -> Response {
        try await failover.clearOverride(of: try request.server(in: store), by: request.author)
        return Response(status: .noContent)
    }

    private func lastingWord(
        _ request: APIRequest, hasState: Bool
    ) async throws -> (until: Date, reason: String, state: ServerOverride.State?) {
        guard let (value, _) = try await request.json(types: ["application/json"]) else {
            throw Problem(.invalidJSON, "")
        }
        let findings = Findings()
        guard var reader = ObjectReader(value, at: "", findings) else { throw Rejection(violations: findings.all) }
        let state = hasState ? reader.read(FailoverOrderFields.state) : nil
        let until = reader.read(FailoverOrderFields.until)
        let reason = reader.read(FailoverOrderFields.reason)
        reader.finish()
        guard findings.all.isEmpty, let until, let reason else { throw Rejection(violations: findings.all) }
        return (until, reason, state)
    }
}

extension FailoverService.Overview {
    fileprivate var representation: JSONValue {
        [
            "frozen": freeze?.representation ?? .null, "holding": holding.map { .string($0) } ?? .null,
            "servers": .array(servers.map(\.representation)),
            "standbys": .array(
                readiness.standbys.sorted { ($0.key.service, $0.key.server) < ($1.key.service, $1.key.server) }.map {
                    pair, proof in
                    [
                        "service": .string(pair.service.text), "server": .string(pair.server.text),
                        "ready": .bool(proof.isReady),
                        "obstacles": .array((proof.obstacles + proof.warnings).map { .string($0) }),
                        "checkedAt": proof.checkedAt.json,
                    ]
                }),
            "zones": .array(
                readiness.zones.sorted { $0.key < $1.key }.map { zone, proof in
                    [
                        "zone": .string(zone.text), "ready": .bool(proof.isReady), "detail": .string(proof.words),
                        "checkedAt": proof.checkedAt.json,
                    ]
                }),
        ]
    }
}

extension FailoverService.Overview.ServerView {
    fileprivate var representation: JSONValue {
        [
            "server": .string(server.text), "state": .string(state), "since": since.json, "detail": .string(detail),
            "override": override?.representation ?? .null,
            "failover": failover.map { .integer(Int($0.number)) } ?? .null, "activeServices": .integer(activeServices),
            "vantages": .array(
                evidence.map {
                    [
                        "vantage": .string($0.vantage), "outcome": .string($0.outcome),
                        "misses": .integer($0.misses), "at": $0.at.json, "detail": .string($0.detail),
                    ]
                }),
        ]
    }
}

extension Freeze {
    fileprivate var representation: JSONValue {
        ["since": since.json, "until": until.json, "reason": .string(reason), "author": .string(author)]
    }
}

extension ServerOverride {
    fileprivate var representation: JSONValue {
        [
            "state": .string(state.rawValue), "until": until.json, "reason": .string(reason), "author": .string(author),
        ]
    }
}

extension FailoverPlan {
    fileprivate var representation: JSONValue {
        [
            "server": .string(server.text), "services": .array(services.map(\.representation)),
            "obstacles": .array((obstacles.isEmpty ? [obstacle].compactMap { $0 } : obstacles).map { .string($0) }),
        ]
    }
}

extension FailoverPlan.ServicePlan {
    fileprivate var representation: JSONValue {
        [
            "service": .string(service.text), "from": .string(from.text),
            "to": to.map { .string($0.text) } ?? .null,
            "candidates": .array(
                candidates.map {
                    [
                        "server": .string($0.server.text), "ready": .bool($0.obstacles.isEmpty && $0.warnings.isEmpty),
                        "obstacles": .array(($0.obstacles + $0.warnings).map { .string($0) }),
                    ]
                }),
            "records": .array(
                records.map { record in
                    [
                        "zone": .string(record.zone.text), "name": .string(record.change.name.text),
                        "before": .array(record.change.expected.map { .string($0.text) }),
                        "after": .array(record.change.wanted.map { .string($0.text) }),
                    ]
                }),
            "obstacles": .array(obstacles.map { .string($0) }),
        ]
    }
}
