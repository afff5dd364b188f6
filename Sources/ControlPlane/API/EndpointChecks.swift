import Channel
import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// Has servers connect to an endpoint, and tells what they saw.
struct EndpointChecks: Sendable {
    let store: Store
    let publisher: SnapshotPublisher

    /// Longer than a server takes to find that none of three name servers answers, or that an address does not.
    private static let checkTimeout = Duration.seconds(25)

    /// Asks each server that carries the service to resolve and connect now, and tells what it saw.
    func check(_ request: APIRequest) async throws -> Response {
        let text = request.variable("name")
        guard let service = store.state.services[ServiceName(checked: text)] else {
            throw Problem(.noSuch(.service, text))
        }
        let endpoint = try await candidate(request, for: service) ?? service.carriage.endpoint
        let targets = endpoint.targets
        let answers = await withTaskGroup(of: (Int, JSONValue).self) { group in
            for (index, server) in service.servers.enumerated() {
                group.addTask { (index, await check(targets, on: server)) }
            }
            var answers = [JSONValue](repeating: .null, count: service.servers.count)
            for await (index, answer) in group { answers[index] = answer }
            return answers
        }
        return .json(["service": .string(service.name.text), "servers": .array(answers)])
    }

    /// The endpoint in the body, judged as if the service had it; nil without a body.
    private func candidate(_ request: APIRequest, for service: Domain.Service) async throws -> Endpoint? {
        guard let (value, _) = try await request.json(types: ["application/json"], required: false) else { return nil }
        let findings = Findings()
        guard var reader = ObjectReader(value, at: "", findings) else { throw Rejection(violations: findings.all) }
        let document = reader.value("endpoint", required: false, expected: "an endpoint")
        let draft = document.map { EndpointDraft(reading: $0, at: "/endpoint", findings) }
        reader.finish()
        let violations = findings.all + (draft.map { store.violations(of: $0, for: service) } ?? [])
        guard violations.isEmpty else { throw Rejection(violations: violations) }
        return draft?.endpoint
    }

    /// What came of the check of one target.
    private struct Outcome: Sendable {
        let index: Int
        let check: EndpointCheck?
        let failure: CommandFailure?
    }

    /// What one server saw of each target. One target that is slow, or a server that goes away meanwhile, takes nothing
    /// from the others.
    private func check(_ targets: [EndpointTarget], on server: ServerName) async -> JSONValue {
        let outcomes = await withTaskGroup(of: Outcome.self) { group in
            for (index, target) in targets.enumerated() {
                group.addTask { await outcome(of: target, index, on: server) }
            }
            var outcomes: [Outcome] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes.sorted { $0.index < $1.index }
        }
        let failures = outcomes.compactMap(\.failure)
        guard failures.count < outcomes.count else {
            let state = failures.contains(.disconnected) ? "disconnected" : "timeout"
            return ["server": .string(server.text), "state": .string(state), "targets": []]
        }
        let answers = outcomes.map { outcome in
            let check = outcome.check ?? EndpointCheck(failed: outcome.failure ?? .timedOut)
            return check.representation(of: targets[outcome.index])
        }
        return ["server": .string(server.text), "state": "answered", "targets": .array(answers)]
    }

    // A function with a plain do: with a typed one inside the group's closure, the optimiser of Swift 6.3.1 hands over
    // a wrong index.
    private func outcome(of target: EndpointTarget, _ index: Int, on server: ServerName) async -> Outcome {
        do {
            let check = try await publisher.checkEndpoint(target, on: server, timeout: Self.checkTimeout)
            return Outcome(index: index, check: check, failure: nil)
        } catch {
            return Outcome(index: index, check: nil, failure: error)
        }
    }
}

extension EndpointCheck {
    /// A check that brought no answer, beside others that did.
    fileprivate init(failed failure: CommandFailure) {
        let reason =
            failure == .disconnected ? "the server's session ended meanwhile" : "the server did not answer in time"
        self.init(resolveError: reason, timeToLive: nil, resolveTime: .zero, attempts: [])
    }

    fileprivate func representation(of target: EndpointTarget) -> JSONValue {
        var body = target.document
        body["resolveError"] = resolveError.map { .string($0) } ?? .null
        body["ttlSeconds"] = timeToLive.map { .integer(Int(clamping: $0.components.seconds)) } ?? .null
        body["resolveMilliseconds"] = .number(resolveTime.milliseconds)
        body["attempts"] = .array(
            attempts.map { attempt in
                [
                    "address": .string(attempt.address), "port": .integer(attempt.port),
                    "error": attempt.error.map { .string($0) } ?? .null,
                    "connectMilliseconds": .number(attempt.connectTime.milliseconds),
                ]
            })
        return .object(body)
    }
}
