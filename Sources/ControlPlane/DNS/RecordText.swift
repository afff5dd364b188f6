import Domain

extension RecordType {
    /// A value as `RecordSet` has it, from the form in which DNS shows it; nil when it is none of this type.
    func canonical(_ text: String) -> String? {
        switch self {
        case .a, .aaaa:
            guard let address = Address(parsing: text.utf8Span.span) else { return nil }
            return (address.family == .ipv4) == (self == .a) ? address.description : nil
        case .cname:
            let name = text.hasSuffix(".") ? String(text.dropLast()) : text
            return name.isEmpty ? nil : name.lowercased()
        }
    }

    /// The same in the form of a zone file.
    func presented(_ value: String) -> String { self == .cname ? value + "." : value }
}

extension RecordSet {
    /// The records of an answer about one name; nil when there are none.
    init?(_ type: RecordType, _ records: [(timeToLive: Int, value: String)]) {
        let values = records.compactMap { type.canonical($0.value) }
        guard let timeToLive = records.map(\.timeToLive).min(), !values.isEmpty else { return nil }
        self.init(type, timeToLive: timeToLive, values: values)
    }
}
