package import Domain
package import JSON

extension Zone {
    package static let schema = DocumentSchema(
        "Zone", told: Representation.told,
        fields: [Fields.name, Fields.provider, Fields.authorities])

    private enum Fields {
        static let name = TextField<DomainName>("name", expected: "the zone's apex, such as acme.example")
        static let provider = ObjectField(
            "provider",
            .merged(
                ZoneProvider.schema,
                note: "Merged member by member: whoever changes the kind sets the members of the other kind to null."),
            isRequired: true, expected: "an object with a kind")
        static let authorities = TextsField(
            "authorities", of: .nameServer, count: 0...mostAuthorities,
            expected: "addresses of authoritative servers, such as 192.0.2.53:53",
            note: "The authoritative servers that are asked after a change; none for those that the zone's NS records "
                + "name."
        ) { text throws(InvalidValue) in try TransportAddress(nameServer: text) }
    }

    /// What the operator wrote, in full: the body of the API and the text that the store keeps.
    var document: JSONValue {
        [
            "name": .string(name.text), "provider": provider.document,
            "authorities": .array(authorities.map { .string($0.description) }),
        ]
    }

    /// Reads a document, or answers nil with findings.
    package static func read(_ value: JSONValue, _ findings: Findings) -> Zone? {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: "", findings) else { return nil }
        let name = reader.read(Fields.name)
        let provider = reader.read(Fields.provider).flatMap { ZoneProvider.read($0, at: "/provider", findings) }
        let authorities = reader.read(Fields.authorities)
        reader.finish(readOnly: schema.readOnly)
        for (index, authority) in authorities.enumerated() {
            guard let authority, authorities.firstIndex(of: authority) != index else { continue }
            findings.add(.invalid("/authorities/\(index)", "'\(authority)' is named twice; expected each server once."))
        }
        guard findings.all.count == earlier, let name, let provider else { return nil }
        do {
            return try Zone(name: name, provider: provider, authorities: authorities.compactMap { $0 })
        } catch {
            findings.add("", error)
            return nil
        }
    }
}

extension ZoneProvider {
    private enum Kind: String, CaseIterable {
        case rfc2136
        case powerdns
        case route53
        case command
    }

    /// Of each kind the members that it has.
    fileprivate static let schema = Schema.named(
        "ZoneProvider",
        .oneOf(
            form(
                .rfc2136, "Dynamic updates (RFC 2136), signed by TSIG.",
                [Fields.server, Fields.keyName, Fields.algorithm, Fields.credential]),
            form(.powerdns, "The HTTP API of PowerDNS.", [Fields.api, Fields.serverID, Fields.credential]),
            form(.route53, "Amazon Route 53.", [Fields.hostedZone, Fields.ownURL, Fields.credential]),
            form(
                .command,
                "An executable in the control plane's folder of commands (--commands), which is given the change as "
                    + "JSON.",
                [Fields.command])))

    private static func form(_ kind: Kind, _ note: String, _ fields: [any Field]) -> Schema {
        DocumentSchema(nil, note: note, isAnsweredAsSent: true, fields: [KindField(kind: kind.rawValue)] + fields).input
    }

    /// By which the forms are told apart.
    private struct KindField: Field {
        let description: FieldDescription

        init(kind: String) {
            description = FieldDescription(
                name: Fields.kind.description.name, value: .schema(.constant(.string(kind))), isRequired: true,
                null: .refused, standard: nil)
        }
    }

    private enum Fields {
        static let kind = TextField<Kind>(choice: "kind")
        static let credential = TextField<CredentialName>("credential", expected: CredentialName.expected)

        static let server = TextField(
            "server", .nameServer, expected: "the primary server's address, such as 192.0.2.53:53"
        ) { text throws(InvalidValue) in try TransportAddress(nameServer: text) }
        static let keyName = TextField<DomainLabelName>(
            "keyName", expected: "the name of the TSIG key, such as ddirect", note: "The name of the TSIG key.")
        static let algorithm = ChoiceField("algorithm", standard: UpdateAlgorithm.sha256)

        static let api = TextField(
            "url", .httpAddress, expected: "the API's URL, such as http://192.0.2.53:8081"
        ) { text throws(InvalidValue) in try HTTPAddress.checked(text) }
        static let serverID = PathSegment.field(
            "serverID", standard: PathSegment.localhost, expected: "PowerDNS's ID of the server, such as localhost")

        static let hostedZone = PathSegment.field("hostedZone", expected: "the hosted zone's ID, such as Z0ABC")
        static let ownURL = TextField(
            "url", .httpAddress, isRequired: false, null: .nothing,
            expected: "a URL such as http://127.0.0.1:4566, or null for Amazon's"
        ) { text throws(InvalidValue) in try HTTPAddress.checked(text) }

        static let command = TextField<CommandName>(
            "command",
            expected: "the name of an executable among the control plane's commands, such as change-dns")
    }

    var document: JSONValue {
        switch self {
        case .update(let server, let key, let algorithm, let credential):
            [
                "kind": .string(Kind.rfc2136.rawValue), "server": .string(server.description),
                "keyName": .string(key.text), "algorithm": .string(algorithm.rawValue),
                "credential": .string(credential.text),
            ]
        case .powerDNS(let url, let server, let credential):
            [
                "kind": .string(Kind.powerdns.rawValue), "url": .string(url), "serverID": .string(server),
                "credential": .string(credential.text),
            ]
        case .route53(let hostedZone, let url, let credential):
            [
                "kind": .string(Kind.route53.rawValue), "hostedZone": .string(hostedZone),
                "url": url.map { .string($0) } ?? .null, "credential": .string(credential.text),
            ]
        case .command(let command):
            ["kind": .string(Kind.command.rawValue), "command": .string(command.text)]
        }
    }

    static func read(_ value: JSONValue, at pointer: String, _ findings: Findings) -> ZoneProvider? {
        guard var reader = ObjectReader(value, at: pointer, findings) else { return nil }
        let kind = reader.read(Fields.kind)
        // Without a kind nothing can be said of the other members.
        guard let kind else { return nil }
        let provider: ZoneProvider? =
            switch kind {
            case .rfc2136: update(&reader)
            case .powerdns: powerDNS(&reader)
            case .route53: route53(&reader)
            case .command: command(&reader)
            }
        reader.finish()
        return provider
    }

    private static func update(_ reader: inout ObjectReader) -> ZoneProvider? {
        let server = reader.read(Fields.server)
        let key = reader.read(Fields.keyName)
        let algorithm = reader.read(Fields.algorithm)
        let credential = reader.read(Fields.credential)
        guard let server, let key, let credential else { return nil }
        return .update(server: server, key: key, algorithm: algorithm, credential: credential)
    }

    private static func powerDNS(_ reader: inout ObjectReader) -> ZoneProvider? {
        let url = reader.read(Fields.api)
        let server = reader.read(Fields.serverID)
        let credential = reader.read(Fields.credential)
        guard let url, let credential else { return nil }
        return .powerDNS(url: url, server: server ?? PathSegment.localhost, credential: credential)
    }

    private static func route53(_ reader: inout ObjectReader) -> ZoneProvider? {
        let hostedZone = reader.read(Fields.hostedZone)
        let url = reader.read(Fields.ownURL)
        let credential = reader.read(Fields.credential)
        guard let hostedZone, let credential else { return nil }
        return .route53(hostedZone: hostedZone, url: url, credential: credential)
    }

    private static func command(_ reader: inout ObjectReader) -> ZoneProvider? {
        reader.read(Fields.command).map { .command($0) }
    }
}

/// An identifier of somebody else's that becomes one segment of the path of a URL.
private enum PathSegment {
    static let longest = 100
    /// PowerDNS's own server, as it calls it.
    static let localhost = "localhost"

    /// Required when it has no standard.
    static func field(_ name: String, standard: String? = nil, expected: String) -> TextField<String> {
        TextField(
            name,
            .text(pattern: "^[A-Za-z0-9._-]{1,\(longest)}$").standard(standard.map { .string($0) }),
            isRequired: standard == nil, standard: standard.map { .string($0) }, expected: expected
        ) { text throws(InvalidValue) in try checked(text, expected: expected) }
    }

    static func checked(_ text: String, expected: String) throws(InvalidValue) -> String {
        let isSegment = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        // Dots alone would lead to another place.
        guard isSegment, (1...longest).contains(text.utf8.count), text != ".", text != ".." else {
            throw InvalidValue(text, "has a character that is not allowed, or is no identifier", expected: expected)
        }
        return text
    }
}

extension TransportAddress {
    /// Reads the address of a DNS server: `192.0.2.53:5353`, or without a port, which is 53 then.
    init(nameServer text: String) throws(InvalidValue) {
        if let address = Address(parsing: text.utf8Span.span) {
            self.init(address, port: 53)
            return
        }
        try self.init(text)
        guard port != 0 else {
            throw InvalidValue(text, "has the port 0", expected: "a DNS server's address such as 192.0.2.53:53")
        }
    }
}
