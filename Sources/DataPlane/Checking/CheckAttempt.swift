import Domain
import Routing
import Syscalls

/// One attempt at one address of a target: as much of a device's connection as the check asks for, with a PROXY header
/// before it where the endpoint wants one.
struct CheckAttempt {
    enum Beginning {
        case underWay(CheckAttempt)
        case ended(CheckRound.End)
    }

    enum Progress: Equatable {
        case waits(EpollEvents)
        case ended(CheckRound.End)
    }

    private let check: TargetCheck
    private let connection: Inquiry

    var socket: Socket { connection.socket }

    /// Begins to connect. `peer` has passed the endpoint policy.
    static func begin(_ check: TargetCheck, to peer: TransportAddress, by client: borrowing TLSClient) -> Beginning {
        switch Inquiry.open(
            to: peer, calling: check.kind == .tls ? check.host : nil, request: check.request, wantsServer: false,
            by: client)
        {
        case .underWay(let connection): return .underWay(CheckAttempt(check: check, connection: connection))
        case .refused(let answer):
            // For want of something of ours, or because there is no way there, which is how a device's connection would
            // fare too.
            let problem = SystemCallError.text(of: answer.code)
            let isOurs = answer.isExhaustion || answer.isAddressUnavailable && peer.address.family == .ipv4
            return .ended(isOurs ? .notMade(problem) : .failed(problem))
        case .notMade(let error): return .ended(.notMade("\(error)"))
        }
    }

    /// Goes on as far as the socket lets it, when what it waits for has come.
    func advance(through scratch: Buffer) -> Progress {
        while true {
            switch connection.advance(through: scratch) {
            case .waits(let events): return .waits(events)
            case .connected:
                if check.sendProxyProtocol != .off, let problem = greet(through: scratch) {
                    return .ended(.failed(problem))
                }
                guard check.kind == .tcp else { break }
                connection.cut()
                return .ended(.answered)
            case .notConnected(let outcome):
                return .ended(.failed(outcome.isRefused ? "refused" : SystemCallError.text(of: outcome.code)))
            case .ready:
                guard check.kind == .tls else { break }
                connection.sendEnd()
                connection.cut()
                return .ended(.answered)
            case .answered(let status, _): return .ended(status < 500 ? .answered : .failed("status \(status)"))
            case .cut(let problem), .failed(let problem): return .ended(.failed(problem))
            }
        }
    }

    /// Says whose connection this is, which is our own, to an endpoint that would not listen otherwise.
    private func greet(through scratch: Buffer) -> String? {
        guard let source = socket.localAddress, let destination = socket.peerAddress else {
            return "the connection was lost"
        }
        let version = check.sendProxyProtocol
        let count = scratch.withMutableSpan(0, ProxyHeader.longestWritten) {
            ProxyHeader.write(version, source: source, destination: destination, into: &$0) ?? 0
        }
        // Nothing has been sent yet, so the kernel has room for a hundred octets.
        let answer = socket.send(scratch, at: 0, count: count)
        if answer.isError { return SystemCallError.text(of: answer.code) }
        return answer.value == count ? nil : "the connection takes nothing"
    }
}
