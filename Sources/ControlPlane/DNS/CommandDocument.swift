import Domain
import JSON

/// What an executable that changes zones is told, and says.
///
///     {"operation":"present","zone":"acme.test","names":["app.acme.test"]}
///       → {"present":{"app.acme.test":[{"type":"CNAME","ttl":5,"values":["za1.dfree.test"]}]}}
///     {"operation":"apply","zone":"acme.test","changes":[{"name":"app.acme.test","expected":[{"type":…}],"wanted":[{"type":…}]}]}
///       → {"outcome":"done"}, or {"outcome":"conflict","present":{…}} when something else is there than expected, and nothing was changed
///
/// `rehearse` is told and says what `apply` does, and changes nothing. Names are without the final dot, times in
/// seconds.
enum CommandDocument {
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    static func present(_ zone: DomainName, _ names: [DomainName]) -> JSONValue {
        ["operation": "present", "zone": .string(zone.text), "names": .array(names.map { .string($0.text) })]
    }

    static func change(_ zone: DomainName, _ changes: [RecordChange], isRehearsal: Bool) -> JSONValue {
        [
            "operation": isRehearsal ? "rehearse" : "apply", "zone": .string(zone.text),
            "changes": .array(
                changes.map { change in
                    [
                        "name": .string(change.name.text), "expected": .array(change.expected.map(document)),
                        "wanted": .array(change.wanted.map(document)),
                    ]
                }),
        ]
    }

    private static func document(_ set: RecordSet) -> JSONValue {
        [
            "type": .string(set.type.rawValue), "ttl": .integer(set.timeToLive),
            "values": .array(set.values.map(JSONValue.string)),
        ]
    }

    /// What every name says; one that is not mentioned was not looked at, and that is a failure.
    static func readPresent(_ octets: [UInt8], _ names: [DomainName]) throws -> [DomainName: [RecordSet]] {
        let present = try sets(in: object(octets))
        if let missing = names.first(where: { present[$0] == nil }) {
            throw Unreadable(
                description: "'present' has no \(missing); expected all names, those without records as []")
        }
        return present
    }

    static func readOutcome(_ octets: [UInt8]) throws -> ZoneOutcome {
        let object = try object(octets)
        switch object["outcome"] {
        case "done"?: return .done
        case "conflict"?: return .conflict(present: try sets(in: object))
        default:
            throw Unreadable(
                description:
                    "'outcome' is \(object["outcome"]?.description.asOneLine ?? "missing"); expected done or conflict")
        }
    }

    // MARK: -

    private static func object(_ octets: [UInt8]) throws -> JSONObject {
        guard let object = try JSONValue.parse(octets).object else {
            throw Unreadable(description: "its output is no JSON object")
        }
        return object
    }

    private static func sets(in object: JSONObject) throws -> [DomainName: [RecordSet]] {
        guard let names = object["present"]?.object else {
            throw Unreadable(description: "'present' is no object of names")
        }
        var present: [DomainName: [RecordSet]] = [:]
        for key in names.keys {
            guard case .array(let sets)? = names[key] else {
                throw Unreadable(description: "'\(key.asOneLine)' is no array of record sets")
            }
            present[try DomainName(key)] = try sets.map(recordSet).sorted { $0.type < $1.type }
        }
        return present
    }

    private static func recordSet(_ value: JSONValue) throws -> RecordSet {
        guard let set = value.object, case .string(let type)? = set["type"], let type = RecordType(rawValue: type),
            case .integer(let seconds)? = set["ttl"], seconds >= 0, case .array(let values)? = set["values"]
        else {
            throw Unreadable(
                description: "a record set is not {\"type\":\"A|AAAA|CNAME\",\"ttl\":SECONDS,\"values\":[…]}")
        }
        let texts = try values.map { value in
            guard case .string(let text) = value else {
                throw Unreadable(description: "a value is \(value.kind); expected a string")
            }
            return type.canonical(text)
        }
        return RecordSet(type, timeToLive: seconds, values: texts)
    }
}
