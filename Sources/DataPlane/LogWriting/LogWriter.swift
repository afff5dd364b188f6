import Daemon
import Synchronization
public import Syscalls

/// Writes this process's log, on a thread of its own: no other thread ever waits for whoever reads it.
public final class LogWriter: Sendable {
    private enum Message: Sendable {
        case written
        case stop
    }

    private let sink: LineSink
    private let backlog = Mutex(LogBacklog())
    private let mailbox: Mailbox<Message>
    /// Has mail once the thread has ended.
    private let end: Mailbox<Void>
    private let logLoss: @Sendable (UInt64) -> Void

    /// Starts the thread. `logLoss` is to log, by way of this writer, that so many lines were lost.
    public init(to sink: LineSink, logLoss: @escaping @Sendable (UInt64) -> Void) throws(SystemCallError) {
        self.sink = sink
        self.logLoss = logLoss
        mailbox = try Mailbox()
        end = try Mailbox()
        _ = try JoinableThread(named: "log") { [self] in
            run()
            end.post(())
        }
    }

    /// Lines that their reader did not get.
    public var linesLost: UInt64 { backlog.withLock { $0.lost } }

    /// Takes over a line, with its end. Never waits.
    public func write(_ line: String) {
        if backlog.withLock({ $0.append(Array(line.utf8)) }) == .first { mailbox.post(.written) }
    }

    /// Writes what still waits, for so many milliseconds at most. What comes later is lost.
    public func finish(within milliseconds: Int32 = 1000) {
        mailbox.post(.stop)
        var set = PollSet()
        set.add(end.descriptor)
        // Not joined: a thread that another process holds up in a pipe would hold up the end of this one.
        set.wait(milliseconds: milliseconds)
    }

    private func run() {
        // A line that the sink has not begun with yet.
        var line: [UInt8]?
        var isStopping = false
        while true {
            let isDone = writeAll(&line)
            if isStopping, isDone { return }
            var set = PollSet()
            set.add(mailbox.descriptor)
            if !isDone { sink.awaitRoom(in: &set) }
            set.wait(milliseconds: -1)
            for message in mailbox.drain() where message == .stop { isStopping = true }
        }
    }

    /// False when the reader takes no more at present.
    private func writeAll(_ line: inout [UInt8]?) -> Bool {
        while true {
            if line == nil { line = backlog.withLock { $0.takeFirst() } }
            guard let next = line else { return sink.finish() != .full }
            switch sink.write(next) {
            case .full: return false
            case .taken:
                line = nil
                if let lost = backlog.withLock({ $0.lossToTell() }) { logLoss(lost) }
            case .failed:
                line = nil
                backlog.withLock { $0.lose() }
            }
        }
    }
}

/// Lines of the log that are not for the journal, as swift-log forms them.
extension LogWriter: TextOutputStream {}
