import Fleet
import Hummingbird
import Testing

@testable import API
@testable import JSON

@Suite struct `The description of an operation` {
    private func refusals(
        _ path: String, isOpen: Bool = false, parameters: [Parameter] = [], body: OperationDescription.Body? = nil,
        mayConflict: Bool = false
    ) -> [String] {
        let description = OperationDescription(
            id: "test", summary: "A test", parameters: parameters, body: body, mayConflict: mayConflict,
            answers: [.init(200, "Done")])
        let operation =
            isOpen
            ? Operation.open(.post, path, description) { _ in Response(status: .ok) }
            : Operation(.post, path, needs: .readFleet, description) { _ in Response(status: .ok) }
        return operation.refusals.map(\.code)
    }

    @Test func `tells how it refuses from where it is and what it takes`() {
        #expect(refusals("/a", isOpen: true) == ["400", "405", "default"])
        #expect(refusals("/a") == ["400", "401", "405", "503", "default"])
        #expect(refusals("/a/{name}", mayConflict: true) == ["400", "401", "404", "405", "409", "503", "default"])
        #expect(refusals("/a", body: .json(.text)) == ["400", "401", "405", "413", "415", "422", "503", "default"])
        #expect(refusals("/a", parameters: [.dryRun]) == ["400", "401", "405", "422", "503", "default"])
        #expect(refusals("/a", parameters: [.ifMatch]) == ["400", "401", "405", "412", "503", "default"])
    }

    @Test func `is written as OpenAPI has it`() throws {
        let description = OperationDescription(
            id: "test", summary: "A test", parameters: [.name], body: .json(.slug, isRequired: false),
            answers: [.init(201, "Made", headers: [.location], .slug)])
        let operation = Operation(.post, "/a/{name}", needs: .readFleet, description) { _ in Response(status: .ok) }
        let text = #"""
            {"operationId":"test","summary":"A test","parameters":[{"$ref":"#/components/parameters/Name"}],
             "requestBody":{"required":false,
               "content":{"application/json":{"schema":{"$ref":"#/components/schemas/Slug"}}}},
             "responses":{"201":{"description":"Made","headers":{"Location":{"$ref":"#/components/headers/Location"}},
               "content":{"application/json":{"schema":{"$ref":"#/components/schemas/Slug"}}}}}}
            """#
        var expected = try #require(try JSONValue.parse(Array(text.utf8)).object)
        var written = try #require(operation.json.object)
        #expect(written["responses"]?.object?["201"] == expected["responses"]?.object?["201"])
        expected["responses"] = nil
        written["responses"] = nil
        #expect(written == expected)
    }

    @Test func `no two schemas have the same name`() async throws {
        var named: [String: Schema] = [:]
        func walk(_ schema: Schema) {
            switch schema.kind {
            case .reference(let name, let inner):
                if let other = named[name] {
                    #expect(other == inner, "\(name)")
                    return
                }
                named[name] = inner
                walk(inner)
            case .array(let inner, _, _, _), .map(let inner, _): walk(inner)
            case .object(let members, _): members.forEach { walk($0.schema) }
            case .anyOf(let schemas), .oneOf(let schemas), .allOf(let schemas): schemas.forEach(walk)
            default: break
            }
        }
        for schema in try await OpenAPI.answered().flatMap(\.schemas) { walk(schema) }
        #expect(named.count > 50)
    }
}
