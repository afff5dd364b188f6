import Daemon
import Dispatch
import Foundation
import Synchronization

/// Writes this process's log on a queue of its own: no task and no event loop ever waits for the log's reader.
final class BackgroundLog: TextOutputStream, Sendable {
    private let backlog = Mutex(LogBacklog())
    private let queue = DispatchQueue(label: "log")
    private let logLoss: @Sendable (UInt64) -> Void

    /// `logLoss` is to log, by way of this one, that so many lines were lost.
    init(logLoss: @escaping @Sendable (UInt64) -> Void) { self.logLoss = logLoss }

    /// Takes over a line, with its end. Never waits.
    func write(_ line: String) {
        guard backlog.withLock({ $0.append(Array(line.utf8)) }) == .first else { return }
        queue.async { [self] in writeAll() }
    }

    /// Waits until everything is written, for a second at most.
    func finish() {
        let end = DispatchSemaphore(value: 0)
        queue.async { end.signal() }
        _ = end.wait(timeout: .now() + 1)
    }

    private func writeAll() {
        while let line = backlog.withLock({ $0.takeFirst() }) {
            do {
                try FileHandle.standardError.write(contentsOf: Data(line))
                if let lost = backlog.withLock({ $0.lossToTell() }) { logLoss(lost) }
            } catch {
                backlog.withLock { $0.lose() }
            }
        }
    }
}
