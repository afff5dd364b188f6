import Fleet
import JSON

/// What an operation says of itself to those who call it: all of its entry in the OpenAPI document but where it is.
struct OperationDescription: Sendable {
    let id: String
    let summary: String
    var note: String?
    var parameters: [Parameter] = []
    var body: Body?
    /// Whether what there is can stand in its way: another resource, or a server that is not connected.
    var mayConflict = false
    /// What it answers when it does what it is asked for. What it answers when not follows from the rest.
    let answers: [Answer]

    /// What stands in a request's body.
    struct Body: Sendable {
        let schema: Schema
        let types: [String]
        var isRequired = true

        static func json(_ schema: Schema, isRequired: Bool = true) -> Body {
            Body(schema: schema, types: ["application/json"], isRequired: isRequired)
        }

        /// RFC 7396.
        static func mergePatch(_ schema: Schema) -> Body {
            Body(schema: schema, types: ["application/merge-patch+json", "application/json"])
        }
    }

    /// An answer to a request that was understood and granted.
    struct Answer: Sendable {
        let status: Int
        let note: String
        var headers: [AnswerHeader] = []
        var content: (type: String, schema: Schema)?

        init(_ status: Int, _ note: String, headers: [AnswerHeader] = [], _ schema: Schema? = nil) {
            self.init(status, note, headers: headers, type: "application/json", schema)
        }

        init(_ status: Int, _ note: String, headers: [AnswerHeader] = [], type: String, _ schema: Schema?) {
            self.status = status
            self.note = note
            self.headers = headers
            content = schema.map { (type, $0) }
        }
    }

    func takes(_ parameter: Parameter) -> Bool { parameters.contains { $0.component == parameter.component } }
}

extension Operation {
    /// How it refuses. The route and what the operation takes tell.
    var refusals: [Refusal] {
        let hasBody = description.body != nil
        return [
            .badRequest,
            isOpen ? nil : .unauthorized,
            path.contains("{") ? .notFound : nil,
            .methodNotAllowed,
            description.mayConflict ? .conflict : nil,
            description.takes(.ifMatch) ? .stale : nil,
            hasBody ? .tooLarge : nil,
            hasBody ? .unsupportedMediaType : nil,
            // What takes a dry run changes the configuration, which the rules judge.
            hasBody || description.takes(.dryRun) ? .invalid : nil,
            // Without a token nothing is read that could be unavailable.
            isOpen ? nil : .unavailable,
            .other,
        ].compactMap { $0 }
    }

    /// Every schema that it mentions.
    var schemas: [Schema] {
        description.parameters.map(\.schema) + [description.body?.schema].compactMap { $0 }
            + description.answers.compactMap { $0.content?.schema }
    }

    var json: JSONValue {
        var object = JSONObject()
        object["operationId"] = .string(description.id)
        object["summary"] = .string(description.summary)
        object["description"] = description.note.map { .string($0) }
        if isOpen { object["security"] = [] }
        if !description.parameters.isEmpty { object["parameters"] = .array(description.parameters.map(\.reference)) }
        object["requestBody"] = description.body?.json
        var responses = JSONObject()
        for answer in description.answers { responses[String(answer.status)] = answer.json }
        for refusal in refusals { responses[refusal.code] = refusal.reference }
        object["responses"] = .object(responses)
        return .object(object)
    }
}

extension OperationDescription.Body {
    fileprivate var json: JSONValue {
        var content = JSONObject()
        for type in types { content[type] = ["schema": schema.json] }
        return ["required": .bool(isRequired), "content": .object(content)]
    }
}

extension OperationDescription.Answer {
    fileprivate var json: JSONValue {
        var object: JSONObject = ["description": .string(note)]
        if !headers.isEmpty {
            var references = JSONObject()
            for header in headers { references[header.rawValue] = header.reference }
            object["headers"] = .object(references)
        }
        if let content { object["content"] = .object([content.type: ["schema": content.schema.json]]) }
        return .object(object)
    }
}
