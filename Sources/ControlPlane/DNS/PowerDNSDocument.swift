import Domain
import JSON

/// The JSON of PowerDNS's API, made and read.
enum PowerDNSDocument {
    /// What some names of a zone say at a serial.
    struct State: Hashable, Sendable {
        let serial: Int
        /// How the zone's serial is made anew with each change by the API (`soa_edit_api`); nil when it is left as it
        /// is.
        let edit: String?
        let sets: [DomainName: [RecordSet]]

        func agrees(with name: DomainName, _ expected: [RecordSet]) -> Bool {
            (sets[name] ?? []).agrees(with: expected)
        }

        /// The older serial of two, since what is newer than that may not have been seen.
        func joined(with other: State) -> State {
            State(serial: min(serial, other.serial), edit: edit, sets: sets.merging(other.sets) { first, _ in first })
        }

        /// Whether one change, and no more, can have made this serial into that of `after`.
        ///
        /// By default it is the day and a number (`2026030901`), or the next number when it is at that already;
        /// `INCREASE` counts on. `EPOCH` takes the time, of which two changes in one second make one, and without any
        /// of them serials say nothing.
        func isFollowed(by after: State) -> Bool {
            switch edit?.uppercased() {
            case "DEFAULT", "INCREASE", "SOA-EDIT", "SOA-EDIT-INCREASE":
                after.serial == serial || after.serial == serial &+ 1
                    || after.serial > serial && after.serial % 100 == 1
            default: after.serial >= serial
            }
        }
    }

    /// All changes in one: deletions first, so that a CNAME never meets what it may not stand beside.
    static func patch(_ changes: [RecordChange]) -> JSONValue {
        let deletions = changes.flatMap { change in
            Set(change.expected.map(\.type)).subtracting(change.wanted.map(\.type)).sorted().map { type -> JSONValue in
                ["name": .string("\(change.name)."), "type": .string(type.rawValue), "changetype": "DELETE"]
            }
        }
        let replacements = changes.flatMap { change in
            change.wanted.map { set -> JSONValue in
                [
                    "name": .string("\(change.name)."), "type": .string(set.type.rawValue),
                    "ttl": .integer(set.timeToLive), "changetype": "REPLACE",
                    "records": .array(
                        set.values.map { ["content": .string(set.type == .cname ? "\($0)." : $0), "disabled": false] }),
                ]
            }
        }
        return ["rrsets": .array(deletions + replacements)]
    }

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads a zone, or the part of it that the name was asked for. Releases before 4.6 give all of it.
    static func state(_ octets: [UInt8], of name: DomainName) throws -> State {
        let zone = try JSONValue.parse(octets)
        guard let serial = zone["serial"].integer, case .array(let all) = zone["rrsets"] else {
            throw Unreadable(description: "a zone has 'serial' and 'rrsets'")
        }
        let sets = try all.compactMap { set -> RecordSet? in
            guard let owner = set["name"].text, let type = set["type"].text, case .array(let records) = set["records"]
            else { throw Unreadable(description: "a record set has 'name', 'type' and 'records'") }
            guard owner.withoutFinalDot == name.text, let type = RecordType(rawValue: type) else { return nil }
            let values = records.compactMap { record in
                record["disabled"] == true ? nil : record["content"].text.map(type.canonical)
            }
            guard !values.isEmpty else { return nil }
            return RecordSet(type, timeToLive: set["ttl"].integer ?? 0, values: values)
        }
        let edit = zone["soa_edit_api"].text.flatMap { $0.isEmpty ? nil : $0 }
        return State(serial: serial, edit: edit, sets: [name: sets.sorted { $0.type < $1.type }])
    }

    /// The sentence of an error, if there is one.
    static func error(_ octets: [UInt8]) -> String? {
        (try? JSONValue.parse(octets))?["error"].text?.asOneLine
    }
}
