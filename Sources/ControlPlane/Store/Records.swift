package import Domain
package import Fleet
package import FoundationEssentials
package import JSON

/// A resource as the store has it.
package struct Record: Sendable {
    package let kind: ResourceKind
    package let name: String
    /// What the operator wrote, in full.
    package let document: JSONValue
    /// The version of the last change to it; 0 for settings that nobody has set.
    package let revision: SnapshotVersion
    /// Nil for settings that nobody has set.
    package let createdAt: String?
    package let updatedAt: String?
}

/// One version: what changed, when and by whom.
package struct VersionRecord: Sendable {
    package let version: SnapshotVersion
    package let at: String
    package let author: String
    package let summary: String
    package let restoredFrom: SnapshotVersion?
}

/// A change that is in force, and who made it.
package struct CommittedChange: Sendable {
    package let change: Change
    package let author: String
    /// What it did, in one line.
    package let summary: String
}

/// A resource before and after a change, as documents.
package struct DocumentChange: Sendable, Equatable {
    package let kind: ResourceKind
    package let name: String
    package let before: JSONValue?
    package let after: JSONValue?
}

package struct AuditRecord: Sendable {
    package let id: Int64
    package let at: String
    package let author: String
    package let action: String
    package let target: String
    package let version: SnapshotVersion?
    package let done: Bool
    package let detail: String
}

/// A part of a long list, and where the next one begins.
package struct Page<Element: Sendable, Key: Sendable>: Sendable {
    package let elements: [Element]
    /// The key of the last element when there are more; nil at the end.
    package let next: Key?

    package init(elements: [Element], next: Key?) {
        self.elements = elements
        self.next = next
    }
}

package enum Timestamp {
    /// RFC 3339, UTC, to the millisecond; texts of this form sort as the moments do.
    package static func text(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The moment that `text` writes, by RFC 3339, in UTC, with or without fractions of a second; nil when it writes
    /// none.
    package static func date(_ text: String) -> Date? {
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
    package init(stored text: String) throws(StoreFailure) {
        do {
            self = try JSONValue.parse(text.utf8)
        } catch {
            throw .damaged("a stored document is no JSON: \(error)")
        }
    }
}
