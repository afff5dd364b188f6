import Domain
import Hummingbird

extension ControlAPI {
    /// Long enough for a name that is slow to resolve and a connect that is retried once.
    private static let checkTimeout = Duration.seconds(10)

    /// Asks each server that carries the service to resolve and connect now, and tells what it saw.
    func checkEndpoint(_ request: APIRequest) async throws -> Response {
        let text = request.variable("name")
        guard let service = store.state.services[ServiceName(checked: text)] else {
            throw Problem.noSuch(.service, text)
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
        let violations = findings.all + store.violations(ofEndpointAt: draft?.hosts ?? [])
        guard violations.isEmpty else { throw Rejection(violations: violations) }
        return draft?.endpoint
    }

    private func check(_ targets: [EndpointTarget], on server: ServerName) async -> JSONValue {
        do {
            let checks = try await withThrowingTaskGroup(of: (Int, EndpointCheck).self) { group in
                for (index, target) in targets.enumerated() {
                    group.addTask {
                        (index, try await publisher.checkEndpoint(target, on: server, timeout: Self.checkTimeout))
                    }
                }
                var checks: [(Int, EndpointCheck)] = []
                for try await check in group { checks.append(check) }
                return checks.sorted { $0.0 < $1.0 }
            }
            return [
                "server": .string(server.text), "state": "answered",
                "targets": .array(checks.map { index, check in check.representation(of: targets[index]) }),
            ]
        } catch {
            let state = if case CommandFailure.disconnected = error { "disconnected" } else { "timeout" }
            return ["server": .string(server.text), "state": .string(state), "targets": []]
        }
    }
}

extension EndpointCheck {
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
