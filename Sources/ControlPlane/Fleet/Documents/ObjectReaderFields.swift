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
        let (name, expected) = (field.description.name, field.expected)
        guard let value = value(name, required: field.description.isRequired, expected: expected),
            let elements = array(value, at: pointer(to: name), count: field.count, expected: expected)
        else { return [] }
        return elements.enumerated().map { index, value in
            element(value, at: "\(pointer(to: name))/\(index)", expected: expected, field.make)
        }
    }

    /// What holds when it is left out or null; nil with a finding.
    package mutating func read(_ field: IntegerField) -> Int? {
        read(field, standard: field.standard)
    }

    /// The same, where what holds when nothing is said depends on other fields.
    mutating func read(_ field: IntegerField, standard: Int?) -> Int? {
        let (name, expected) = (field.description.name, field.expected)
        guard let value = value(name, required: false, expected: expected), value != .null else { return standard }
        guard case .integer(let number) = value else {
            mistyped(value, at: pointer(to: name), expected: expected)
            return nil
        }
        guard field.range.contains(number) else {
            findings.add(pointer(to: name), InvalidValue(String(number), "is out of range", expected: expected))
            return nil
        }
        return number
    }

    package mutating func read(_ field: FlagField) -> Bool {
        let name = field.description.name
        guard let value = value(name, required: false, expected: "") else { return field.standard }
        guard case .bool(let flag) = value else {
            mistyped(value, at: pointer(to: name), expected: "true or false")
            return field.standard
        }
        return flag
    }

    mutating func read<Choice>(_ field: ChoiceField<Choice>) -> Choice {
        let (name, expected) = (field.description.name, expectation(of: Choice.self))
        guard let value = value(name, required: false, expected: expected) else { return field.standard }
        guard case .string(let text) = value else {
            mistyped(value, at: pointer(to: name), expected: expected)
            return field.standard
        }
        guard let choice = Choice(rawValue: text) else {
            findings.add(pointer(to: name), InvalidValue(text, "is not known here", expected: expected))
            return field.standard
        }
        return choice
    }

    mutating func read(_ field: PortField) -> Port? {
        let name = field.description.name
        let expected = "a whole number from \(Port.numbers.lowerBound) to \(Port.numbers.upperBound)"
        guard let value = value(name, required: false, expected: expected) else { return field.standard }
        guard case .integer(let number) = value else {
            mistyped(value, at: pointer(to: name), expected: expected)
            return nil
        }
        do {
            return try Port(number)
        } catch {
            findings.add(pointer(to: name), error)
            return nil
        }
    }

    /// The member as it stands; nil when it is left out, or null where that may be said.
    mutating func read(_ field: ObjectField) -> JSONValue? {
        let description = field.description
        guard let value = value(description.name, required: description.isRequired, expected: field.expected),
            value != .null || description.null == .refused
        else { return nil }
        return value
    }

    /// The object that stands there, as `make` reads its fields. `standard` when it is left out, or null where that may
    /// be said; nil with findings.
    mutating func read<Value>(
        _ field: ObjectField, standard: Value, _ make: (inout ObjectReader) throws(InvalidValue) -> Value
    ) -> Value? {
        guard let value = read(field) else { return standard }
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: pointer(to: field.description.name), findings) else { return nil }
        let made: Result<Value, InvalidValue>
        do {
            made = .success(try make(&reader))
        } catch {
            made = .failure(error)
        }
        reader.finish()
        // What was made of fields that are wrong says nothing.
        guard findings.all.count == earlier else { return nil }
        switch made {
        case .success(let value): return value
        case .failure(let problem):
            findings.add(reader.pointer, problem)
            return nil
        }
    }

    /// The elements as they stand. Nothing when it is left out, or with a finding.
    mutating func read(_ field: ObjectsField) -> [JSONValue] {
        let name = field.description.name
        guard let value = value(name, required: false, expected: field.expected) else { return [] }
        return array(value, at: pointer(to: name), count: 0...field.most, expected: field.expected) ?? []
    }
}
