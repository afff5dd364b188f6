import Domain
import Testing

@testable import Fleet
@testable import JSON

@Suite struct `A schema` {
    private static let dogs = DocumentSchema(
        "Dog", note: "A dog.", told: [Schema.Member("age", .integer(0...))],
        fields: [
            TextField<ServiceName>("name", expected: "a name"),
            IntegerField("legs", "legs", in: 3...4, standard: 4, note: "Usually four."),
            IntegerField("chip", in: 1...9, isNullable: true),
            FlagField("barks", standard: true),
        ])

    private func json(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    private func object(_ schema: Schema) throws -> JSONValue {
        guard case .reference(_, let object) = schema.kind else { return schema.json }
        return object.json
    }

    @Test func `of what is sent asks for the required fields and takes no others`() throws {
        #expect(Self.dogs.input.json == ["$ref": "#/components/schemas/DogInput"])
        #expect(
            try object(Self.dogs.input)
                == json(
                    #"""
                    {"type":"object","required":["name"],"properties":{
                      "name":{"$ref":"#/components/schemas/Slug"},
                      "legs":{"type":["integer","null"],"minimum":3,"maximum":4,"default":4,
                              "description":"Usually four."},
                      "chip":{"type":["integer","null"],"minimum":1,"maximum":9},
                      "barks":{"type":"boolean","default":true}},
                     "additionalProperties":false}
                    """#))
    }

    @Test func `of a patch asks for nothing, and lets null take away what may be left out`() throws {
        #expect(Self.dogs.patch.json == ["$ref": "#/components/schemas/DogPatch"])
        #expect(
            try object(Self.dogs.patch)
                == json(
                    #"""
                    {"type":"object","properties":{
                      "name":{"$ref":"#/components/schemas/Slug"},
                      "legs":{"type":["integer","null"],"minimum":3,"maximum":4,"default":4,
                              "description":"Usually four."},
                      "chip":{"type":["integer","null"],"minimum":1,"maximum":9},
                      "barks":{"type":["boolean","null"],"default":true}},
                     "additionalProperties":false}
                    """#))
    }

    @Test func `of an answer has every field and what is told beside them`() throws {
        #expect(Self.dogs.answer.json == ["$ref": "#/components/schemas/Dog"])
        #expect(
            try object(Self.dogs.answer)
                == json(
                    #"""
                    {"type":"object","description":"A dog.","required":["name","legs","chip","barks","age"],
                     "properties":{
                      "name":{"$ref":"#/components/schemas/Slug"},
                      "legs":{"type":"integer","minimum":3,"maximum":4,"default":4,
                              "description":"Usually four."},
                      "chip":{"type":["integer","null"],"minimum":1,"maximum":9},
                      "barks":{"type":"boolean","default":true},
                      "age":{"type":"integer","minimum":0}}}
                    """#))
    }

    @Test func `says of null what it says of the rest`() throws {
        let list = Schema.array(of: .slug, count: 1...2, isUnique: true).described("Some.").orNull()
        #expect(
            try list.json
                == json(
                    #"""
                    {"anyOf":[{"type":"array","items":{"$ref":"#/components/schemas/Slug"},"minItems":1,"maxItems":2,
                     "uniqueItems":true},{"type":"null"}],"description":"Some."}
                    """#))
        #expect(list.orNull() == list)
        #expect(Schema.named("Null", .text.orNull()).orNull() == .named("Null", .text.orNull()))
    }

    @Test func `collects what it refers to, each once`() {
        var components: [String: Schema] = [:]
        Self.dogs.answer.collect(into: &components)
        Self.dogs.input.collect(into: &components)
        #expect(components.keys.sorted() == ["Dog", "DogInput", "Slug"])
    }

    @Test func `a document of an earlier release gets the fields that have come since`() {
        let completed = Self.dogs.completed(["name": "rex", "legs": 3])
        #expect(completed == ["name": "rex", "legs": 3, "chip": .null, "barks": true])
    }
}

/// Schemas are for others, readers are for us: where one takes what the other refuses, somebody is misled.
@Suite struct `A reader and its schema` {
    /// A resource of which everything is said that has fields of its own, and its reader.
    struct Resource: Sendable, CustomTestStringConvertible {
        let kind: ResourceKind
        let text: String
        let read: @Sendable (JSONValue, Findings) -> JSONValue?

        var testDescription: String { kind.rawValue }
        var document: JSONValue { get throws { try JSONValue.parse(Array(text.utf8)) } }

        func faults(_ document: JSONValue) -> Set<String> {
            let findings = Findings()
            _ = read(document, findings)
            return Set(findings.all.map(\.pointer))
        }
    }

    static let resources = [
        Resource(kind: .customer, text: #"{"name":"acme"}"#) { Customer.read($0, $1)?.document },
        Resource(
            kind: .server,
            text: #"""
                {"name":"za1","region":"af-south-1","hostname":"za1.dfree.test","addresses":["192.0.2.1"],
                 "monitoring":{},"limits":{},"flowLog":{}}
                """#
        ) { ServerDraft(reading: $0, $1).server?.document },
        Resource(
            kind: .service,
            text: #"""
                {"name":"acme-app","customer":"acme","clientDomains":["app.acme.test"],"primary":"za1",
                 "endpoint":{"host":"origin.acme.test","check":{"kind":"http","intervalSeconds":3600}},
                 "limits":{},"flowLog":{},"check":{"path":"/health"}}
                """#
        ) { ServiceDraft(reading: $0, $1).service?.document },
        Resource(
            kind: .zone,
            text: #"{"name":"acme.test","provider":{"kind":"command","command":"change-dns"}}"#
        ) { Zone.read($0, $1)?.document },
        Resource(kind: .settings, text: #"{"monitoring":{"intervalSeconds":3600},"failover":{}}"#) {
            FleetSettings.read($0, $1)?.document
        },
    ]

    @Test(arguments: resources) func `agree at both ends of every range`(resource: Resource) throws {
        var probed = 0
        try eachField(of: resource.kind.schema, in: resource.document) { field, path in
            for value in field.input.probes {
                let document = try resource.document.setting(value, at: path[...])
                let isRefused = resource.faults(document).contains("/" + path.joined(separator: "/"))
                #expect(isRefused != field.input.accepts(value), "\(path) \(value)")
                probed += 1
            }
        }
        #expect(probed >= resource.kind.schema.fields.count)
    }

    @Test(arguments: resources) func `agree on what has to be there`(resource: Resource) throws {
        try eachField(of: resource.kind.schema, in: resource.document) { field, path in
            let document = try resource.document.setting(nil, at: path[...])
            let isMissed = resource.faults(document).contains("/" + path.joined(separator: "/"))
            #expect(isMissed == field.isRequired, "\(path)")
        }
    }

    @Test(arguments: resources) func `agree on what is written, and what holds when nothing is said`(
        resource: Resource
    ) throws {
        let document = try #require(resource.read(try resource.document, Findings()))
        #expect(document.object?.keys == resource.kind.schema.fields.map(\.name))
        eachField(of: resource.kind.schema, in: document) { field, path in
            #expect(document.value(at: path[...]) != nil, "\(path)")
        }
        let sparse = try eachOptionalFieldRemoved(from: resource)
        let standard = try #require(resource.read(sparse, Findings())?.object)
        for field in resource.kind.schema.fields {
            guard let value = field.standard else { continue }
            #expect(standard[field.name] == value, "\(field.name)")
        }
        #expect(resource.kind.completed(sparse).object?.keys.count == resource.kind.schema.fields.count)
    }

    /// A text, what its schema is, and how it is read.
    struct Text: Sendable, CustomTestStringConvertible {
        let text: String
        let schema: Schema
        let read: @Sendable (String) throws -> Void

        var testDescription: String { "\(text.prefix(20))… (\(text.utf8.count))" }
    }

    private static let longestAddress = "1111:2222:3333:4444:5555:6666:255.255.255.255"
    private static let longestName = String(repeating: "a.", count: 125) + "com"

    static let texts: [Text] =
        ["::", longestAddress].map { Text(text: $0, schema: Address.schema) { _ = try Address($0) } }
        + ["::/0", longestAddress + "/128"].map { Text(text: $0, schema: Prefix.schema) { _ = try Prefix($0) } }
        + ["::", "[\(longestAddress)]:65535"].map {
            Text(text: $0, schema: .nameServer) { _ = try TransportAddress(nameServer: $0) }
        }
        + ["a.b", longestName, longestName + "x"].map {
            Text(text: $0, schema: DomainName.schema) { _ = try DomainName($0) }
        }
        + ["::", longestName, longestName + "x"].map {
            Text(text: $0, schema: EndpointHost.schema) { _ = try EndpointHost($0) }
        }
        + [RequestPath.longest, RequestPath.longest + 1].map {
            Text(text: "/" + String(repeating: "a", count: $0 - 1), schema: .requestPath) {
                _ = try RequestPath.checked($0)
            }
        }
        + [HTTPAddress.longest, HTTPAddress.longest + 1].map {
            Text(text: "https://" + String(repeating: "a", count: $0 - 8), schema: .httpAddress) {
                _ = try HTTPAddress.checked($0)
            }
        }

    @Test(arguments: texts) func `agree on how short and how long a text may be`(text: Text) {
        let isRead = (try? text.read(text.text)) != nil
        #expect(isRead == text.schema.lengths.contains(text.text.utf8.count))
    }

    private func eachOptionalFieldRemoved(from resource: Resource) throws -> JSONValue {
        var document = try resource.document
        for field in resource.kind.schema.fields where !field.isRequired {
            document = document.setting(nil, at: [field.name])
        }
        return document
    }

    /// Visits the fields of the schema, and those of the documents within that `document` has.
    private func eachField(
        of schema: DocumentSchema, in document: JSONValue, at path: [String] = [],
        _ visit: (FieldDescription, [String]) throws -> Void
    ) rethrows {
        for field in schema.fields {
            try visit(field, path + [field.name])
            guard case .document(let inner) = field.value, let value = document.object?[field.name],
                value.object != nil
            else { continue }
            try eachField(of: inner, in: value, at: path + [field.name], visit)
        }
    }
}

extension Schema {
    /// Values at the ends of what it takes, beyond them, and of other types; none for what only a reader can judge.
    fileprivate var probes: [JSONValue] {
        switch kind {
        case .integer(let least, let most):
            [least.map { $0 - 1 }, least, most, most.map { $0 + 1 }].compactMap { $0 }.map { .integer($0) }
                + [.null, "1", .number(1.5), true]
        case .boolean: [true, false, .null, "true", 1]
        case .values(let values): values + ["nonsense", .null, 1, true]
        case .reference(_, let schema): schema.probes
        case .anyOf(let schemas): schemas.flatMap(\.probes)
        case .array(let elements, let fewest, let most, _):
            [.null, "text"]
                + [fewest - 1, fewest, most, most.map { $0 + 1 }].compactMap { $0 }.filter { $0 >= 0 }.compactMap {
                    elements.distinct($0)
                }
        case .text: [1, .null, ""]
        case .object, .map: ["text", .null]
        default: []
        }
    }

    fileprivate var lengths: ClosedRange<Int> {
        switch kind {
        case .reference(_, let schema): schema.lengths
        case .text(_, _, let shortest, let longest): (shortest ?? 0)...(longest ?? .max)
        default: 0...Int.max
        }
    }

    /// So many different values, where we know how to make them.
    private func distinct(_ count: Int) -> JSONValue? {
        guard case .reference(let name, _) = kind else { return nil }
        let make: ((Int) -> String)? =
            switch name {
            case "Address", "TransportAddress": { "10.0.\($0 / 256).\($0 % 256)" }
            case "Prefix": { "10.\($0 / 256).\($0 % 256).0/24" }
            case "ClientDomain": { "d\($0).acme.test" }
            case "Slug": { "s\($0)" }
            default: nil
            }
        return make.map { make in .array((0..<count).map { .string(make($0)) }) }
    }

    /// As a validator of JSON Schema does, for the kinds that have probes.
    fileprivate func accepts(_ value: JSONValue) -> Bool {
        if case .array(let types)? = json.object?["type"], types.contains("null"), value == .null { return true }
        switch (kind, value) {
        case (.reference(_, let schema), _): return schema.accepts(value)
        case (.anyOf(let schemas), _): return schemas.contains { $0.accepts(value) }
        case (.values(let values), _): return values.contains(value)
        case (.constant(let constant), _): return constant == value
        case (.null, .null), (.boolean, .bool), (.object, .object), (.map, .object): return true
        case (.integer(let least, let most), .integer(let number)):
            return number >= least ?? number && number <= most ?? number
        case (.text(let pattern, _, let shortest, _), .string(let text)):
            // Of texts the empty one is all that is tried; no pattern of ours takes it.
            return !text.isEmpty || pattern == nil && shortest ?? 0 == 0
        case (.array(_, let fewest, let most, _), .array(let elements)):
            return elements.count >= fewest && elements.count <= most ?? elements.count
        default: return false
        }
    }
}

extension JSONValue {
    /// With `value` at the place, or with nothing there.
    fileprivate func setting(_ value: JSONValue?, at path: ArraySlice<String>) -> JSONValue {
        guard let key = path.first, var object else { return value ?? .null }
        object[key] = path.count == 1 ? value : (object[key] ?? [:]).setting(value, at: path.dropFirst())
        return .object(object)
    }

    fileprivate func value(at path: ArraySlice<String>) -> JSONValue? {
        guard let key = path.first else { return self }
        return object?[key]?.value(at: path.dropFirst())
    }
}
