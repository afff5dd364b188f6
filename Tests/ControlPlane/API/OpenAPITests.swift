import Synchronization
import Testing

@testable import API
@testable import JSON

extension OpenAPI {
    /// Everything that the router answers.
    static func answered() async throws -> [API.Operation] {
        let answered = Mutex<[API.Operation]>([])
        try await Bench.run { bench in answered.withLock { $0 = bench.operations } }
        return answered.withLock { $0 }
    }

    /// The document, as it is sent.
    static func served() async throws -> String {
        let text = Mutex("")
        try await Bench.run { bench in
            let answer = try await bench.get("/openapi.json")
            text.withLock { $0 = answer.text }
        }
        return text.withLock { $0 }
    }
}

@Suite struct `The OpenAPI document` {
    let document: JSONObject

    init() async throws {
        let text = try await OpenAPI.served()
        document = try #require(try JSONValue.parse(text.utf8).object)
    }

    private func operations() throws -> [String: JSONObject] {
        var operations: [String: JSONObject] = [:]
        let paths = try #require(document["paths"]?.object)
        for path in paths.keys {
            let methods = try #require(paths[path]?.object)
            for method in methods.keys { operations["\(method.uppercased()) \(path)"] = methods[method]?.object }
        }
        return operations
    }

    @Test func `it documents what the router answers, and nothing else`() async throws {
        let documented = Set(try operations().keys)
        let operations = try await OpenAPI.answered()
        let answered = Set(operations.map { "\($0.method.rawValue) \($0.path)" })
        #expect(documented == answered)
        #expect(operations.count == answered.count)
    }

    @Test func `it documents the query parameters that are known, and nothing else`() async throws {
        let parameters = try #require(document["components"]?.object?["parameters"]?.object)
        let operations = try operations()
        for operation in try await OpenAPI.answered() {
            let documented = try #require(operations["\(operation.method.rawValue) \(operation.path)"])
            var names: Set<String> = []
            var variables: Set<String> = []
            if case .array(let references)? = documented["parameters"] {
                for reference in references {
                    guard case .string(let text)? = reference.object?["$ref"],
                        let name = text.split(separator: "/").last,
                        let parameter = parameters[String(name)]?.object, case .string(let text)? = parameter["name"]
                    else { continue }
                    if parameter["in"] == "query" { names.insert(text) }
                    if parameter["in"] == "path" { variables.insert("{\(text)}") }
                }
            }
            #expect(names == operation.query, "\(operation.method) \(operation.path)")
            #expect(
                variables == Set(operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0) }))
        }
    }

    @Test func `every operation that needs a token says what happens without one`() async throws {
        let operations = try operations()
        for operation in try await OpenAPI.answered() {
            let responses = operations["\(operation.method.rawValue) \(operation.path)"]?["responses"]?.object
            #expect((responses?["401"] != nil) == !operation.isOpen)
            #expect(responses?["default"] != nil)
        }
    }

    @Test func `every reference leads somewhere`() throws {
        var references: Set<String> = []
        func walk(_ value: JSONValue) {
            switch value {
            case .object(let object):
                for key in object.keys {
                    if key == "$ref", case .string(let text)? = object[key] { references.insert(text) }
                    if let member = object[key] { walk(member) }
                }
            case .array(let elements): elements.forEach(walk)
            default: break
            }
        }
        walk(.object(document))
        #expect(references.count > 50)
        for reference in references {
            var place: JSONValue? = .object(document)
            for step in reference.split(separator: "/").dropFirst() { place = place?.object?[String(step)] }
            #expect(place != nil, "\(reference)")
        }
    }
}
