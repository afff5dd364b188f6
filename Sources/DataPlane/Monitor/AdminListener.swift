import Domain
import Logging
import Syscalls

/// The thread that tells the operator, and nobody else, how this process is: metrics, health, readiness.
///
/// A thread of its own, since the metrics of 100,000 services take longer to render than a probe waits for its answer.
final class AdminListener: Sendable {
    static let bounds = AnsweringBounds(connections: 64)

    let address: TransportAddress
    private let sockets: ListeningSockets
    private let bounds: AnsweringBounds
    private let longAnswerLimit: Int
    private let board: StatusBoard
    private let metrics: @Sendable (Status) -> [UInt8]
    let pulse = Pulse()
    private let mailbox: Mailbox<AnsweringMessage>
    private let logger: Logger

    /// `metrics` renders them, on this thread. `longAnswerLimit` is how many may be sent answers of more than half a
    /// megabyte at one time, which only `/metrics` gives.
    init(
        at address: TransportAddress, within bounds: AnsweringBounds = AdminListener.bounds, longAnswerLimit: Int = 4,
        board: StatusBoard, logger: Logger, metrics: @escaping @Sendable (Status) -> [UInt8]
    ) throws(SystemCallError) {
        let sockets = try ListeningSockets(at: [address])
        self.address = sockets.addresses[0]
        mailbox = try Mailbox()
        self.sockets = sockets
        self.bounds = bounds
        self.longAnswerLimit = longAnswerLimit
        self.board = board
        self.metrics = metrics
        self.logger = logger
    }

    /// Answers until it is stopped. To be called once.
    func run() throws {
        var loop = try AnsweringLoop(
            at: [AnsweringDoor(socket: sockets[0], usesTLS: false)], within: bounds, certificate: nil,
            mailbox: mailbox, pulse: pulse, logger: logger
        ) { [self] question, moment in
            if question.path == "/metrics", moment.longAnswers >= longAnswerLimit { return .busy }
            let now = Duration.nanoseconds(Clock.monotonicNanoseconds)
            return AdminAnswer.to(question, status: board.status(at: now), metrics: metrics)
        }
        loop.run()
    }

    /// Has `run` end now, whatever is open.
    func stop() { mailbox.post(.stop) }
}
