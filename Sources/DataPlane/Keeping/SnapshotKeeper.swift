import Daemon
import Domain
import Logging
import Syscalls
import Wire

/// Keeps the snapshot in force outside this process, for the next one: in memory that the service manager holds, and, if that is wanted, in a file.
///
/// A thread of its own, since to write down 100,000 services takes longer than a session may be silent. Of several changes in a row the
/// newest is kept, and it takes at most a tenth of a processor.
final class SnapshotKeeper: Sendable {
    enum Message: Sendable {
        case keep(Snapshot)
        case stop
    }

    let mailbox: Mailbox<Message>
    private let usesStore: Bool
    private let cache: String?
    private let firstTurn: Int
    private let logger: Logger
    /// Rest after a writing, as a multiple of what it took.
    private static let rest: UInt64 = 9

    /// `held` are the names under which the manager holds a snapshot already.
    init(usesStore: Bool, held: [String], cache: String?, logger: Logger) throws(SystemCallError) {
        firstTurn = held.contains(KeptSnapshot.names[0]) ? 1 : 0
        mailbox = try Mailbox()
        self.usesStore = usesStore
        self.cache = cache
        self.logger = logger
    }

    /// Returns after `.stop`, with the last snapshot kept.
    func run() {
        guard usesStore || cache != nil else { return awaitStop() }
        var turn = firstTurn
        var isStopped = false
        var lastProblem = ""
        while !isStopped {
            wait(milliseconds: 1000)
            let (newest, stops) = newestMessage()
            isStopped = stops
            guard let newest else { continue }
            let began = Clock.monotonicNanoseconds
            do {
                try keep(newest, as: turn)
                turn = 1 - turn
                lastProblem = ""
            } catch {
                if "\(error)" != lastProblem {
                    lastProblem = "\(error)"
                    logger.error(
                        "The snapshot in force could not be kept; a restart without the control plane would have an older one, or none",
                        metadata: ["version": "\(newest.version)", "reason": "\(error)"])
                }
            }
            let until = Clock.monotonicNanoseconds &+ (Clock.monotonicNanoseconds &- began) &* SnapshotKeeper.rest
            while !isStopped, Clock.monotonicNanoseconds < until {
                // A pause, in which only the end is looked for: what else comes is for the next turn.
                wait(milliseconds: 20, forMail: false)
                isStopped = mailbox.contains { if case .stop = $0 { true } else { false } }
            }
        }
        if case let (newest?, _) = newestMessage() { try? keep(newest, as: turn) }
    }

    private func awaitStop() {
        while true {
            wait(milliseconds: 1000)
            if newestMessage().stops { return }
        }
    }

    private func wait(milliseconds: Int32, forMail: Bool = true) {
        var set = PollSet()
        if forMail { set.add(mailbox.descriptor) }
        set.wait(milliseconds: milliseconds)
    }

    private func newestMessage() -> (newest: Snapshot?, stops: Bool) {
        var newest: Snapshot?
        var stops = false
        for message in mailbox.drain() {
            switch message {
            case .keep(let snapshot): newest = snapshot
            case .stop: stops = true
            }
        }
        return (newest, stops)
    }

    private func keep(_ snapshot: Snapshot, as turn: Int) throws {
        let octets = try SnapshotImage.octets(of: snapshot)
        if usesStore {
            let (name, former) = (KeptSnapshot.names[turn], KeptSnapshot.names[1 - turn])
            let file = try File.inMemory(named: "ddirect-\(name)", octets)
            Notify.forget(name)
            // The former is let go of only when there is another.
            if Notify.keep(file.number, as: name) { Notify.forget(former) }
        }
        if let cache { try File.replace(cache, by: octets) }
    }
}
