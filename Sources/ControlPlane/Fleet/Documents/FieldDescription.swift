import JSON

/// What the reader of a document and the API's schemas know about one of its fields.
package struct FieldDescription: Sendable {
    /// What stands in the field.
    package enum Value: Sendable {
        case schema(Schema)
        /// Something that a patch merges member by member without a schema of its own for that; the text says how.
        case merged(Schema, note: String)
        case document(DocumentSchema)
        /// A list of documents, which a patch replaces as a whole.
        case documents(DocumentSchema, most: Int)
    }

    /// What null says when a resource is created. (In a patch it always takes the field away.)
    package enum Null: Sendable {
        /// Nothing: it is refused.
        case refused
        /// The same as leaving the field out. The answer tells what then holds.
        case standard
        /// That there is none, and the answer says null as well.
        case nothing
    }

    package let name: String
    let value: Value
    let isRequired: Bool
    let null: Null
    /// What a document without the field says. Nil when that is an error, or depends on other fields.
    let standard: JSONValue?

    var input: Schema {
        let schema =
            switch value {
            case .schema(let schema), .merged(let schema, _): schema
            case .document(let document): document.input
            case .documents(let document, let most): Schema.array(of: document.input, count: 0...most)
            }
        return null == .refused ? schema : schema.orNull()
    }

    /// A patch may take away only what may be left out.
    var patch: Schema {
        let schema =
            switch value {
            case .schema, .documents: input
            case .merged(_, let note): Schema.anyObject.described(note)
            case .document(let document): document.patch
            }
        return isRequired ? schema : schema.orNull()
    }

    var answer: Schema {
        let schema =
            switch value {
            case .schema(let schema), .merged(let schema, _): schema
            case .document(let document): document.answer
            case .documents(let document, let most): Schema.array(of: document.answer, count: 0...most)
            }
        return null == .nothing ? schema.orNull() : schema
    }
}
