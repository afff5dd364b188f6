package import Domain
package import JSON

extension Zone {
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
        let name = reader.text("name", expected: "the zone's apex, such as acme.example") {
            text throws(InvalidValue) in try DomainName(text)
        }
        var provider: ZoneProvider?
        if let value = reader.value("provider", required: true, expected: "an object with a kind") {
            provider = ZoneProvider.read(value, at: "/provider", findings)
        }
        let authorities =
            reader.texts(
                "authorities", required: false, count: 0...Zone.mostAuthorities,
                expected: "addresses of authoritative servers, such as 192.0.2.53:53"
            ) { text throws(InvalidValue) in try TransportAddress(nameServer: text) } ?? []
        reader.finish(readOnly: Representation.readOnly)
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
        let expected = "one of " + Kind.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        let kind = reader.text("kind", expected: expected) { text throws(InvalidValue) in
            guard let kind = Kind(rawValue: text) else {
                throw InvalidValue(text, "is not known here", expected: expected)
            }
            return kind
        }
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
        let server = reader.text("server", expected: "the primary server's address, such as 192.0.2.53:53") {
            text throws(InvalidValue) in try TransportAddress(nameServer: text)
        }
        let key = reader.text("keyName", expected: "the name of the TSIG key, such as ddirect") {
            text throws(InvalidValue) in try DomainLabelName(text)
        }
        let algorithm = reader.choice("algorithm", default: UpdateAlgorithm.sha256)
        let credential = credential(&reader)
        guard let server, let key, let credential else { return nil }
        return .update(server: server, key: key, algorithm: algorithm, credential: credential)
    }

    private static func powerDNS(_ reader: inout ObjectReader) -> ZoneProvider? {
        let url = reader.text("url", expected: "the API's URL, such as http://192.0.2.53:8081") {
            text throws(InvalidValue) in try HTTPAddress.checked(text)
        }
        let server = reader.text(
            "serverID", required: false, expected: "PowerDNS's ID of the server, such as localhost"
        ) {
            text throws(InvalidValue) in
            try PathSegment.checked(text, expected: "PowerDNS's ID of the server, such as localhost")
        }
        let credential = credential(&reader)
        guard let url, let credential else { return nil }
        return .powerDNS(url: url, server: server ?? "localhost", credential: credential)
    }

    private static func route53(_ reader: inout ObjectReader) -> ZoneProvider? {
        let hostedZone = reader.text("hostedZone", expected: "the hosted zone's ID, such as Z0ABC") {
            text throws(InvalidValue) in
            try PathSegment.checked(text, expected: "the hosted zone's ID, such as Z0ABC")
        }
        var url: String?
        let expected = "a URL such as http://127.0.0.1:4566, or null for Amazon's"
        if let value = reader.value("url", required: false, expected: expected), value != .null {
            url = reader.element(value, at: reader.pointer(to: "url"), expected: expected) {
                text throws(InvalidValue) in try HTTPAddress.checked(text)
            }
        }
        let credential = credential(&reader)
        guard let hostedZone, let credential else { return nil }
        return .route53(hostedZone: hostedZone, url: url, credential: credential)
    }

    private static func command(_ reader: inout ObjectReader) -> ZoneProvider? {
        let expected = "the name of an executable among the control plane's commands, such as change-dns"
        let command = reader.text("command", expected: expected) { text throws(InvalidValue) in try CommandName(text) }
        return command.map { .command($0) }
    }

    private static func credential(_ reader: inout ObjectReader) -> CredentialName? {
        reader.text("credential", expected: CredentialName.expected) { text throws(InvalidValue) in
            try CredentialName(text)
        }
    }
}

/// An identifier of somebody else's that becomes one segment of the path of a URL.
private enum PathSegment {
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
        guard isSegment, (1...100).contains(text.utf8.count), text != ".", text != ".." else {
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
