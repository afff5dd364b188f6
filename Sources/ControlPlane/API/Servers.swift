import Channel
import Domain
import Fleet
import Hummingbird
import JSON
import Notices
import Store

extension ControlAPI {
    static let serverOperations: [Operation] = [
        Operation(.get, "/api/v1/servers", query: Operation.page) { $0.listServers },
        Operation(.post, "/api/v1/servers", query: Operation.change) { api in
            { try await api.create(.server, $0, proposeServer) }
        },
        Operation(.get, "/api/v1/servers/{name}") { api in { try await api.show(.server, $0) } },
        Operation(.patch, "/api/v1/servers/{name}", query: Operation.change) { api in
            { try await api.update(.server, $0, proposeServer) }
        },
        Operation(.delete, "/api/v1/servers/{name}", query: Operation.change) { api in
            { try await api.delete(.server, $0) }
        },
        Operation(.post, "/api/v1/servers/{name}/drain") { api in { try await api.setDraining(true, $0) } },
        Operation(.post, "/api/v1/servers/{name}/undrain") { api in { try await api.setDraining(false, $0) } },
        Operation(.post, "/api/v1/servers/{name}/accept") { $0.acceptOn },
    ]

    private func listServers(_ request: APIRequest) async throws -> Response {
        let paging = try Paging(request, list: "servers")
        let page = try await store.records(.server, after: paging.key, limit: paging.limit)
        let statuses = await publisher.statuses()
        let current = store.version
        let items = page.elements.map { record -> JSONValue in
            let name = ServerName(checked: record.name)
            return .object(
                record.representation(
                    status: statuses[name] ?? ServerStatus(), currentVersion: current,
                    services: store.serviceCount(of: name)))
        }
        return Paging.response("servers", items, next: page.next)
    }

    @Sendable private static func proposeServer(_ document: JSONValue, _ base: ChangeBase) -> Proposal {
        let findings = Findings()
        let draft = ServerDraft(reading: document, findings)
        var proposal = Proposal()
        if let server = draft.server {
            proposal.edits = [.server(server.name, before: base.state.servers[server.name], after: server)]
        }
        proposal.servers = [draft]
        proposal.violations = findings.all
        return proposal
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

    /// The server that the path names.
    func serverName(_ request: APIRequest) throws(Problem) -> ServerName {
        let text = request.variable("name")
        guard let name = store.state.servers[ServerName(checked: text)]?.name else {
            throw Problem.noSuch(.server, text)
        }
        return name
    }

    /// Tells a connected server something that is no change of its configuration.
    private func tell(
        _ verb: String, _ request: APIRequest, _ send: (ServerName) async throws(CommandFailure) -> Void
    ) async throws -> ServerName {
        let name = try serverName(request)
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
            await enterRefusal(entry, "Server \(entry.target) is not connected.")
            return Problem(
                .conflict,
                "Server \(entry.target) is not connected, so it cannot be told; expected a connected server.")
        case .timedOut, .refused:
            await enterRefusal(entry, "Server \(entry.target) did not answer.")
            return Problem(
                .unavailable, "Server \(entry.target) did not answer in time. Try again later.",
                headers: [.retryAfter: "5"])
        }
    }
}
