import Domain

/// Changes as one UPDATE message has them (RFC 2136): what has to be there, and what is done then. All of it is done,
/// or nothing.
///
/// Lines are `name ttl class type data`. Among the prerequisites, class IN with data stands for "these records and no
/// others of this type", NONE for "no records of this type"; among the changes, IN adds, ANY deletes all records of a
/// type, NONE deletes one record.
struct UpdateMessage: Hashable, Sendable {
    let prerequisites: [String]
    let changes: [String]

    /// In octets. A message over TCP has room for 65,535; the rest is for its signature, and for our estimate being
    /// one.
    private static let largest = 48 << 10

    /// The changes as messages, each within the size of one. Most failovers of a zone fit in one; each is atomic, all
    /// together are not.
    static func parts(of changes: [RecordChange]) -> [[RecordChange]] {
        var parts: [[RecordChange]] = []
        var room = 0
        for change in changes {
            let octets = size(of: change)
            if parts.isEmpty || octets > room {
                parts.append([])
                room = largest
            }
            parts[parts.count - 1].append(change)
            room -= octets
        }
        return parts
    }

    /// More than a change takes: names are counted as if none were compressed.
    private static func size(of change: RecordChange) -> Int {
        let records = change.expected.reduce(2 * RecordType.allCases.count) { $0 + $1.values.count }
        let data = (change.expected + change.wanted).reduce(0) { sum, set in
            set.values.reduce(sum) { $0 + max(16, $1.utf8.count + 2) }
        }
        let added = change.wanted.reduce(0) { $0 + $1.values.count }
        // Owner, type, class, TTL and the length of the data.
        return (records + added) * (change.name.text.utf8.count + 12) + data
    }

    /// Replaces the expected records by the wanted ones. Deletions come first: a server leaves out a CNAME that is
    /// added beside other records, and what is added beside a CNAME (RFC 2136 section 3.4.2.2), without a word.
    init(making changes: [RecordChange]) {
        prerequisites = changes.flatMap(UpdateMessage.prerequisites)
        self.changes = changes.flatMap { change in
            UpdateMessage.types(of: change).map { "\(change.name). 0 ANY \($0.rawValue)" }
                + change.wanted.flatMap { set in
                    set.lines(of: change.name, timeToLive: set.timeToLive, class: "IN")
                }
        }
    }

    /// Deletes of each name and type a record that is not there, so nothing is changed, and is allowed only to who may
    /// change them.
    ///
    /// Measured with BIND 9.18 and Knot 3.2: an update of prerequisites alone is answered NOERROR even when its key may
    /// not change the name (`update-policy`, `update-owner`), so it proves too little. This one is refused then; where
    /// it is allowed, both leave the serial as it is. Deleting and adding the same would do as well, but for a TTL that
    /// is not the one expected: then both write.
    init(rehearsing changes: [RecordChange]) {
        prerequisites = changes.flatMap(UpdateMessage.prerequisites)
        self.changes = changes.flatMap { change in
            UpdateMessage.types(of: change).map { type in
                "\(change.name). 0 NONE \(type.rawValue) \(type.valueOfNobody)\(type == .cname ? "." : "")"
            }
        }
    }

    private static func types(of change: RecordChange) -> [RecordType] {
        Set((change.expected + change.wanted).map(\.type)).sorted()
    }

    private static func prerequisites(of change: RecordChange) -> [String] {
        RecordType.allCases.flatMap { type -> [String] in
            guard let set = change.expected.first(where: { $0.type == type }) else {
                return ["\(change.name). 0 NONE \(type.rawValue)"]
            }
            return set.lines(of: change.name, timeToLive: 0, class: "IN")
        }
    }
}

extension RecordSet {
    fileprivate func lines(of name: DomainName, timeToLive: Int, class: String) -> [String] {
        values.map { "\(name). \(timeToLive) \(`class`) \(type.rawValue) \($0)\(type == .cname ? "." : "")" }
    }
}

extension RecordType {
    /// A value that no record has.
    var valueOfNobody: String {
        switch self {
        case .a: "0.0.0.0"
        case .aaaa: "::"
        // RFC 2606 section 2.
        case .cname: "rehearsal.invalid"
        }
    }
}
