package import Domain
package import JSON

extension Customer {
    package static let schema = DocumentSchema(
        "Customer", told: Representation.told,
        fields: [Fields.name])

    private enum Fields {
        static let name = TextField<CustomerName>("name", expected: "the customer's name, such as acme")
    }

    /// What the operator wrote, in full: the body of the API and the text that the store keeps.
    var document: JSONValue { ["name": .string(name.text)] }

    /// Reads a document, or answers nil with findings.
    package static func read(_ value: JSONValue, _ findings: Findings) -> Customer? {
        guard var reader = ObjectReader(value, at: "", findings) else { return nil }
        let name = reader.read(Fields.name)
        reader.finish(readOnly: schema.readOnly)
        return name.map { Customer(name: $0) }
    }
}
