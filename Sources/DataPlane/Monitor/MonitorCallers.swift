import Domain
import Syscalls

/// Tells the fleet's probes from strangers at the monitor endpoint, and says so to the workers, whose gate is in front
/// of it. The responder's alone.
final class MonitorCallers {
    private let board: StatusBoard
    /// Tells the workers of an address that has proved itself.
    private let tell: (Address) -> Void
    private var proofs = ProbeProofs()
    private var known = KnownCallers()

    init(board: StatusBoard, tell: @escaping (Address) -> Void) {
        self.board = board
        self.tell = tell
    }

    /// `now` in milliseconds of the monotonic clock.
    func isKnown(_ address: Address, now: UInt64) -> Bool {
        let status = board.current
        known.fleet = status.applied?.fleet ?? []
        return address == status.controlPlane || known.contains(address, now: now)
    }

    /// Judges what a request shows to be known as a probe of the fleet by. `seconds` since 1970. Whatever comes of it,
    /// the request is answered.
    func judge(_ proof: String, from address: Address?, seconds: UInt64, now: UInt64) {
        let status = board.current
        // Without a key there is nothing to judge by.
        guard let key = status.applied?.probeKey else { return }
        let secret = ProbeProofs.Secret(server: status.server, key: key)
        let vantage = proofs.vantage(
            of: proof, by: secret, seconds: seconds, now: now,
            authenticate: { Authentication.hmac($0, key: $1.octets) })
        board.countMonitor { counts in
            if vantage == nil { counts.proofsRefused &+= 1 } else { counts.proofsTaken &+= 1 }
        }
        guard vantage != nil, let address, known.prove(address, now: now) else { return }
        tell(address)
    }

    func refused() { board.countMonitor { $0.callersRefused &+= 1 } }
}
