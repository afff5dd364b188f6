import Domain
import Logging
import Syscalls

/// The thread that answers probes and uptime checks, which come through the relay like any traffic, on two loopback
/// listeners, plain and TLS.
///
/// It listens from its making on, and its addresses are known; it answers while it runs. What takes long is not done
/// here: a scrape of the metrics must not look like a server that is down.
final class Responder: Sendable {
    /// Where the relay dials for this server's host name.
    struct Addresses: Sendable {
        let http: TransportAddress
        let https: TransportAddress
    }

    /// Anyone can reach it. Of strangers there are as many as the gates of the workers let through.
    static let bounds = AnsweringBounds(connections: Int(MonitorGate.Limits.strangers.open), known: 256)

    let addresses: Addresses
    private let sockets: ListeningSockets
    private let bounds: AnsweringBounds
    private let board: StatusBoard
    private let isBehindRelay: Bool
    private let proved: @Sendable (Address) -> Void
    let pulse = Pulse()
    private let mailbox: Mailbox<AnsweringMessage>
    private let logger: Logger

    /// `proved` is told the addresses from which probes of the fleet come, on the responder's thread. With
    /// `isBehindRelay` each connection begins with the relay's PROXY header; without it, callers come themselves.
    init(
        within bounds: AnsweringBounds = Responder.bounds, board: StatusBoard, isBehindRelay: Bool = true,
        logger: Logger, proved: @escaping @Sendable (Address) -> Void
    ) throws(SystemCallError) {
        // On the loopback only: whoever wants to reach it comes through the relay.
        let loopback = TransportAddress(Address(ipv4: 0x7F00_0001), port: 0)
        let sockets = try ListeningSockets(at: [loopback, loopback])
        addresses = Addresses(http: sockets.addresses[0], https: sockets.addresses[1])
        mailbox = try Mailbox()
        self.sockets = sockets
        self.bounds = bounds
        self.board = board
        self.isBehindRelay = isBehindRelay
        self.proved = proved
        self.logger = logger
    }

    /// Answers until it is stopped. To be called once.
    func run() throws {
        let board = board
        let certificate = try MonitorCertificate(of: { board.current.applied?.hostname }, logger: logger)
        let doors = [false, true].enumerated().map { number, usesTLS in
            AnsweringDoor(socket: sockets[number], usesTLS: usesTLS, isBehindRelay: isBehindRelay)
        }
        let callers = MonitorCallers(board: board, tell: proved)
        let guests = AnsweringGuests(
            isKnown: { callers.isKnown($0, now: $1) }, refused: { callers.refused() })
        var loop = try AnsweringLoop(
            at: doors, within: bounds, certificate: certificate, mailbox: mailbox, pulse: pulse, logger: logger,
            guests: guests
        ) { question, moment in
            if let proof = question.proof {
                let seconds = Clock.realtimeNanoseconds / 1_000_000_000
                callers.judge(proof, from: moment.address, seconds: seconds, now: moment.now)
            }
            return MonitorAnswer.to(question, status: board.current, time: moment.time)
        }
        loop.run()
    }

    /// Has `run` end now, whatever is open.
    func stop() { mailbox.post(.stop) }
}
