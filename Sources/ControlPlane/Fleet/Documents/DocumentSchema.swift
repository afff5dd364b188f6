import JSON

/// A kind of document by its fields, each of which is described once.
///
///     fields ──▶ input:  what creates one; required fields have to be there
///            ├─▶ patch:  what changes one by a merge patch (RFC 7396); nothing has to be there
///            └─▶ answer: what the API shows; all fields are there, and what D-Direct tells
package struct DocumentSchema: Sendable {
    /// By which the API's document knows them: `Service`, `ServiceInput`, `ServicePatch`. Nil for a document whose
    /// schemas stand where they are used.
    let name: String?
    let note: String?
    package let fields: [FieldDescription]
    /// What an answer has beside the fields; who sends it is told that it cannot be set.
    let told: [Schema.Member]
    /// Whether the answer looks like what was sent: where nothing is said, it says nothing either.
    let isAnsweredAsSent: Bool

    package init(
        _ name: String?, note: String? = nil, isAnsweredAsSent: Bool = false, told: [Schema.Member] = [],
        fields: [any Field]
    ) {
        self.name = name
        self.note = note
        self.fields = fields.map(\.description)
        self.told = told
        self.isAnsweredAsSent = isAnsweredAsSent
    }

    package var input: Schema {
        isAnsweredAsSent ? named("", inputObject.described(note)) : named("Input", inputObject)
    }

    /// The input itself where a patch may say just the same.
    package var patch: Schema {
        isAnsweredAsSent && patchObject == inputObject ? input : named("Patch", patchObject)
    }

    private var inputObject: Schema { closed { Schema.Member($0.name, $0.input, isRequired: $0.isRequired) } }
    var patchObject: Schema { closed { Schema.Member($0.name, $0.patch, isRequired: false) } }

    package var answer: Schema {
        guard !isAnsweredAsSent else { return input }
        return named("", .object(fields.map { Schema.Member($0.name, $0.answer) } + told).described(note))
    }

    /// The members that we send but do not take.
    var readOnly: [String] { told.map(\.name) }

    private func closed(_ member: (FieldDescription) -> Schema.Member) -> Schema {
        .object(fields.map(member), isClosed: true)
    }

    private func named(_ ending: String, _ schema: Schema) -> Schema {
        name.map { .named($0 + ending, schema) } ?? schema
    }

    /// A document that an earlier release has stored, with all fields that one of this release has.
    func completed(_ document: JSONObject) -> JSONObject {
        var document = document
        for field in fields where document[field.name] == nil { document[field.name] = field.standard }
        return document
    }
}
