package import Domain

/// The types of records that steer traffic.
package enum RecordType: String, Hashable, Sendable, CaseIterable, Comparable {
    case a = "A"
    case aaaa = "AAAA"
    case cname = "CNAME"

    package static func < (left: RecordType, right: RecordType) -> Bool { left.rawValue < right.rawValue }
}

/// All records of one name and type (RFC 2181 section 5), which change as a whole.
package struct RecordSet: Hashable, Sendable {
    package let type: RecordType
    /// In seconds. It plays no part where record sets are compared: a resolver's copy has another TTL.
    package let timeToLive: Int
    /// Sorted; addresses in their canonical form, names in lower case and without the final dot.
    package let values: [String]

    package init(_ type: RecordType, timeToLive: Int, values: [String]) {
        self.type = type
        self.timeToLive = timeToLive
        self.values = values.sorted()
    }

    /// Whether both have the same type and values. Their TTLs may differ.
    package func agrees(with other: RecordSet) -> Bool { type == other.type && values == other.values }
}

/// What one name says, and what it is to say: its record sets of the types above, at most one of each.
package struct RecordChange: Hashable, Sendable {
    package let name: DomainName
    /// What must be there, or nothing is changed. A type that is not named must have no records. Values count, TTLs do
    /// not.
    package let expected: [RecordSet]
    /// Never empty: a name is not to be left without an answer.
    package let wanted: [RecordSet]

    package init(name: DomainName, expected: [RecordSet], wanted: [RecordSet]) {
        self.name = name
        self.expected = expected
        self.wanted = wanted
    }
}

/// What became of the changes of one zone. They are made all together or not at all.
package enum ZoneOutcome: Hashable, Sendable {
    case done
    /// Something else is there than was expected, by name; nothing was changed.
    case conflict(present: [DomainName: [RecordSet]])
}

/// Why a zone could not be read or changed. Nothing is known to have been changed; `mayHaveHappened` says whether it
/// may have been.
package struct DNSFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// No answer in time, or no connection: worth trying again.
        case unreachable
        /// It answers, and cannot now: worth trying again.
        case unavailable
        /// The credential is missing or not accepted.
        case unauthorized
        /// It will not, and asking again does not help.
        case refused
    }

    package let kind: Kind
    package let reason: String
    package var mayHaveHappened = false

    package init(kind: Kind, reason: String, mayHaveHappened: Bool = false) {
        self.kind = kind
        self.reason = reason
        self.mayHaveHappened = mayHaveHappened
    }

    package var description: String { reason }
}

/// Changes a zone on our behalf. Every wait in it has a deadline.
package protocol DNSProvider: Sendable {
    /// What the names say now, at the source and not in a cache: all sets of the types above, by type. A name that says
    /// nothing has an empty array. Something else than plain records, such as an alias, is a set with a value that
    /// nobody expects.
    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]]

    /// Makes the changes if everything that they expect is there. A name is never without an answer on the way.
    ///
    /// More names than one request has room for, some hundred, are made in several, each of them all together or not at
    /// all.
    ///
    /// Throws a ``DNSFailure``. After one that may have happened, or a conflict, the caller reads what is there: it may
    /// be what it wanted.
    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome

    /// The same question, with the same credential, and nothing is changed, not even a serial: whether `apply` would be
    /// done now. How much that proves is for each provider to say.
    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome
}

extension [RecordSet] {
    /// Whether both say the same, whatever the TTLs.
    package func agrees(with others: [RecordSet]) -> Bool {
        count == others.count && allSatisfy { set in others.contains { $0.agrees(with: set) } }
    }
}
