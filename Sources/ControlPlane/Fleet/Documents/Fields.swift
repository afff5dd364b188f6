package import Domain
package import JSON

/// A field of a document, typed by how it is read.
package protocol Field: Sendable {
    var description: FieldDescription { get }
}

/// A value that is written as a text, and always described in the same way.
package protocol TextValue: Sendable {
    static var schema: Schema { get }
    init(_ text: String) throws(InvalidValue)
}

/// A text.
package struct TextField<Value: Sendable>: Field {
    package let description: FieldDescription
    /// What would be right, for the sentence that refuses something else.
    let expected: String
    let make: @Sendable (String) throws(InvalidValue) -> Value

    package init(
        _ name: String, _ schema: Schema, isRequired: Bool = true, null: FieldDescription.Null = .refused,
        standard: JSONValue? = nil, expected: String, note: String? = nil,
        make: @escaping @Sendable (String) throws(InvalidValue) -> Value
    ) {
        description = FieldDescription(
            name: name, value: .schema(schema.described(note)), isRequired: isRequired, null: null, standard: standard)
        self.expected = expected
        self.make = make
    }
}

extension TextField where Value: TextValue {
    package init(_ name: String, expected: String, note: String? = nil) {
        self.init(name, Value.schema, expected: expected, note: note) { text throws(InvalidValue) in try Value(text) }
    }
}

extension TextField where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of some words. `isNullable` when null says that nobody has chosen.
    init(choice name: String, _ schema: Schema? = nil, isRequired: Bool = true, isNullable: Bool = false) {
        let expected = expectation(of: Value.self) + (isNullable ? ", or null" : "")
        self.init(
            name, schema ?? .words(of: Value.self), isRequired: isRequired, null: isNullable ? .nothing : .refused,
            standard: isNullable ? JSONValue.null : nil, expected: expected
        ) { text throws(InvalidValue) in
            guard let value = Value(rawValue: text) else {
                throw InvalidValue(text, "is not known here", expected: expected)
            }
            return value
        }
    }
}

/// What would be right where one of some words is asked for.
func expectation<Choice: RawRepresentable & CaseIterable>(of _: Choice.Type) -> String
where Choice.RawValue == String {
    "one of " + Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
}

/// A list of texts. Required when it may not be empty.
struct TextsField<Value: Sendable>: Field {
    let description: FieldDescription
    let count: ClosedRange<Int>
    let expected: String
    let make: @Sendable (String) throws(InvalidValue) -> Value

    init(
        _ name: String, of elements: Schema, count: ClosedRange<Int>, isUnique: Bool = true, expected: String,
        note: String? = nil, component: String? = nil,
        make: @escaping @Sendable (String) throws(InvalidValue) -> Value
    ) {
        let array = Schema.array(of: elements, count: count, isUnique: isUnique).described(note)
        description = FieldDescription(
            name: name, value: .schema(component.map { .named($0, array) } ?? array), isRequired: count.lowerBound > 0,
            null: .refused, standard: count.lowerBound > 0 ? nil : [])
        self.count = count
        self.expected = expected
        self.make = make
    }
}

extension TextsField where Value: TextValue {
    init(
        _ name: String, count: ClosedRange<Int>, isUnique: Bool = true, expected: String, note: String? = nil,
        component: String? = nil
    ) {
        self.init(
            name, of: Value.schema, count: count, isUnique: isUnique, expected: expected, note: note,
            component: component
        ) { text throws(InvalidValue) in try Value(text) }
    }
}

/// A whole number, which may be left out or null.
package struct IntegerField: Field {
    package let description: FieldDescription
    let range: ClosedRange<Int>
    /// What holds when nothing is said; nil when that depends on something else.
    let standard: Int?
    let expected: String

    /// `unit` is what there are so many of. `isNullable` when nothing said is a value of its own, and answered as null.
    package init(
        _ name: String, _ unit: String? = nil, in range: ClosedRange<Int>, standard: Int? = nil,
        isNullable: Bool = false, expected: String? = nil, note: String? = nil, component: Schema? = nil
    ) {
        let schema = component ?? .integer(range).standard(standard.map { .integer($0) })
        description = FieldDescription(
            name: name, value: .schema(schema.described(note)), isRequired: false,
            null: isNullable ? .nothing : .standard,
            standard: isNullable ? JSONValue.null : standard.map { .integer($0) })
        self.range = range
        self.standard = standard
        self.expected = expected ?? Self.expectation(range, unit)
    }

    private static func expectation(_ range: ClosedRange<Int>, _ unit: String?) -> String {
        "a whole number\(unit.map { " of \($0)" } ?? "") from \(range.lowerBound) to \(range.upperBound)"
    }

    /// The same number in a document that says it only where it differs from another one.
    var orNothing: IntegerField {
        IntegerField(description.name, in: range, isNullable: true, expected: expected)
    }

    init(
        _ name: String, _ unit: String? = nil, in range: ClosedRange<UInt32>, isNullable: Bool, expected: String,
        note: String? = nil, component: Schema? = nil
    ) {
        self.init(
            name, unit, in: Int(range.lowerBound)...Int(range.upperBound), isNullable: isNullable, expected: expected,
            note: note, component: component)
    }
}

/// True or false.
package struct FlagField: Field {
    package let description: FieldDescription
    let standard: Bool

    package init(_ name: String, standard: Bool, note: String? = nil) {
        description = FieldDescription(
            name: name, value: .schema(.boolean.standard(.bool(standard)).described(note)), isRequired: false,
            null: .refused, standard: .bool(standard))
        self.standard = standard
    }
}

/// One of some words, of which one holds when nothing is said.
struct ChoiceField<Choice: RawRepresentable & CaseIterable & Sendable>: Field where Choice.RawValue == String {
    let description: FieldDescription
    let standard: Choice

    init(_ name: String, standard: Choice, note: String? = nil) {
        let schema = Schema.words(of: Choice.self).standard(.string(standard.rawValue)).described(note)
        description = FieldDescription(
            name: name, value: .schema(schema), isRequired: false, null: .refused,
            standard: .string(standard.rawValue))
        self.standard = standard
    }
}

/// A port.
struct PortField: Field {
    let description: FieldDescription
    let standard: Port

    init(_ name: String, standard: Port) {
        description = FieldDescription(
            name: name, value: .schema(Port.schema), isRequired: false, null: .refused,
            standard: .integer(Int(standard.number)))
        self.standard = standard
    }
}

/// An object, which has a reader of its own.
struct ObjectField: Field {
    let description: FieldDescription
    let expected: String

    init(
        _ name: String, _ document: DocumentSchema, isRequired: Bool = false, null: FieldDescription.Null = .refused,
        standard: JSONValue? = nil, expected: String
    ) {
        self.init(
            name, .document(document), isRequired: isRequired, null: null, standard: standard, expected: expected)
    }

    init(
        _ name: String, _ value: FieldDescription.Value, isRequired: Bool = false,
        null: FieldDescription.Null = .refused, standard: JSONValue? = nil, expected: String
    ) {
        description = FieldDescription(
            name: name, value: value, isRequired: isRequired, null: null, standard: standard)
        self.expected = expected
    }
}

/// A list of objects, each with a reader of its own.
struct ObjectsField: Field {
    let description: FieldDescription
    let most: Int
    let expected: String

    init(_ name: String, _ document: DocumentSchema, most: Int, expected: String) {
        description = FieldDescription(
            name: name, value: .documents(document, most: most), isRequired: false, null: .refused, standard: [])
        self.most = most
        self.expected = expected
    }
}
