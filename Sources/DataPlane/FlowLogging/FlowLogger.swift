import Domain
import Logging
import Syscalls

/// Writes the flow log: takes records from the workers, makes lines of them, and hands those to whoever is to have them.
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
            var set = PollSet()
            set.add(mailbox.descriptor)
            set.wait(milliseconds: FlowLogger.interval)
            writing.readMail()
            let isDone = writing.write(at: Clock.monotonicNanoseconds)
            if let deadline = writing.deadline, isDone || Clock.monotonicNanoseconds >= deadline { return }
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
        /// The line under way, and how much of it was taken.
        private var line: [UInt8] = []
        private var taken = 0

        init(logger: FlowLogger) { self.logger = logger }

        /// Lines in a row from one worker: then it is the next one's turn.
        private static let turn = 256

        mutating func readMail() {
            for message in logger.mailbox.drain() {
                switch message {
                case .tenants(let tenants, let generation): names.settle(tenants, generation: generation)
                case .stop: deadline = Clock.monotonicNanoseconds &+ FlowLogger.lastPatience
                }
            }
        }

        /// Writes what there is. False when there is more than is taken at present.
        mutating func write(at now: UInt64) -> Bool {
            guard finishLine() else { return false }
            while true {
                var count = 0
                for ring in logger.rings {
                    for _ in 0..<Writing.turn {
                        guard let record = ring.takeFirst() else { break }
                        count += 1
                        begin(record, at: now)
                        guard finishLine() else { return false }
                    }
                }
                if count == 0 { return true }
                logger.pulse.beat()
            }
        }

        private mutating func begin(_ record: FlowRecord, at now: UInt64) {
            open(at: now)
            guard sink != nil else { return lose() }
            // Whoever has written by a table that we do not know was given it after we were told of it.
            if record.generation > names.generation { readMail() }
            let service = names.name(of: record.service, generation: record.generation)
            line = FlowLine(record: record, server: logger.server, service: service).rendered()
            if logger.isJournal { line = Array("<6>".utf8) + line }
            // A datagram has an end of its own.
            if sink?.keepsLinesWhole == true { line.removeLast() }
            taken = 0
        }

        /// False when the reader takes no more at present.
        private mutating func finishLine() -> Bool {
            while taken < line.count {
                guard let answer = sink?.write(line, from: taken) else { break }
                if answer.wouldBlock { return false }
                guard !answer.isError else {
                    fail("\(SystemCallError("send", code: answer.code))")
                    break
                }
                taken += answer.value
            }
            if !line.isEmpty {
                if taken == line.count { _ = logger.counts.add(1, at: 0) } else { lose() }
            }
            line = []
            taken = 0
            return true
        }

        private mutating func open(at now: UInt64) {
            guard sink == nil, now >= nextAttempt else { return }
            nextAttempt = now &+ FlowLogger.retryInterval
            switch logger.destination {
            case .standardOutput: sink = .standardOutput()
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
