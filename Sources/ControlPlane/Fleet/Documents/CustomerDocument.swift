package import Domain
package import JSON

extension Customer {
    /// What the operator wrote, in full: the body of the API and the text that the store keeps.
    var document: JSONValue { ["name": .string(name.text)] }

    /// Reads a document, or answers nil with findings.
    package static func read(_ value: JSONValue, _ findings: Findings) -> Customer? {
        guard var reader = ObjectReader(value, at: "", findings) else { return nil }
        let name = reader.text("name", expected: "the customer's name, such as acme") { text throws(InvalidValue) in
            try CustomerName(text)
        }
        reader.finish(readOnly: Representation.readOnly)
        return name.map { Customer(name: $0) }
    }
}
