import Domain
import Logging
import Syscalls

/// The thread that answers probes and uptime checks, which come through the relay like any traffic, on two loopback listeners, plain and TLS.
///
/// It listens from its making on, and its addresses are known; it answers while it runs. What takes long is not done here: a scrape of the
/// metrics must not look like a server that is down.
final class Responder: Sendable {
    /// Where the relay dials for this server's host name.
    struct Addresses: Sendable {
        let http: TransportAddress
        let https: TransportAddress
    }

    /// Anyone can reach it.
    static let bounds = AnsweringBounds(connections: 256)

    let addresses: Addresses
    private let sockets: ListeningSockets
    private let bounds: AnsweringBounds
    private let board: StatusBoard
    let pulse = Pulse()
    private let mailbox: Mailbox<AnsweringMessage>
    private let logger: Logger

    init(within bounds: AnsweringBounds = Responder.bounds, board: StatusBoard, logger: Logger) throws(SystemCallError)
    {
        // On the loopback only: whoever wants to reach it comes through the relay.
        let loopback = TransportAddress(Address(ipv4: 0x7F00_0001), port: 0)
        let sockets = try ListeningSockets(at: [loopback, loopback])
        addresses = Addresses(http: sockets.addresses[0], https: sockets.addresses[1])
        mailbox = try Mailbox()
        self.sockets = sockets
        self.bounds = bounds
        self.board = board
        self.logger = logger
    }

    /// Answers until it is stopped. To be called once.
    func run() throws {
        let board = board
        let certificate = try MonitorCertificate(of: { board.current.applied?.hostname }, logger: logger)
        let doors = [
            AnsweringDoor(socket: sockets[0], usesTLS: false), AnsweringDoor(socket: sockets[1], usesTLS: true),
        ]
        var loop = try AnsweringLoop(
            at: doors, within: bounds, certificate: certificate, mailbox: mailbox, pulse: pulse, logger: logger
        ) { question, moment in
            MonitorAnswer.to(question, status: board.current, time: moment.time)
        }
        loop.run()
    }

    /// Has `run` end now, whatever is open.
    func stop() { mailbox.post(.stop) }
}
