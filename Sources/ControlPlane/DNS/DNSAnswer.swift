import Domain

/// What a name server has answered: to a query, or to an update.
struct DNSAnswer: Hashable, Sendable {
    /// How the answer is signed (RFC 8945).
    enum Signature: Hashable, Sendable {
        case none
        case good
        /// By another key, or changed on its way.
        case bad
        /// The server does not accept the signature of the request.
        case error(Int)
    }

    let code: ResponseCode
    /// From the zone itself, not from a cache or a delegation.
    let isAuthoritative: Bool
    /// There is more than fits a datagram.
    let isTruncated: Bool
    let signature: Signature
    let records: [DNSRecord]

    /// Reads the text that the shim makes of a message: `rcode authoritative truncated signature`, then a record per
    /// line.
    init?(_ text: String) {
        var lines = text.split(separator: "\n")
        guard !lines.isEmpty else { return nil }
        let head = lines.removeFirst().split(separator: " ")
        guard head.count == 4, let code = Int(head[0]) else { return nil }
        self.code = ResponseCode(rawValue: code)
        isAuthoritative = head[1] == "1"
        isTruncated = head[2] == "1"
        switch head[3] {
        case "none": signature = .none
        case "good": signature = .good
        case "bad": signature = .bad
        default:
            guard let number = Int(head[3]) else { return nil }
            signature = .error(number)
        }
        records = lines.compactMap { DNSRecord($0) }
    }

    /// The record sets of one name, of the types that steer traffic.
    func sets(of name: DomainName) -> [RecordSet] {
        RecordType.allCases.compactMap { type in
            let found = records.filter { $0.name == name.text && $0.type == type.rawValue }
            guard !found.isEmpty else { return nil }
            // Records of one set have one TTL (RFC 2181 section 5.2); of a server that says otherwise, the one that is
            // over first counts.
            return RecordSet(
                type, timeToLive: found.map(\.timeToLive).min() ?? 0, values: found.map { type.canonical($0.value) })
        }
    }
}

/// One record of an answer.
struct DNSRecord: Hashable, Sendable {
    /// In lower case and without the final dot.
    let name: String
    let timeToLive: Int
    let type: String
    let value: String

    init?(_ line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 3)
        guard parts.count >= 3, let timeToLive = Int(parts[1]) else { return nil }
        name = String(parts[0]).withoutFinalDot
        self.timeToLive = timeToLive
        type = String(parts[2])
        value = parts.count > 3 ? String(parts[3]) : ""
    }
}

extension RecordType {
    /// One spelling for each value: addresses as `Address` writes them, names in lower case and without the final dot.
    func canonical(_ value: String) -> String {
        switch self {
        case .a, .aaaa: (try? Address(value))?.description ?? value
        case .cname: value.withoutFinalDot
        }
    }
}

extension String {
    /// A domain name as we write it: in lower case, without the dot at its end.
    var withoutFinalDot: String { (hasSuffix(".") ? String(dropLast()) : self).lowercased() }
}

/// What became of a request, by the number in its answer (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
struct ResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    let rawValue: Int

    static let noError = ResponseCode(rawValue: 0)
    static let formatError = ResponseCode(rawValue: 1)
    static let serverFailure = ResponseCode(rawValue: 2)
    /// There is no such name.
    static let noName = ResponseCode(rawValue: 3)
    static let notImplemented = ResponseCode(rawValue: 4)
    static let refused = ResponseCode(rawValue: 5)
    /// A name is there that should not be, or records are, or something that should be there is not.
    static let nameExists = ResponseCode(rawValue: 6)
    static let recordsExist = ResponseCode(rawValue: 7)
    static let recordsMissing = ResponseCode(rawValue: 8)
    /// It is not authoritative for the zone, or TSIG's error says more.
    static let notAuthoritative = ResponseCode(rawValue: 9)
    /// A name is not within the zone.
    static let notInZone = ResponseCode(rawValue: 10)

    private static let names = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
        "NOTZONE",
    ]

    var description: String {
        ResponseCode.names.indices.contains(rawValue) ? ResponseCode.names[rawValue] : "response code \(rawValue)"
    }
}
