import Fleet
import JSON

/// The description of the API that the daemon serves (OpenAPI 3.1).
///
/// It is put together from values: each operation of the router has its description, which stands in this folder, one
/// file for each subject; the schemas stand beside the readers of documents (`DocumentSchema`).
struct OpenAPI {
    /// Everything that the router answers.
    let operations: [Operation]

    /// As it is sent.
    var document: String { json.description }

    private var json: JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "D-Direct control plane",
                "version": "1",
                "description": .string(
                    "Customers, servers, services, DNS zones, the fleet's settings, and their versions. "
                        + "Errors are problems by RFC 9457."),
            ],
            "security": [["token": []]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
                "parameters": .object(parameters),
                "headers": OpenAPI.members(AnswerHeader.allCases.map { ($0.rawValue, $0.json) }),
                "responses": OpenAPI.members(Refusal.allCases.map { ($0.rawValue, $0.json) }),
            ],
        ]
    }

    private var paths: JSONObject {
        var paths = JSONObject()
        for operation in operations {
            var methods = paths[operation.path]?.object ?? JSONObject()
            methods[operation.method.rawValue.lowercased()] = operation.json
            paths[operation.path] = .object(methods)
        }
        return paths
    }

    private var parameters: JSONObject {
        var parameters = JSONObject()
        for parameter in operations.flatMap(\.description.parameters) where parameters[parameter.component] == nil {
            parameters[parameter.component] = parameter.json
        }
        return parameters
    }

    /// What has a name. An event is told in a stream, of which no schema speaks.
    private var schemas: JSONObject {
        var components: [String: Schema] = [:]
        for schema in operations.flatMap(\.schemas) + [Refusal.schema, .event] {
            schema.collect(into: &components)
        }
        return components.sorted { $0.key < $1.key }.reduce(into: JSONObject()) { $0[$1.key] = $1.value.json }
    }

    private static func members(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.reduce(into: JSONObject()) { $0[$1.0] = $1.1 })
    }
}

extension Schema {
    /// A page of a list.
    static func page(_ name: String, of elements: Schema) -> Schema {
        .named(
            name,
            .object([
                "items": .array(of: elements, count: 0...Paging.limits.upperBound), "next": .text.orNull(),
            ]))
    }
}
