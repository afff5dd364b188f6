import Domain
import Logging
import Syscalls
import Wire

/// The thread that asks other servers of the fleet whether they answer, for the control plane, which cannot see from
/// everywhere.
///
/// What it probes are the fleet's own public addresses, which the control plane names, and nothing that a customer
/// chooses; so the endpoint policy has no say here.
final class Prober: Sendable {
    enum Message: Sendable {
        /// What to probe from now on, instead of what was to be probed before.
        case watch(WireWatch)
        case stop
    }

    /// Without a limit, since no message may be lost: it is emptied several times a second, whatever the network does.
    let mailbox: Mailbox<Message>
    /// The server of this process, as which it probes.
    private let vantage: ServerName
    let pulse = Pulse()
    private let mostAttempts: Int
    private let logger: Logger
    private let answer: @Sendable (WireProbe) -> Void

    /// Makes no more attempts at a time than `mostAttempts`. `answer` is called with each round that has ended, on the
    /// prober's thread.
    init(
        vantage: ServerName, mostAttempts: Int, logger: Logger, answer: @escaping @Sendable (WireProbe) -> Void
    ) throws(SystemCallError) {
        mailbox = try Mailbox()
        self.vantage = vantage
        self.mostAttempts = mostAttempts
        self.logger = logger
        self.answer = answer
    }

    /// How many attempts may be under way in a process that carries so many flows at most: each is a descriptor that no
    /// flow can have, and a hundred servers of two addresses take 4096 when all of them are silent.
    static func mostAttempts(besideFlows flows: Int) -> Int { min(max(64, flows / 32), 4096) }

    func run() throws {
        var loop = try ProberLoop(
            mailbox: mailbox, vantage: vantage, mostAttempts: mostAttempts, pulse: pulse, logger: logger, answer: answer
        )
        loop.run()
    }
}
