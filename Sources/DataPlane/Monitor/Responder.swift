import Domain
import Logging
import Synchronization
import Syscalls

/// Bounds and deadlines of the responder. Each has a default that serves.
struct ResponderSettings: Sendable {
    /// Where metrics and health are asked for; port 0 lets the kernel choose.
    var admin: TransportAddress
    /// The release that runs, for the metrics.
    var buildVersion: String
    /// From accept until the whole request head has come, the TLS handshake included.
    var requestPatience: Duration = .seconds(5)
    /// From there until the client has taken the whole answer: as long as a scraper waits by default.
    var answerPatience: Duration = .seconds(10)
    /// For the client to close, once it has everything.
    var lingerPatience: Duration = .seconds(1)
    /// Connections to the admin listener. When there are as many, the oldest goes.
    var adminLimit = 64
    /// Connections to the monitor endpoint, which anyone can reach: they have a limit of their own, so that a flood of them keeps
    /// nobody from the metrics.
    var monitorLimit = 256
    /// Answers of more than half a megabyte at one time, which only `/metrics` gives.
    var longAnswerLimit = 4

    /// How long a worker may make no progress before this process calls itself unhealthy.
    var workerPatience: Duration = .seconds(5)

    init(admin: TransportAddress, buildVersion: String) {
        self.admin = admin
        self.buildVersion = buildVersion
    }
}

/// The thread that answers for this process: metrics and health to the operator on the admin listener, and uptime checks, which come
/// through the relay like any traffic, on two loopback listeners, plain and TLS.
///
/// It listens from its making on, and its addresses are known; it answers once it has been started.
final class Responder: Sendable {
    struct Addresses: Sendable {
        let admin: TransportAddress
        /// The monitor endpoint's: where the relay dials for this server's host name.
        let http: TransportAddress
        let https: TransportAddress
    }

    let addresses: Addresses
    private let mailbox: Mailbox<ResponderMessage>
    /// Handed to the thread when it starts.
    private let loop: Mutex<ResponderLoop?>

    init(_ settings: ResponderSettings, board: StatusBoard, workers: [WorkerCounters], logger: Logger) throws {
        let mailbox = try Mailbox<ResponderMessage>()
        let loop = try ResponderLoop(settings, board: board, workers: workers, mailbox: mailbox, logger: logger)
        addresses = loop.addresses
        self.mailbox = mailbox
        self.loop = Mutex(loop)
    }

    /// Starts the thread, which whoever calls this joins after `stop()`. To be called once.
    func start() throws(SystemCallError) -> Thread {
        try Thread(named: "responder") {
            guard var loop = self.loop.withLock({ $0.take() }) else { return }
            loop.run()
        }
    }

    /// Has the thread end now, whatever is open.
    func stop() { mailbox.post(.stop) }
}

enum ResponderMessage: Sendable {
    case stop
}
