import Domain
import JSON

extension ServiceCheck {
    /// The member `check` of a service.
    static let field = ObjectField(
        "check", DocumentSchema("ServiceCheck", fields: [Fields.path, Fields.scheme, Fields.host]),
        null: .nothing, standard: JSONValue.null, expected: "an object with a path, or null")

    fileprivate enum Fields {
        static let path = TextField("path", .requestPath, expected: "a path such as /health") {
            text throws(InvalidValue) in try RequestPath.checked(text)
        }
        static let scheme = ChoiceField("scheme", standard: Scheme.https)
        static let host = TextField(
            "host", DomainName.schema, isRequired: false, null: .standard,
            expected: "a name that the servers route to this service",
            note: "Which of the service's names is called; the first client domain that is no wildcard, unless said."
        ) { text throws(InvalidValue) in try DomainName(text) }
    }

    fileprivate enum Scheme: String, CaseIterable {
        case https
        case http
    }

    var document: JSONValue {
        [
            "path": .string(path), "scheme": .string((usesTLS ? Scheme.https : .http).rawValue),
            "host": .string(host.text),
        ]
    }
}

extension ServiceDraft {
    /// Reads the service's own uptime check; `clientDomains` have been read before.
    mutating func readCheck(_ reader: inout ObjectReader) {
        guard let value = reader.read(ServiceCheck.field) else { return }
        let findings = reader.findings
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: "/check", findings) else { return }
        let path = reader.read(ServiceCheck.Fields.path)
        let scheme = reader.read(ServiceCheck.Fields.scheme)
        let host = readHost(&reader)
        reader.finish()
        guard findings.all.count == earlier, let path, let host else { return }
        do {
            check = try ServiceCheck(usesTLS: scheme == .https, host: host, path: path)
        } catch {
            findings.add(reader.pointer(to: "path"), error)
        }
    }

    /// The name that is called: what the document says, or the first client domain that is a name as it stands.
    private func readHost(_ reader: inout ObjectReader) -> DomainName? {
        let field = ServiceCheck.Fields.host
        let expected = field.expected
        let pointer = reader.pointer(to: field.description.name)
        guard let value = reader.value(field.description.name, required: false, expected: expected), value != .null
        else {
            if let exact = clientDomains.lazy.compactMap({ $0 }).first(where: { !$0.isWildcard }) { return exact.name }
            // When a client domain could not be read, it might have been the one.
            if !clientDomains.isEmpty, !clientDomains.contains(where: { $0 == nil }) {
                reader.findings.add(
                    .invalid(
                        pointer, "'host' is missing, and every client domain is a wildcard; expected \(expected)."))
            }
            return nil
        }
        guard let host = reader.element(value, at: pointer, expected: expected, field.make) else { return nil }
        let isRouted = clientDomains.contains { $0?.matches(host) == true }
        if !isRouted, !clientDomains.contains(where: { $0 == nil }) {
            reader.findings.add(
                .invalid(pointer, "'\(host)' is no client domain of this service; expected \(expected)."))
        }
        return host
    }
}
