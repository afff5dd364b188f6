/// Lines of the log that wait for their reader, so that no thread with something to say waits for it. Pure.
///
///     open ──a line finds no room──▶ losing ──half of the room is free──▶ open, and the loss is said
///
/// A line that comes while it loses is lost even where there is room: so the loss is one gap, and is said in its place.
public struct LogBacklog {
    public enum Admission: Equatable, Sendable {
        /// It is the only line now: the writer must be woken.
        case first
        case queued
        case lost
    }

    /// Some seconds of the worst storm of incidents; less than anyone reads at once.
    public static let mostLines = 1024
    /// A line is some 200 bytes. Few lines are long: they name every fault of a snapshot.
    public static let mostBytes = 1 << 20

    /// Lines that their reader did not get, since the beginning.
    public private(set) var lost: UInt64 = 0
    private var told: UInt64 = 0
    private var isLosing = false
    /// Those before `next` are taken.
    private var lines: [[UInt8]] = []
    private var next = 0
    private var bytes = 0

    public init() {}

    public var isEmpty: Bool { next == lines.count }

    private var count: Int { lines.count - next }

    public mutating func append(_ line: [UInt8]) -> Admission {
        guard !isLosing, count < LogBacklog.mostLines, bytes + line.count <= LogBacklog.mostBytes else {
            // One that is too long for an empty backlog is lost alone.
            isLosing = count > 0
            lost += 1
            return .lost
        }
        lines.append(line)
        bytes += line.count
        return count == 1 ? .first : .queued
    }

    public mutating func takeFirst() -> [UInt8]? {
        guard next < lines.count else { return nil }
        let line = lines[next]
        lines[next] = []
        next += 1
        bytes -= line.count
        if next == lines.count || next == LogBacklog.mostLines {
            lines.removeFirst(next)
            next = 0
        }
        return line
    }

    /// A line was taken, and could not be written.
    public mutating func lose() {
        lost += 1
        // Without a reader the loss is never told. That must not close the backlog to a later reader.
        if isEmpty { isLosing = false }
    }

    /// A line has reached its reader. How many were lost since the last time that this was said, when it is to be said
    /// now.
    public mutating func lossToTell() -> UInt64? {
        guard lost > told, count <= LogBacklog.mostLines / 2, bytes <= LogBacklog.mostBytes / 2 else { return nil }
        isLosing = false
        defer { told = lost }
        return lost - told
    }

    /// What is said of it.
    public static let lossSentence = "Log lines were lost, as their reader did not take them"
}
