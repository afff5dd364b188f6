import CLinux
import Glibc
import Synchronization

/// Where lines go that nobody may wait for: an open descriptor, or a Unix socket of datagrams.
///
/// Several threads may write to one sink. A line that was begun is finished before the next one begins, whoever writes
/// that; so no line tears another.
public final class LineSink: Sendable {
    public enum Outcome: Equatable, Sendable {
        /// The line is written, or begun: what is left of it goes out before anything else.
        case taken
        /// The reader takes nothing at present; nothing of the line was written.
        case full
        /// The line is lost, and the one before it too if that was not finished.
        case failed(SystemCallError)
    }

    private let descriptor: Int32
    private let isOwn: Bool
    private let isDatagram: Bool
    /// What is left of the line that was begun last.
    private let rest = Mutex<[UInt8]>([])

    public static let standardError = LineSink(descriptor: 2)

    /// The very sink of standard error where both lead to one place, as in a unit or at a terminal.
    public static let standardOutput =
        linux_is_same_file(1, 2) != 0 ? LineSink.standardError : LineSink(descriptor: 1)

    /// A descriptor that is another's to close.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        isOwn = false
        isDatagram = false
    }

    /// The socket of datagrams at `path` (unix(7)), on which somebody listens already.
    public init(path: String) throws(SystemCallError) {
        let number = Int32(truncatingIfNeeded: try KernelAnswer(linux_datagram_socket()).get("socket"))
        let answer = KernelAnswer(unsafe linux_connect_unix(number, path))
        guard !answer.isError else {
            _ = linux_close(number)
            throw SystemCallError("connect to \(path)", code: answer.code)
        }
        descriptor = number
        isOwn = true
        isDatagram = true
    }

    deinit { if isOwn { _ = linux_close(descriptor) } }

    /// Writes a line, which has its end with it; a datagram has an end of its own, and leaves that out.
    public func write(_ line: [UInt8]) -> Outcome {
        rest.withLock { rest in
            let before = finish(&rest)
            guard before == .taken else { return before }
            rest = isDatagram ? line.dropLast() : line
            let whole = rest.count
            let outcome = finish(&rest)
            guard outcome == .full else { return outcome }
            // Begun is as good as taken.
            if rest.count < whole { return .taken }
            rest = []
            return .full
        }
    }

    /// Writes what is left of the last line. `.taken` when there is nothing left.
    public func finish() -> Outcome { rest.withLock { finish(&$0) } }

    /// Has `set` wait until more may be taken.
    public func awaitRoom(in set: inout PollSet) { set.add(descriptor, readable: false, writable: true) }

    /// Writes a line past all that waits; gives up when the reader has not taken it in so many milliseconds.
    public func write(_ line: [UInt8], within milliseconds: Int32) {
        let deadline = Clock.monotonicNanoseconds &+ UInt64(milliseconds) * 1_000_000
        var isTaken = false
        while true {
            if !isTaken { isTaken = write(line) != .full }
            if isTaken, finish() != .full { return }
            guard Clock.monotonicNanoseconds < deadline else { return }
            var set = PollSet()
            awaitRoom(in: &set)
            set.wait(milliseconds: 10)
        }
    }

    private func finish(_ rest: inout [UInt8]) -> Outcome {
        var start = 0
        defer { rest.removeFirst(start) }
        while start < rest.count {
            let answer = unsafe rest.withUnsafeBytes { source in
                guard let base = source.baseAddress else { return KernelAnswer(0) }
                return unsafe KernelAnswer(linux_write_now(descriptor, base + start, source.count - start))
            }
            if answer.wouldBlock || answer.value == 0 { return .full }
            guard !answer.isError else {
                start = rest.count
                return .failed(SystemCallError("write", code: answer.code))
            }
            start += answer.value
        }
        return .taken
    }
}
