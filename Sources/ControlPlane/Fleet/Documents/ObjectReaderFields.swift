import Domain
import JSON

/// Reading by the description of a field: its name, its range and the words for what would be right stand there.
extension ObjectReader {
    /// Nil when it is left out, or null where that may be said, or with a finding.
    package mutating func read<Value>(_ field: TextField<Value>) -> Value? {
        let description = field.description
        guard let value = value(description.name, required: description.isRequired, expected: field.expected) else {
            return nil
        }
        if value == .null, description.null != .refused { return nil }
        return element(value, at: pointer(to: description.name), expected: field.expected, field.make)
    }

    /// The places of wrong ones hold nil, so that the others keep their index. Nothing when it is left out.
    mutating func read<Value>(_ field: TextsField<Value>) -> [Value?] {
        let description = field.description
        return texts(
            description.name, required: description.isRequired, count: field.count, expected: field.expected,
            field.make) ?? []
    }

    /// What holds when it is left out or null; nil with a finding.
    package mutating func read(_ field: IntegerField) -> Int? {
        read(field, standard: field.standard)
    }

    /// The same, where what holds when nothing is said depends on other fields.
    mutating func read(_ field: IntegerField, standard: Int?) -> Int? {
        integer(field.description.name, default: standard, in: field.range, expected: field.expected)
    }

    package mutating func read(_ field: FlagField) -> Bool {
        bool(field.description.name, default: field.standard)
    }

    mutating func read<Choice>(_ field: ChoiceField<Choice>) -> Choice {
        choice(field.description.name, default: field.standard)
    }

    mutating func read(_ field: PortField) -> Port? {
        port(field.description.name, default: field.standard)
    }

    /// The member as it stands; nil when it is left out, or null where that may be said.
    mutating func read(_ field: ObjectField) -> JSONValue? {
        let description = field.description
        guard let value = value(description.name, required: description.isRequired, expected: field.expected),
            value != .null || description.null == .refused
        else { return nil }
        return value
    }

    /// The elements as they stand. Nothing when it is left out, or with a finding.
    mutating func read(_ field: ObjectsField) -> [JSONValue] {
        let name = field.description.name
        guard let value = value(name, required: false, expected: field.expected) else { return [] }
        return array(value, at: pointer(to: name), count: 0...field.most, expected: field.expected) ?? []
    }
}
