/// A JSON text as a value.
///
/// Requests are read through this rather than by Codable, which stops at the first wrong field and drops the unknown
/// ones; we name them all. A stored document is the same value, and so is an answer of the API to the command line, so
/// one reader serves all.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What a person would call it, for "is a string; expected …".
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    package var object: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }
}

/// What a value holds. Where it is of another kind there is nothing, and no error: a document of which little is known
/// can be read in one line, such as `answer["applied"]["servers"][0]["name"].text`.
extension JSONValue {
    /// The member of an object; null where there is none. A reader that must tell the two apart asks `object`.
    package subscript(key: String) -> JSONValue { object?[key] ?? .null }

    /// The element of an array; null where there is none.
    package subscript(index: Int) -> JSONValue {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { .null }
    }

    package var isNull: Bool { self == .null }
    package var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    package var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }
    package var text: String? { if case .string(let text) = self { text } else { nil } }

    /// A number, whole or not.
    package var number: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    /// The elements of an array; none where there is no array.
    package var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }

    /// The strings of an array, without anything that is not one.
    package var texts: [String] { items.compactMap(\.text) }

    /// The members of an object; none where there is no object.
    package var members: JSONObject { object ?? JSONObject() }
}

/// The members of a JSON object, in the order in which they were added; equal when the members are, in any order.
package struct JSONObject: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var keys: [String] = []
    private var values: [String: JSONValue] = [:]

    package init() {}

    package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }

    /// Of several members of one name the last counts.
    package init(_ members: some Sequence<(String, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    package var isEmpty: Bool { keys.isEmpty }

    package subscript(key: String) -> JSONValue? {
        get { values[key] }
        set {
            if let newValue {
                if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
            } else if values.removeValue(forKey: key) != nil {
                keys.removeAll { $0 == key }
            }
        }
    }

    /// The members of both. Where both have one of a name, that of `others` counts.
    package func adding(_ others: JSONObject) -> JSONObject {
        others.keys.reduce(into: self) { $0[$1] = others[$1] }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool { left.values == right.values }

    package func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

/// Not by nil: where a `JSONValue?` is meant, it would make a null of "there is none".
extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}

extension JSONValue {
    /// This value after the merge patch `patch` (RFC 7396): members are replaced one by one, null removes.
    package func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = members
        for key in changes.keys {
            guard let change = changes[key], change != .null else {
                result[key] = nil
                continue
            }
            result[key] = (result[key] ?? .null).merged(with: change)
        }
        return .object(result)
    }
}
