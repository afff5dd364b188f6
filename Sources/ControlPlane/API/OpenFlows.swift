import Channel
import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// The flows that are open on a server.
struct FlowRoutes: Routes {
    let store: Store
    let publisher: SnapshotPublisher

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/servers/{name}/flows", needs: .listFlows, .listFlows) {
                try await list($0)
            }
        ]
    }

    /// Longer than a data plane waits for its slowest worker (3 s).
    private static let flowsTimeout = Duration.seconds(6)

    /// Asks a server which flows are open there now. Nothing of it is kept.
    private func list(_ request: APIRequest) async throws -> Response {
        let name = try request.server(in: store)
        let query = try flowQuery(request)
        do {
            let list = try await publisher.listFlows(query, on: name, timeout: Self.flowsTimeout)
            return .json(.object(list.representation(of: name)))
        } catch {
            throw await problem(with: name, error)
        }
    }

    private func flowQuery(_ request: APIRequest) throws(Problem) -> FlowQuery {
        let limit = try Paging(request, list: "flows").limit
        let service = try request.filter("service") { text throws(InvalidValue) in try ServiceName(text) }
        if let service, store.state.services[service] == nil { throw Problem(.noSuch(.service, service.text)) }
        let client = try request.filter("client") { text throws(InvalidValue) in try Prefix(text) }
        do {
            return try FlowQuery(service: service, client: client, limit: limit)
        } catch {
            throw Problem(.invalidParameter, "limit: \(error).")
        }
    }

    private func problem(with server: ServerName, _ failure: CommandFailure) async -> Problem {
        switch failure {
        case .disconnected:
            return Problem(
                .conflict,
                "Server \(server) is not connected, so it cannot be asked; expected a connected server.")
        case .timedOut:
            let software = await publisher.status(of: server).softwareVersion ?? "unknown"
            return Problem(
                .unavailable,
                "Server \(server) did not answer in time. Its software (\(software)) may be of a release that cannot "
                    + "list its flows; else try again later.", headers: [.retryAfter: "5"])
        case .refused(let reason):
            return Problem(
                .unavailable, "Server \(server) does not list its flows now: \(reason). Try again later.",
                headers: [.retryAfter: "5"])
        }
    }
}

extension FlowList {
    fileprivate func representation(of server: ServerName) -> JSONObject {
        [
            "server": .string(server.text), "matching": .integer(Int(clamping: matching)),
            "complete": .bool(isComplete), "flows": .array(flows.map { .object($0.representation) }),
        ]
    }
}

extension OpenFlow {
    fileprivate var representation: JSONObject {
        var service = JSONValue.null
        if case .service(let name) = owner { service = .string(name.text) }
        return [
            "service": service, "monitor": .bool(owner == .monitor), "protocol": .string(isHTTP ? "http" : "https"),
            "stage": .string(stage.rawValue), "client": OpenFlow.json(client), "called": OpenFlow.json(called),
            "endpoint": OpenFlow.json(endpoint), "target": target.map { .integer($0) } ?? .null,
            "bytesUp": .integer(Int(clamping: bytesUp)), "bytesDown": .integer(Int(clamping: bytesDown)),
            "ageMilliseconds": OpenFlow.json(age), "idleMilliseconds": OpenFlow.json(idle),
            "worker": .integer(worker),
        ]
    }

    private static func json(_ end: TransportAddress?) -> JSONValue {
        end.map { .string($0.description) } ?? .null
    }

    private static func json(_ duration: Duration) -> JSONValue { .integer(Int(duration / .milliseconds(1))) }
}
