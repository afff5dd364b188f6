import Foundation

/// A JSON value as the API sent it.
///
/// The command line shows what it knows and passes on what it does not, so an older `ddirect` works with a newer API.
enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(parsing data: Data) throws {
        self = try JSONDecoder().decode(JSON.self, from: data)
    }

    /// Indented, with sorted keys, so that two answers can be compared line by line.
    var pretty: String { encoded([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) }
    /// On one line, with sorted keys.
    var compact: String { encoded([.sortedKeys, .withoutEscapingSlashes]) }

    private func encoded(_ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // Only a number that is not finite cannot be encoded, and JSON cannot have brought us one.
        guard let data = try? encoder.encode(self) else { return "null" }
        return String(decoding: data, as: UTF8.self)
    }
}

extension JSON {
    /// The member of an object, null where there is none.
    subscript(key: String) -> JSON {
        if case .object(let members) = self { members[key] ?? .null } else { .null }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var items: [JSON] { if case .array(let items) = self { items } else { [] } }
    var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
    var isNull: Bool { self == .null }

    /// The strings of an array, without anything that is not one.
    var texts: [String] { items.compactMap(\.text) }
}

extension JSON: Codable {
    /// The cheap questions come first: each wrong guess costs an error.
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let members = try? value.decode([String: JSON].self) {
            self = .object(members)
        } else if let items = try? value.decode([JSON].self) {
            self = .array(items)
        } else {
            self = .number(try value.decode(Double.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .number(let number): try value.encode(number)
        case .string(let text): try value.encode(text)
        case .array(let items): try value.encode(items)
        case .object(let members): try value.encode(members)
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral text: String) { self = .string(text) }
    init(integerLiteral integer: Int64) { self = .integer(integer) }
    init(booleanLiteral bool: Bool) { self = .bool(bool) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral items: JSON...) { self = .array(items) }
    init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(Dictionary(members) { _, last in last })
    }
}
