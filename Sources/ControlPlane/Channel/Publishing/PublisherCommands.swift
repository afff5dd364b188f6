package import Domain
import Wire

/// Why a command was not carried out by a data plane.
package enum CommandFailure: Error, Equatable, Sendable {
    case disconnected
    case timedOut
    /// The data plane has said why not.
    case refused(String)
}

/// What a data plane has answered to a command.
enum CommandAnswer: Sendable {
    case check(EndpointCheck)
    case flows(FlowList)
    case refusal(String)

    init(_ message: WireFlowList) {
        guard message.refusal.isEmpty else {
            self = .refusal(message.refusal)
            return
        }
        do {
            self = .flows(try FlowList(message))
        } catch {
            self = .refusal("its answer makes no sense: \(error.reasons.prefix(3).joined(separator: "; "))")
        }
    }
}

/// Commands that a data plane answers.
extension SnapshotPublisher {
    /// Has a data plane resolve an endpoint and connect to it, now, and answers what it saw.
    package func checkEndpoint(
        _ target: EndpointTarget, on server: ServerName, timeout: Duration
    ) async throws(CommandFailure) -> EndpointCheck {
        var command = WireCommand()
        command.checkEndpoint.target = WireTarget(target)
        guard case .check(let check) = try await ask(command, on: server, timeout: timeout) else {
            throw .refused("its answer is none to an endpoint check")
        }
        return check
    }

    /// Asks a data plane which flows are open there, now.
    package func listFlows(
        _ query: FlowQuery, on server: ServerName, timeout: Duration
    ) async throws(CommandFailure) -> FlowList {
        var command = WireCommand()
        command.listFlows = WireListFlows(query)
        switch try await ask(command, on: server, timeout: timeout) {
        case .flows(let list): return list
        case .refusal(let reason): throw .refused(reason)
        case .check: throw .refused("its answer is no list of flows")
        }
    }

    /// Sends a command, and waits for its answer.
    private func ask(
        _ command: WireCommand, on server: ServerName, timeout: Duration
    ) async throws(CommandFailure) -> CommandAnswer {
        var command = command
        command.id = nextNumber()
        let (answers, answer) = AsyncStream<CommandAnswer>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let session = try send(command, to: server)
        pendingCommands[command.id] = (session, answer)
        defer { pendingCommands[command.id] = nil }
        let result = await withTaskGroup(of: Result<CommandAnswer, CommandFailure>.self) { group in
            group.addTask {
                for await answer in answers { return .success(answer) }
                return .failure(.disconnected)
            }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return .failure(.timedOut)
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .failure(.timedOut)
        }
        return try result.get()
    }

    /// A data plane has answered a command. Late answers have nobody who waits for them; an answer to another session's
    /// command is none.
    func answered(_ command: UInt64, _ answer: CommandAnswer, by session: SessionID) {
        guard let pending = pendingCommands[command], pending.session == session else { return }
        pending.answer.yield(answer)
        pending.answer.finish()
    }
}
