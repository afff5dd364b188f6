import Daemon
import Domain
import Logging
import Syscalls
import Wire

/// Keeps the snapshot in force outside this process, for the next one: in memory that the service manager holds, and,
/// if that is wanted, in a file.
///
/// A thread of its own, since to write down 100,000 services takes longer than a session may be silent. Of several
/// changes in a row the newest is kept, and it takes at most a tenth of a processor.
final class SnapshotKeeper: Sendable {
    enum Message: Sendable {
        case keep(Snapshot)
        case stop
    }

    let mailbox: Mailbox<Message>
    let pulse = Pulse()
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
        var turn = firstTurn
        var waiting: Snapshot?
        var nextWriting: UInt64 = 0
        var isStopped = false
        var lastProblem = ""
        while !isStopped {
            pulse.beat()
            let now = Clock.monotonicNanoseconds
            let pause = waiting != nil && nextWriting > now ? (nextWriting - now) / 1_000_000 + 1 : 0
            var set = PollSet()
            set.add(mailbox.descriptor)
            set.wait(milliseconds: waiting == nil ? 1000 : Int32(clamping: pause))
            for message in mailbox.drain() {
                switch message {
                case .keep(let snapshot): waiting = snapshot
                case .stop: isStopped = true
                }
            }
            let began = Clock.monotonicNanoseconds
            guard let snapshot = waiting, isStopped || began >= nextWriting else { continue }
            waiting = nil
            do {
                try keep(snapshot, as: turn)
                turn = 1 - turn
                lastProblem = ""
            } catch {
                if "\(error)" != lastProblem {
                    lastProblem = "\(error)"
                    logger.error(
                        "The snapshot in force could not be kept; a restart without the control plane would have an older one, or none",
                        metadata: ["version": "\(snapshot.version)", "reason": "\(error)"])
                }
            }
            let ended = Clock.monotonicNanoseconds
            nextWriting = ended &+ (ended &- began) &* SnapshotKeeper.rest
        }
    }

    private func keep(_ snapshot: Snapshot, as turn: Int) throws {
        guard usesStore || cache != nil else { return }
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
