import Domain
import Syscalls

/// One attempt at a door of a round: what a connection to it comes to.
struct ProbeInquiry {
    enum Beginning {
        case underWay(ProbeInquiry)
        case ended(ProbeRound.End)
    }

    enum Progress: Equatable {
        case waits(EpollEvents)
        case ended(ProbeRound.End)
    }

    private let order: ProbeOrder
    private let connection: Inquiry

    var socket: Socket { connection.socket }

    /// Whether the other end has taken the connection.
    var isConnected: Bool { connection.isConnected }

    /// Begins to connect, as the server `vantage`. What the kernel refuses at once is refused by this machine, not by
    /// the other.
    static func begin(
        _ order: ProbeOrder, _ door: ProbeQuestion.Door, from vantage: ServerName, by client: borrowing TLSClient
    ) -> Beginning {
        let request = order.question.request(
            from: vantage, at: Clock.realtimeNanoseconds / 1_000_000_000, nonce: .random(in: .min ... .max))
        switch Inquiry.open(
            to: door.address, calling: door.usesTLS ? order.question.host : nil, request: request,
            wantsServer: order.question.service == nil, by: client)
        {
        case .underWay(let connection): return .underWay(ProbeInquiry(order: order, connection: connection))
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
                guard order.question.service == nil, let other = connection.otherNames(than: order.question.host) else {
                    break
                }
                return .ended(.refused(other.isEmpty ? "certificate is for nobody" : "certificate is for \(other)"))
            case .answered(let status, let server):
                let end = order.question.end(status: status, server: server)
                if end == .answered { connection.sendEnd() }
                return .ended(end)
            case .cut(let problem): return .ended(.turnedAway(problem))
            case .failed(let problem): return .ended(.refused(problem))
            }
        }
    }
}

extension ProbeQuestion {
    /// The request of one connection, authenticated by the system's libssl.
    func request(from vantage: ServerName, at time: UInt64, nonce: UInt128) -> [UInt8] {
        let text = request(
            from: vantage.text, at: time, nonce: nonce, authenticate: { Authentication.hmac($0, key: $1.octets) })
        return Array(text.utf8)
    }
}
