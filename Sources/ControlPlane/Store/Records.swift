import Domain
import FoundationEssentials

/// A resource as the store has it.
struct Record: Sendable {
    let kind: ResourceKind
    let name: String
    /// What the operator wrote, in full.
    let document: JSONValue
    /// The version of the last change to it; 0 for settings that nobody has set.
    let revision: SnapshotVersion
    /// Nil for settings that nobody has set.
    let createdAt: String?
    let updatedAt: String?
}

/// One version: what changed, when and by whom.
struct VersionRecord: Sendable {
    let version: SnapshotVersion
    let at: String
    let author: String
    let summary: String
    let restoredFrom: SnapshotVersion?
}

/// A change that is in force, and who made it.
struct CommittedChange: Sendable {
    let change: Change
    let author: String
    /// What it did, in one line.
    let summary: String
}

/// A resource before and after a change, as documents.
struct DocumentChange: Sendable, Equatable {
    let kind: ResourceKind
    let name: String
    let before: JSONValue?
    let after: JSONValue?
}

struct AuditRecord: Sendable {
    let id: Int64
    let at: String
    let author: String
    let action: String
    let target: String
    let version: SnapshotVersion?
    let done: Bool
    let detail: String
}

/// A part of a long list, and where the next one begins.
struct Page<Element: Sendable, Key: Sendable>: Sendable {
    let elements: [Element]
    /// The key of the last element when there are more; nil at the end.
    let next: Key?
}

enum Timestamp {
    /// RFC 3339, UTC, to the millisecond; texts of this form sort as the moments do.
    static func text(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The moment that `text` writes, by RFC 3339, in UTC, with or without fractions of a second; nil when it writes none.
    static func date(_ text: String) -> Date? {
        let date =
            (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle()))
        // The middle of that millisecond: `text` cuts, and what is written again must not become the one before.
        return date?.addingTimeInterval(0.0005)
    }
}

extension SnapshotVersion {
    init(row: SQLRow, _ column: Int) throws(StoreFailure) {
        let number = try row.integer(column)
        guard number >= 0 else { throw .damaged("a version is \(number)") }
        self.init(UInt64(number))
    }

    var sql: SQLValue { .integer(Int64(clamping: number)) }
}

extension JSONValue {
    /// A document that the store wrote itself.
    init(stored text: String) throws(StoreFailure) {
        do {
            self = try JSONValue.parse(Array(text.utf8))
        } catch {
            throw .damaged("a stored document is no JSON: \(error)")
        }
    }
}
