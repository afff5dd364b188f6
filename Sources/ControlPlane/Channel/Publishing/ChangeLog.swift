import Domain
import Fleet

/// The latest changes, from which differences are made; what is older than it reaches is answered with whole snapshots.
struct ChangeLog: Sendable {
    /// A server that has missed more versions than this is better off with everything.
    static let mostChanges = 10_000
    /// Bounds the memory: one change may touch every service, when a version is restored.
    static let mostEdits = 100_000

    /// `changes[start...]` are known, without a gap between their versions.
    private var changes: [Change] = []
    private var start = 0
    private var editCount = 0

    private let mostChanges: Int
    private let mostEdits: Int

    init(mostChanges: Int = ChangeLog.mostChanges, mostEdits: Int = ChangeLog.mostEdits) {
        self.mostChanges = mostChanges
        self.mostEdits = mostEdits
    }

    /// Takes the next change. After a gap in the versions, what came before it is of no use and forgotten.
    mutating func append(_ change: Change) {
        if let last = changes.last, last.version.number + 1 != change.version.number { forgetAll() }
        changes.append(change)
        editCount += change.edits.count
        while changes.count - start > mostChanges || editCount > mostEdits {
            editCount -= changes[start].edits.count
            start += 1
        }
        // Amortised: what is forgotten is let go of when it is half of what is held.
        if start * 2 > changes.count {
            changes.removeFirst(start)
            start = 0
        }
    }

    /// The changes that lead from `base` to `newest`, or nil when they are not all known.
    func changes(from base: SnapshotVersion, to newest: SnapshotVersion) -> ArraySlice<Change>? {
        guard base <= newest else { return nil }
        let count = newest.number - base.number
        guard count > 0 else { return [] }
        guard changes.last?.version == newest, count <= UInt64(changes.count - start) else { return nil }
        return changes.suffix(Int(count))
    }

    private mutating func forgetAll() {
        changes = []
        start = 0
        editCount = 0
    }
}
