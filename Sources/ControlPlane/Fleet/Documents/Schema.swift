package import JSON

/// The part of JSON Schema (draft 2020-12, the one of OpenAPI 3.1) that our documents need, as a value.
///
/// A value and no text: the same constants make the schema and the reader, and a reference holds what it refers to, so
/// that it cannot lead nowhere.
package struct Schema: Equatable, Sendable {
    package indirect enum Kind: Equatable, Sendable {
        /// Stands under its name in the components of the API's document.
        case reference(name: String, Schema)
        case text(pattern: String?, format: String?, shortest: Int?, longest: Int?)
        case integer(least: Int?, most: Int?)
        case number(least: Double?, most: Double?)
        case boolean
        case null
        case constant(JSONValue)
        /// One of these values.
        case values([JSONValue])
        case array(of: Schema, fewest: Int, most: Int?, isUnique: Bool)
        /// Closed when it may have no other members. Without members it is any object.
        case object([Member], isClosed: Bool)
        /// An object whose members have names of the sender's choice.
        case map(of: Schema, most: Int?)
        case anyOf([Schema])
        case oneOf([Schema])
        case allOf([Schema])
    }

    /// One member of an object.
    package struct Member: Equatable, Sendable {
        package let name: String
        package let schema: Schema
        let isRequired: Bool

        package init(_ name: String, _ schema: Schema, isRequired: Bool = true) {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
        }
    }

    package let kind: Kind
    /// Whether null is one of its types. Only of a kind that says its type in a word, see `orNull`.
    private var hasNullType = false
    private var note: String?
    private var standard: JSONValue?
    private var examples: [JSONValue] = []

    package init(_ kind: Kind) { self.kind = kind }
}

// MARK: Making one

extension Schema {
    package static func named(_ name: String, _ schema: Schema) -> Schema {
        Schema(.reference(name: name, schema))
    }

    package static let text = Schema(.text(pattern: nil, format: nil, shortest: nil, longest: nil))

    package static func text(_ lengths: ClosedRange<Int>) -> Schema {
        Schema(.text(pattern: nil, format: nil, shortest: lengths.lowerBound, longest: lengths.upperBound))
    }

    package static func text(pattern: String, longest: Int? = nil) -> Schema {
        Schema(.text(pattern: pattern, format: nil, shortest: nil, longest: longest))
    }

    package static func text(format: String) -> Schema {
        Schema(.text(pattern: nil, format: format, shortest: nil, longest: nil))
    }

    package static let integer = Schema(.integer(least: nil, most: nil))

    package static func integer(_ range: ClosedRange<Int>) -> Schema {
        Schema(.integer(least: range.lowerBound, most: range.upperBound))
    }

    package static func integer(_ range: PartialRangeFrom<Int>) -> Schema {
        Schema(.integer(least: range.lowerBound, most: nil))
    }

    package static let number = Schema(.number(least: nil, most: nil))

    package static func number(_ range: ClosedRange<Double>) -> Schema {
        Schema(.number(least: range.lowerBound, most: range.upperBound))
    }

    package static let boolean = Schema(.boolean)
    package static let null = Schema(.null)

    package static func constant(_ value: JSONValue) -> Schema { Schema(.constant(value)) }

    package static func words(_ words: [String]) -> Schema { Schema(.values(words.map { .string($0) })) }

    /// The words of an enumeration.
    package static func words<Choice: RawRepresentable & CaseIterable>(of _: Choice.Type) -> Schema
    where Choice.RawValue == String {
        words(Choice.allCases.map(\.rawValue))
    }

    package static func array(of elements: Schema, count: ClosedRange<Int>? = nil, isUnique: Bool = false) -> Schema {
        Schema(.array(of: elements, fewest: count?.lowerBound ?? 0, most: count?.upperBound, isUnique: isUnique))
    }

    package static let anyObject = Schema(.object([], isClosed: false))

    package static func object(_ members: [Member], isClosed: Bool = false) -> Schema {
        Schema(.object(members, isClosed: isClosed))
    }

    /// An answer: it always has the first members, and at times those of `optional`.
    package static func object(
        _ members: KeyValuePairs<String, Schema>, optional: KeyValuePairs<String, Schema> = [:], isClosed: Bool = false
    ) -> Schema {
        let always = members.map { Member($0.key, $0.value) }
        return .object(
            always + optional.map { Member($0.key, $0.value, isRequired: false) }, isClosed: isClosed)
    }

    package static func map(of values: Schema, most: Int? = nil) -> Schema { Schema(.map(of: values, most: most)) }
    package static func anyOf(_ schemas: Schema...) -> Schema { Schema(.anyOf(schemas)) }
    package static func oneOf(_ schemas: Schema...) -> Schema { Schema(.oneOf(schemas)) }
    package static func allOf(_ schemas: Schema...) -> Schema { Schema(.allOf(schemas)) }

    /// With a sentence about it; nil adds nothing.
    package func described(_ note: String?) -> Schema {
        var schema = self
        schema.note = note ?? self.note
        return schema
    }

    /// With what holds when nothing is said.
    package func standard(_ value: JSONValue?) -> Schema {
        var schema = self
        schema.standard = value
        return schema
    }

    package func examples(_ examples: JSONValue...) -> Schema {
        var schema = self
        schema.examples = examples
        return schema
    }

    /// The same, or null. What is said of it is then said of both: tools read a default in one of two choices as none.
    package func orNull() -> Schema {
        guard !acceptsNull else { return self }
        var schema = self
        switch kind {
        case .text, .integer, .number, .boolean, .object([], _): schema.hasNullType = true
        default:
            schema = .anyOf(Schema(kind), .null)
            schema.note = note
            schema.standard = standard
            schema.examples = examples
        }
        return schema
    }

    private var acceptsNull: Bool {
        switch kind {
        case .null: true
        case .reference(_, let schema): schema.acceptsNull
        case .values(let values): values.contains(.null)
        case .anyOf(let schemas): schemas.contains(where: \.acceptsNull)
        default: hasNullType
        }
    }
}

// MARK: Writing it

extension Schema {
    /// The schema as JSON; what it refers to stands elsewhere.
    package var json: JSONValue {
        var object = JSONObject()
        writeKind(into: &object)
        if let standard { object["default"] = standard }
        if let note { object["description"] = .string(note) }
        if !examples.isEmpty { object["examples"] = .array(examples) }
        return .object(object)
    }

    private func writeKind(into object: inout JSONObject) {
        switch kind {
        case .reference(let name, _): object["$ref"] = .string("#/components/schemas/\(name)")
        case .text(let pattern, let format, let shortest, let longest):
            object["type"] = type("string")
            object["pattern"] = pattern.map { .string($0) }
            object["format"] = format.map { .string($0) }
            object["minLength"] = shortest.map { .integer($0) }
            object["maxLength"] = longest.map { .integer($0) }
        case .integer(let least, let most):
            object["type"] = type("integer")
            object["minimum"] = least.map { .integer($0) }
            object["maximum"] = most.map { .integer($0) }
        case .number(let least, let most):
            object["type"] = type("number")
            object["minimum"] = least.map { .number($0) }
            object["maximum"] = most.map { .number($0) }
        case .boolean: object["type"] = type("boolean")
        case .null: object["type"] = "null"
        case .constant(let value): object["const"] = value
        case .values(let values): object["enum"] = .array(values)
        case .array(let elements, let fewest, let most, let isUnique):
            object["type"] = "array"
            object["items"] = elements.json
            if fewest > 0 { object["minItems"] = .integer(fewest) }
            object["maxItems"] = most.map { .integer($0) }
            if isUnique { object["uniqueItems"] = true }
        case .object(let members, let isClosed):
            object["type"] = type("object")
            writeMembers(members, into: &object)
            if isClosed { object["additionalProperties"] = false }
        case .map(let values, let most):
            object["type"] = "object"
            object["maxProperties"] = most.map { .integer($0) }
            object["additionalProperties"] = values.json
        case .anyOf(let schemas): object["anyOf"] = .array(schemas.map(\.json))
        case .oneOf(let schemas): object["oneOf"] = .array(schemas.map(\.json))
        case .allOf(let schemas): object["allOf"] = .array(schemas.map(\.json))
        }
    }

    private func type(_ word: String) -> JSONValue { hasNullType ? [.string(word), "null"] : .string(word) }

    private func writeMembers(_ members: [Member], into object: inout JSONObject) {
        let required = members.filter(\.isRequired)
        if !required.isEmpty { object["required"] = .array(required.map { .string($0.name) }) }
        guard !members.isEmpty else { return }
        var properties = JSONObject()
        for member in members { properties[member.name] = member.schema.json }
        object["properties"] = .object(properties)
    }

    /// Adds what this schema refers to, directly or not, to `components`, by name.
    package func collect(into components: inout [String: Schema]) {
        switch kind {
        case .reference(let name, let schema):
            guard components[name] == nil else { return }
            components[name] = schema
            schema.collect(into: &components)
        case .array(let schema, _, _, _), .map(let schema, _): schema.collect(into: &components)
        case .object(let members, _): for member in members { member.schema.collect(into: &components) }
        case .anyOf(let schemas), .oneOf(let schemas), .allOf(let schemas):
            for schema in schemas { schema.collect(into: &components) }
        case .text, .integer, .number, .boolean, .null, .constant, .values: break
        }
    }
}
