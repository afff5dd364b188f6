import Changes
import Channel
import Domain
import Fleet
import Hummingbird
import JSON
import Notices
import Store

/// Servers, and what they are told that is no configuration.
struct ServerRoutes: Routes {
    let resources: Resources
    let store: Store
    let changes: Changes
    let publisher: SnapshotPublisher
    let events: EventLog

    var operations: [Operation] {
        ResourceRoutes(kind: .server, change: .changeServers, resources: resources).operations + [
            Operation(.post, "/api/v1/servers/{name}/drain", needs: .commandServers, .drainServer) {
                try await setDraining(true, $0)
            },
            Operation(.post, "/api/v1/servers/{name}/undrain", needs: .commandServers, .undrainServer) {
                try await setDraining(false, $0)
            },
            Operation(.post, "/api/v1/servers/{name}/accept", needs: .commandServers, .acceptOnServer) {
                try await acceptOn($0)
            },
        ]
    }

    private func setDraining(_ draining: Bool, _ request: APIRequest) async throws -> Response {
        let verb = draining ? "drain" : "undrain"
        let name = try await tell(verb, request) { name throws(CommandFailure) in
            try await publisher.setDraining(draining, on: name)
        }
        events.append(
            draining ? .serverDraining : .serverUndrained, server: name, author: request.author,
            detail: draining ? "told to take no new connections" : "told to take new connections again")
        return .json(["server": .string(name.text), "draining": .bool(draining)], status: .accepted)
    }

    private func acceptOn(_ request: APIRequest) async throws -> Response {
        let name = try await tell("accept", request) { name throws(CommandFailure) in
            try await publisher.accept(on: name)
        }
        events.append(
            .serverAccepted, server: name, version: store.version, author: request.author,
            detail: "told to take the configuration of this control plane, whatever its own is")
        return .json(["server": .string(name.text), "version": store.version.json], status: .accepted)
    }

    /// Tells a connected server something that is no change of its configuration.
    private func tell(
        _ verb: String, _ request: APIRequest, _ send: (ServerName) async throws(CommandFailure) -> Void
    ) async throws -> ServerName {
        let name = try request.server(in: store)
        let entry = ChangeRequest(author: request.author, action: "server.\(verb)", target: name.text)
        guard await publisher.status(of: name).connected else { throw await notTold(entry, .disconnected) }
        // Before it is told: what was asked of a server is on record, whatever becomes of it and of us.
        try await store.enter(entry, done: true, detail: "\(verb) server \(name)")
        do {
            try await send(name)
        } catch {
            throw await notTold(entry, error)
        }
        return name
    }

    /// Enters into the audit trail why a server could not be told something, and makes the answer that says so.
    private func notTold(_ entry: ChangeRequest, _ failure: CommandFailure) async -> Problem {
        switch failure {
        case .disconnected:
            await changes.enterRefusal(entry, "Server \(entry.target) is not connected.")
            return Problem(
                .conflict,
                "Server \(entry.target) is not connected, so it cannot be told; expected a connected server.")
        case .timedOut, .refused:
            await changes.enterRefusal(entry, "Server \(entry.target) did not answer.")
            return Problem(
                .unavailable, "Server \(entry.target) did not answer in time. Try again later.",
                headers: [.retryAfter: "5"])
        }
    }
}
