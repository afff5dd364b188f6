import Domain
import Syscalls

/// One attempt at a door of a round: what a connection to it comes to.
struct ProbeAttempt {
    enum Beginning {
        case underWay(ProbeAttempt)
        case ended(ProbeRound.End)
    }

    enum Progress: Equatable {
        case waits(EpollEvents)
        case ended(ProbeRound.End)
    }

    private let plan: ProbePlan
    private let connection: Inquiry

    var socket: Socket { connection.socket }

    /// Begins to connect. What the kernel refuses at once is refused by this machine, not by the other.
    static func begin(_ plan: ProbePlan, _ door: ProbePlan.Door, by client: borrowing TLSClient) -> Beginning {
        switch Inquiry.open(
            to: door.address, calling: door.usesTLS ? plan.host : nil, request: plan.request,
            wantsServer: plan.service == nil, by: client)
        {
        case .underWay(let connection): return .underWay(ProbeAttempt(plan: plan, connection: connection))
        case .refused(let answer):
            if answer.isRefused { return .ended(.refused("refused")) }
            let problem = SystemCallError.text(of: answer.code)
            let isOurs = answer.isExhaustion || answer.isAddressUnavailable && door.address.address.family == .ipv4
            return .ended(isOurs ? .notMade(problem) : .unreachable(problem))
        case .notMade(let error): return .ended(.notMade("\(error)"))
        }
    }

    /// Goes on as far as the socket lets it, when what it waits for has come.
    func advance(through scratch: Buffer) -> Progress {
        while true {
            switch connection.advance(through: scratch) {
            case .waits(let events): return .waits(events)
            case .connected: break
            case .notConnected(let outcome):
                if outcome.isRefused { return .ended(.refused("refused")) }
                if outcome.isReset { return .ended(.refused("reset")) }
                return .ended(.failed(SystemCallError.text(of: outcome.code)))
            case .ready:
                guard plan.service == nil, let other = connection.otherNames(than: plan.host) else { break }
                return .ended(.refused(other.isEmpty ? "certificate is for nobody" : "certificate is for \(other)"))
            case .answered(let status, let server):
                if let problem = plan.problem(status: status, server: server) { return .ended(.refused(problem)) }
                connection.sendEnd()
                return .ended(.answered)
            case .failed(let problem): return .ended(.refused(problem))
            }
        }
    }
}
