import Logging
import Synchronization
import Syscalls

/// How the targets of one service stand by its checks.
struct ServiceHealth: Sendable, Equatable {
    struct Target: Sendable, Equatable {
        /// `EndpointTarget.text`.
        let name: String
        let isHealthy: Bool
    }

    let service: String
    /// The place of the target that new connections go to first.
    let preferred: Int
    let targets: [Target]
}

/// The thread that checks endpoints and their fallbacks, where services want that, and tells the workers where new
/// connections go first.
///
///     resolver ──addresses, judged──▶ ┌─────────┐
///     subscriber ──what is checked──▶ │ checker │ ──preferred targets──▶ workers
///                                     └─────────┘ ──names in doubt──▶ resolver
///
/// It learns addresses as the workers do, from the resolver and with the endpoint policy's verdict on each: so it asks
/// no name server, checks what devices would reach, and has no way to dial an address that nobody has judged.
final class HealthChecker: Sendable {
    enum Message: Sendable {
        /// What is checked from now on, instead of what was. To be said once the workers route by the same snapshot.
        case check([CheckedService])
        /// The addresses of endpoint names have become known or changed.
        case addresses([(index: Int32, addresses: EndpointAddresses)])
        case stop
    }

    struct Statistics: Sendable, Equatable {
        var services: [ServiceHealth] = []
        var passed: UInt64 = 0
        var failed: UInt64 = 0
        /// Checks that this process could not make properly.
        var untold: UInt64 = 0
    }

    /// Without a limit, since no message may be lost: it is emptied several times a second, whatever the network does.
    let mailbox: Mailbox<Message>
    let pulse = Pulse()
    private let workers: [Mailbox<WorkerMessage>]
    private let most: Int
    private let logger: Logger
    private let shared = Mutex(Statistics())

    /// `flowLimit` is how many connections this process is made for.
    init(workers: [Mailbox<WorkerMessage>], flowLimit: Int, logger: Logger) throws(SystemCallError) {
        mailbox = try Mailbox()
        self.workers = workers
        // Each is a descriptor that no flow can have. Those of a thousand dead targets, with the usual timeout, are
        // asked in two seconds.
        most = max(16, min(1024, flowLimit / 32))
        self.logger = logger
    }

    var statistics: Statistics { shared.withLock { $0 } }

    /// `doubts` is told of names whose targets fail.
    func run(doubting doubts: Mailbox<NameSlot>) throws {
        var loop = try HealthLoop(
            mailbox: mailbox, doubts: doubts, most: most, pulse: pulse, logger: logger,
            prefer: { [workers] preferences in for worker in workers { worker.post(.preferred(preferences)) } },
            publish: { [self] statistics in shared.withLock { $0 = statistics } })
        loop.run()
    }
}
