import Domain
import Logging
import Syscalls

/// Writes the flow log: takes records from the workers, makes lines of them, and hands those to whoever is to have
/// them.
///
/// Nobody waits for a reader that is slow: records stay in the workers' rings, and what finds no room there is lost and
/// counted. A socket on which nobody listens loses its lines at once, so that whoever listens later hears no old ones.
final class FlowLogger: Sendable {
    enum Message: Sendable {
        /// The workers are about to get the routing table of this number, with these services.
        case tenants([ServiceSlots.Tenant], generation: UInt64)
        case stop
    }

    let mailbox: Mailbox<Message>
    let pulse = Pulse()
    private let rings: [RecordRing<FlowRecord>]
    private let server: String
    private let destination: FlowLogDestination
    /// Before each line, for the journal: its priority, as sd-daemon(3) has it.
    private let isJournal: Bool
    private let logger: Logger
    /// Lines that were written, and lost, in this order.
    private let counts: AtomicWords

    /// Between two looks at the rings. A worker fills its own in this time at 80,000 lines a second.
    private static let interval: Int32 = 100
    /// For how long the last lines are waited for in the end, in nanoseconds.
    private static let lastPatience: UInt64 = 1_000_000_000
    /// Between two attempts to reach a socket, in nanoseconds.
    private static let retryInterval: UInt64 = 1_000_000_000
    /// All workers have a new routing table after so long, in nanoseconds: records that they write later are by that
    /// one.
    private static let settling: UInt64 = 60_000_000_000

    init(
        rings: [RecordRing<FlowRecord>], server: ServerName, destination: FlowLogDestination, isJournal: Bool,
        logger: Logger
    ) throws(SystemCallError) {
        mailbox = try Mailbox()
        counts = try AtomicWords(count: 2)
        self.rings = rings
        self.server = server.text
        self.destination = destination
        self.isJournal = isJournal && destination == .standardOutput
        self.logger = logger
    }

    var linesWritten: UInt64 { counts[0] }
    /// Those that the reader has not taken; what found no room before is the workers' count.
    var linesLost: UInt64 { counts[1] }

    /// Returns after `.stop`, when the last record is written or nobody takes it.
    func run() {
        var writing = Writing(logger: self)
        while true {
            pulse.beat()
            writing.readMail()
            let isDone = writing.write(at: Clock.monotonicNanoseconds)
            if let deadline = writing.deadline, isDone || Clock.monotonicNanoseconds >= deadline { return }
            var set = PollSet()
            set.add(mailbox.descriptor)
            // A reader that goes on is followed at once. So lines are lost only when it is too slow in the long run.
            if !isDone { writing.awaitRoom(in: &set) }
            set.wait(milliseconds: FlowLogger.interval)
        }
    }

    /// What the thread keeps from one round to the next.
    private struct Writing: ~Copyable {
        let logger: FlowLogger
        /// When this ends, whether or not all is written; nil while it goes on.
        private(set) var deadline: UInt64?
        private var names = SlotNames()
        private var sink: LineSink?
        private var nextAttempt: UInt64 = 0
        private var lastProblem = ""
        /// A line that the sink has not taken yet.
        private var line: [UInt8] = []
        /// The ring whose turn it is.
        private var place = 0

        init(logger: FlowLogger) { self.logger = logger }

        /// Lines in a row from one worker: then it is the next one's turn.
        private static let turn = 256

        mutating func readMail() {
            for message in logger.mailbox.drain() {
                switch message {
                case .tenants(let tenants, let generation):
                    names.settle(tenants, generation: generation, at: Clock.monotonicNanoseconds)
                case .stop: deadline = Clock.monotonicNanoseconds &+ FlowLogger.lastPatience
                }
            }
        }

        func awaitRoom(in set: inout PollSet) { sink?.awaitRoom(in: &set) }

        /// Writes what there is. False when there is more than is taken at present.
        mutating func write(at now: UInt64) -> Bool {
            guard handOver() else { return false }
            var empty = 0
            while empty < logger.rings.count {
                let ring = logger.rings[place]
                place = (place + 1) % logger.rings.count
                var count = 0
                while count < Writing.turn, let record = ring.takeFirst() {
                    count += 1
                    begin(record, at: now)
                    guard handOver() else { return false }
                }
                empty = count == 0 ? empty + 1 : 0
                logger.pulse.beat()
            }
            // No record waits that is older than this moment.
            names.forget(settledBefore: now.saturatingDifference(FlowLogger.settling))
            return sink?.finish() != .full
        }

        private mutating func begin(_ record: FlowRecord, at now: UInt64) {
            open(at: now)
            guard sink != nil else { return lose() }
            // Whoever has written by a table that we do not know was given it after we were told of it.
            if record.generation > names.generation { readMail() }
            let service = names.name(of: record.service, generation: record.generation)
            line = FlowLine(record: record, server: logger.server, service: service).rendered()
            if logger.isJournal { line = Array("<6>".utf8) + line }
        }

        /// Gives the sink the line under way. False when the reader takes no more at present.
        private mutating func handOver() -> Bool {
            guard !line.isEmpty, let sink else { return true }
            switch sink.write(line) {
            case .full: return false
            case .taken: _ = logger.counts.add(1, at: 0)
            case .failed(let error):
                fail("\(error)")
                lose()
            }
            line = []
            return true
        }

        private mutating func open(at now: UInt64) {
            guard sink == nil, now >= nextAttempt else { return }
            nextAttempt = now &+ FlowLogger.retryInterval
            switch logger.destination {
            case .standardOutput: sink = .standardOutput
            case .socket(let path):
                do {
                    sink = try LineSink(path: path)
                    if !lastProblem.isEmpty { logger.logger.notice("The flow log is taken again") }
                    lastProblem = ""
                } catch {
                    fail("\(error)")
                }
            }
        }

        private mutating func fail(_ problem: String) {
            sink = nil
            guard problem != lastProblem else { return }
            lastProblem = problem
            logger.logger.error("Nobody takes the flow log; its lines are lost", metadata: ["reason": "\(problem)"])
        }

        private func lose() { _ = logger.counts.add(1, at: 1) }
    }
}
