import JSON

/// What a version changed, for people: one heading per resource, one line per field.
enum ChangesReport {
    /// Lines for the `changes` of a version, a difference or a dry run.
    static func lines(_ changes: [JSONValue]) -> [String] {
        changes.flatMap(lines(of:))
    }

    private static func lines(of change: JSONValue) -> [String] {
        let (before, after) = (change["before"], change["after"])
        let name = "\(change["kind"].text ?? "resource") \(change["name"].text ?? "without a name")".printable
        let verb = before.isNull ? "created" : after.isNull ? "deleted" : "changed"
        let fields = differences(from: before, to: after)
        let width = fields.map(\.path.count).max() ?? 0
        return ["\(name): \(verb)"]
            + fields.map { field in
                let padding = String(repeating: " ", count: width - field.path.count + 2)
                return "  \(field.path.printable)\(padding)\(sentence(field, verb: verb).printable)"
            }
    }

    struct Difference: Equatable {
        /// The way to the field: `endpoint.host`.
        let path: String
        let before: JSONValue
        let after: JSONValue
    }

    /// What the heading says already, and what changes with every change.
    private static let bookkeeping: Set<String> = ["name", "revision", "createdAt", "updatedAt"]

    /// The fields that differ, in the order of their names; objects are looked into, arrays are one field.
    static func differences(from before: JSONValue, to after: JSONValue, below path: String = "") -> [Difference] {
        guard before != after else { return [] }
        let keys = Set(before.members.keys).union(after.members.keys)
        guard !keys.isEmpty else { return [Difference(path: path, before: before, after: after)] }
        return keys.subtracting(path.isEmpty ? bookkeeping : []).sorted().flatMap { key in
            differences(from: before[key], to: after[key], below: path.isEmpty ? key : "\(path).\(key)")
        }
    }

    private static func sentence(_ field: Difference, verb: String) -> String {
        switch verb {
        case "created": return shown(field.after)
        case "deleted": return shown(field.before)
        default: break
        }
        // A long list reads better as what came and what went.
        if max(field.before.items.count, field.after.items.count) > 3 {
            let (before, after) = (Set(field.before.items), Set(field.after.items))
            let came = field.after.items.filter { !before.contains($0) }.map { "+ \(shown($0))" }
            let went = field.before.items.filter { !after.contains($0) }.map { "- \(shown($0))" }
            if !(came + went).isEmpty { return (went + came).joined(separator: ", ") }
        }
        return "\(shown(field.before, at: field.path)) → \(shown(field.after, at: field.path))"
    }

    /// A value on one line. Where null is no lack of something but the standard, it is the word for that: no limit
    /// would be another thing.
    private static func shown(_ value: JSONValue, at path: String) -> String {
        let hasStandard = ["limits.", "flowLog."].contains { path.hasPrefix($0) } || path == "forwardedFields"
        return value.isNull && hasStandard ? "default" : shown(value)
    }

    /// A value on one line.
    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null: "none"
        case .string(let text): text.isEmpty ? "''" : text
        case .array(let items): items.isEmpty ? "none" : items.map(shown).joined(separator: ", ")
        case .object: Target(value)?.description ?? Binding(shown: value)?.description ?? value.compact
        case .bool, .integer, .number: value.compact
        }
    }
}
