import Domain
import JSON

/// A limit: a number, `unlimited`, or null for the standard one.
struct LimitField: Field {
    let description: FieldDescription

    init(_ name: String, note: String) {
        description = FieldDescription(
            name: name, value: .schema(Limit.schema.described(note)), isRequired: false, null: .nothing,
            standard: JSONValue.null)
    }
}

extension Limit {
    /// What a document says for no limit; null is for the standard one.
    static let unlimitedWord = "unlimited"

    fileprivate static let schema = Schema.named(
        "Limit",
        .anyOf(.integer(Limit.numbers), .constant(.string(unlimitedWord)), .null)
            .described("A number, '\(unlimitedWord)', or null for the standard limit."))

    var document: JSONValue {
        self == .unlimited ? .string(Limit.unlimitedWord) : .whole(number.map { Int($0) })
    }

    /// As people are told.
    fileprivate var words: String { number.map { String($0) } ?? Limit.unlimitedWord }
}

extension MinimumRate {
    fileprivate static let schema = Schema.named(
        "MinimumRate",
        .integer(Int(numbers.lowerBound)...Int(numbers.upperBound)).orNull()
            .described("Bytes a second; 0 asks for none, null for the standard rate, \(standard)."))

    fileprivate static func field(note: String) -> IntegerField {
        IntegerField(
            "minimumBytesPerSecond", in: numbers, isNullable: true,
            expected: "a whole number of bytes a second from 1 to \(numbers.upperBound), 0 for none, or null",
            note: note, component: schema)
    }
}

extension ServiceLimits {
    /// The member `limits` of a service.
    static let field = ObjectField(
        "limits",
        DocumentSchema(
            "ServiceLimits",
            note: "Of the service on each of its servers. A client is an IPv4 address, or a /64 of IPv6. "
                + "A connection beyond a limit is refused.",
            isAnsweredAsSent: true,
            fields: [
                Fields.connections, Fields.newConnections, Fields.clientConnections, Fields.newClientConnections,
                Fields.minimumRate,
            ]),
        null: .standard, standard: standard.document, expected: "an object, or null")

    private enum Fields {
        static let connections = LimitField(
            "connections", note: "Connections open. Standard: \(standardConnections.words).")
        static let newConnections = LimitField(
            "newConnectionsPerSecond",
            note: "Standard: \(standardNewConnections.words). As many as a second allows may come at once.")
        static let clientConnections = LimitField(
            "clientConnections",
            note: "Connections open of one client. Standard: \(standardClientConnections.words), "
                + "as carrier NAT puts thousands of phones behind one address.")
        static let newClientConnections = LimitField(
            "newClientConnectionsPerSecond",
            note: "Of one client. Standard: \(standardNewClientConnections.words).")
        static let minimumRate = MinimumRate.field(
            note: "While a request body is sent, measured over two minutes.")
    }

    var document: JSONValue {
        [
            "connections": connections.document, "newConnectionsPerSecond": newConnections.document,
            "clientConnections": clientConnections.document,
            "newClientConnectionsPerSecond": newClientConnections.document,
            "minimumBytesPerSecond": .whole(minimumRate.map { Int($0) }),
        ]
    }

    /// Reads the member of a service. The standard ones when there is none; nil with findings.
    static func read(_ service: inout ObjectReader) -> ServiceLimits? {
        service.read(field, standard: .standard) { reader throws(InvalidValue) in
            try ServiceLimits(
                connections: reader.read(Fields.connections), newConnections: reader.read(Fields.newConnections),
                clientConnections: reader.read(Fields.clientConnections),
                newClientConnections: reader.read(Fields.newClientConnections),
                minimumRate: reader.read(Fields.minimumRate).map { UInt32(clamping: $0) })
        }
    }
}

extension ServerLimits {
    /// The member `limits` of a server.
    static let field = ObjectField(
        "limits",
        DocumentSchema(
            "ServerLimits",
            note: "On all that arrives at the server, whatever service it is for. A client is an IPv4 address, "
                + "or a /64 of IPv6; a trusted sender is none, its connections count for the client that the PROXY "
                + "header names.",
            isAnsweredAsSent: true,
            fields: [Fields.clientConnections, Fields.newClientConnections, Fields.clientOpenings, Fields.minimumRate]),
        null: .standard, standard: standard.document, expected: "an object, or null")

    private enum Fields {
        static let clientConnections = LimitField(
            "clientConnections",
            note: "Connections open of one client. Standard: \(standardClientConnections.words).")
        static let newClientConnections = LimitField(
            "newClientConnectionsPerSecond",
            note: "Of one client. Standard: \(standardNewClientConnections.words).")
        static let clientOpenings = LimitField(
            "clientOpenings",
            note: "Connections of one client whose TLS hello or first request head has not come whole. "
                + "Standard: \(standardClientOpenings.words).")
        static let minimumRate = MinimumRate.field(
            note: "While a hello or a request head is sent, from five seconds after its first byte on.")
    }

    var document: JSONValue {
        [
            "clientConnections": clientConnections.document,
            "newClientConnectionsPerSecond": newClientConnections.document,
            "clientOpenings": clientOpenings.document,
            "minimumBytesPerSecond": .whole(minimumRate.map { Int($0) }),
        ]
    }

    /// Reads the member of a server. The standard ones when there is none; nil with findings.
    static func read(_ server: inout ObjectReader) -> ServerLimits? {
        server.read(field, standard: .standard) { reader throws(InvalidValue) in
            try ServerLimits(
                clientConnections: reader.read(Fields.clientConnections),
                newClientConnections: reader.read(Fields.newClientConnections),
                clientOpenings: reader.read(Fields.clientOpenings),
                minimumRate: reader.read(Fields.minimumRate).map { UInt32(clamping: $0) })
        }
    }
}

extension ObjectReader {
    /// The standard limit when the member is absent or null; that too, with a finding, when it is anything else than a
    /// limit.
    fileprivate mutating func read(_ field: LimitField) -> Limit {
        let key = field.description.name
        let expected =
            "a whole number from \(Limit.numbers.lowerBound) to \(Limit.numbers.upperBound), "
            + "'\(Limit.unlimitedWord)', or null"
        guard let value = value(key, required: false, expected: expected), value != .null else { return .standard }
        switch value {
        case .string(Limit.unlimitedWord): return .unlimited
        case .string(let text):
            findings.add(pointer(to: key), InvalidValue(text, "is no limit", expected: expected))
        case .integer(let number):
            // What is wrong with it is said below, with the word for no limit.
            if let limit = try? Limit(number) { return limit }
            findings.add(pointer(to: key), InvalidValue(String(number), "is out of range", expected: expected))
        default: mistyped(value, at: pointer(to: key), expected: expected)
        }
        return .standard
    }
}
