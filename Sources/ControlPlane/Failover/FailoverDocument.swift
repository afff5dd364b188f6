package import DNS
import Domain
package import FoundationEssentials
package import JSON
import Store

/// A failover as JSON: what the store keeps, and most of what the API shows.
extension Failover {
    package var document: JSONObject {
        var document = head
        document["moves"] = .array(moves.map(\.document))
        document["zones"] = .array(zones.map(\.document))
        document["traffic"] = .array(traffic.map(\.document))
        return document
    }

    /// The lists of a failover. The store keeps each element by itself: of a thousand zones one changes at a time.
    enum Part: String, Sendable, CaseIterable { case moves, zones, traffic }

    /// The document without its parts.
    var head: JSONObject {
        [
            "id": .integer(Int(id.number)), "kind": .string(kind.rawValue), "server": .string(server.text),
            "stage": .string(stage.rawValue), "reason": .string(reason), "author": .string(author),
            "at": at.json, "endedAt": endedAt.json, "returnsAt": returnsAt.json,
            "reverses": reverses.map { .integer(Int($0.number)) } ?? .null,
        ]
    }

    /// The parts that are not as they were `before`; all of them when there was nothing. None is ever taken away.
    func parts(since before: Failover?) -> [(part: Part, place: Int, document: JSONValue)] {
        func changed<Element: Equatable>(_ now: [Element], _ before: [Element]?) -> [Int] {
            let before = before ?? []
            return now.indices.filter { $0 >= before.count || now[$0] != before[$0] }
        }
        return changed(moves, before?.moves).map { (.moves, $0, moves[$0].document) }
            + changed(zones, before?.zones).map { (.zones, $0, zones[$0].document) }
            + changed(traffic, before?.traffic).map { (.traffic, $0, traffic[$0].document) }
    }

    init(stored value: JSONValue) throws(StoreFailure) {
        let object = try StoredObject(value)
        self.init(
            id: FailoverID(number: Int64(try object.integer("id"))), kind: try object.choice("kind"),
            server: ServerName(checked: try object.text("server")), reason: try object.text("reason"),
            author: try object.text("author"), at: try object.date("at"),
            returnsAt: try object.optionalDate("returnsAt"),
            reverses: try object.optionalInteger("reverses").map { FailoverID(number: Int64($0)) },
            stage: try object.choice("stage"), endedAt: try object.optionalDate("endedAt"),
            moves: try object.array("moves", Move.init(stored:)),
            zones: try object.array("zones", ZoneWork.init(stored:)),
            traffic: try object.array("traffic", Traffic.init(stored:)))
    }
}

extension Failover.Move {
    fileprivate var document: JSONValue {
        [
            "service": .string(service.text), "from": .string(from.text), "to": .string(to.text),
            "state": .string(state.rawValue),
        ]
    }

    fileprivate init(stored value: JSONValue) throws(StoreFailure) {
        let object = try StoredObject(value)
        self.init(
            service: ServiceName(checked: try object.text("service")),
            from: ServerName(checked: try object.text("from")),
            to: ServerName(checked: try object.text("to")), state: try object.choice("state"))
    }
}

extension Failover.ZoneWork {
    fileprivate var document: JSONValue {
        [
            "zone": .string(zone.text), "state": .string(state.rawValue), "attempts": .integer(attempts),
            "inDoubt": .bool(isInDoubt), "detail": .string(detail), "writtenAt": writtenAt.json,
            "verifiedAt": verifiedAt.json,
            "authorities": .array(
                authorities.map {
                    ["server": .string($0.server), "agreesAt": $0.agreesAt.json, "detail": .string($0.detail)]
                }),
            "records": .array(
                records.map { record in
                    [
                        "service": .string(record.service.text), "name": .string(record.change.name.text),
                        "before": .array(record.change.expected.map(\.json)),
                        "after": .array(record.change.wanted.map(\.json)), "conflict": .bool(record.isConflict),
                    ]
                }),
        ]
    }

    fileprivate init(stored value: JSONValue) throws(StoreFailure) {
        let object = try StoredObject(value)
        self.init(
            zone: try object.domain("zone"),
            records: try object.array("records") { value throws(StoreFailure) in
                let record = try StoredObject(value)
                return Failover.SteeredRecord(
                    service: ServiceName(checked: try record.text("service")),
                    change: RecordChange(
                        name: try record.domain("name"), expected: try record.array("before", RecordSet.init(stored:)),
                        wanted: try record.array("after", RecordSet.init(stored:))),
                    isConflict: try record.bool("conflict"))
            },
            state: try object.choice("state"), attempts: try object.integer("attempts"),
            isInDoubt: try object.bool("inDoubt"), detail: try object.text("detail"),
            writtenAt: try object.optionalDate("writtenAt"), verifiedAt: try object.optionalDate("verifiedAt"),
            authorities: try object.array("authorities") { value throws(StoreFailure) in
                let authority = try StoredObject(value)
                return Failover.Agreement(
                    server: try authority.text("server"), agreesAt: try authority.optionalDate("agreesAt"),
                    detail: try authority.text("detail"))
            })
    }
}

extension Failover.Traffic {
    fileprivate var document: JSONValue {
        let all = toTarget &+ toOrigin
        return [
            "service": .string(service.text), "toStandby": .integer(Int(clamping: toTarget)),
            "toFailed": .integer(Int(clamping: toOrigin)),
            "share": all == 0 ? .null : .number(Double(toTarget) / Double(all)), "lastToFailedAt": lastToOrigin.json,
        ]
    }

    fileprivate init(stored value: JSONValue) throws(StoreFailure) {
        let object = try StoredObject(value)
        self.init(
            service: ServiceName(checked: try object.text("service")),
            toTarget: UInt64(clamping: try object.integer("toStandby")),
            toOrigin: UInt64(clamping: try object.integer("toFailed")),
            lastToOrigin: try object.optionalDate("lastToFailedAt"))
    }
}

extension RecordSet {
    /// `CNAME 5 za1.dfree.test`: type, TTL and values.
    package var text: String { "\(type.rawValue) \(timeToLive) \(values.joined(separator: " "))" }

    /// Whether `text` can be read back, and the records be written again.
    var isPlain: Bool { !values.isEmpty && values.allSatisfy { !$0.isEmpty && !$0.contains(" ") } }

    fileprivate var json: JSONValue { .string(text) }

    fileprivate init(stored value: JSONValue) throws(StoreFailure) {
        guard case .string(let text) = value else { throw .damaged("a record set is \(value.kind)") }
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count > 2, let type = RecordType(rawValue: parts[0]), let timeToLive = Int(parts[1]) else {
            throw .damaged("a record set is '\(text)'")
        }
        self.init(type, timeToLive: timeToLive, values: Array(parts.dropFirst(2)))
    }
}

extension TimelineEntry {
    var document: JSONValue {
        [
            "at": at.json, "kind": .string(kind.rawValue), "detail": .string(detail),
            "evidence": .array(
                evidence.map {
                    [
                        "vantage": .string($0.vantage), "outcome": .string($0.outcome),
                        "misses": .integer($0.misses), "detail": .string($0.detail), "at": $0.at.json,
                    ]
                }),
        ]
    }
}

extension Date {
    package var json: JSONValue { .string(Timestamp.text(self)) }
}

extension Optional where Wrapped == Date {
    var json: JSONValue { map(\.json) ?? .null }
}

/// Reads the members of a JSON object that the store wrote itself. A member of another form is damage.
struct StoredObject {
    private let object: JSONObject

    init(_ value: JSONValue) throws(StoreFailure) {
        guard let object = value.object else { throw .damaged("expected an object where there is \(value.kind)") }
        self.object = object
    }

    private func wrong(_ key: String) -> StoreFailure {
        .damaged("the member '\(key)' is \(object[key]?.kind ?? "missing")")
    }

    func text(_ key: String) throws(StoreFailure) -> String {
        guard case .string(let text)? = object[key] else { throw wrong(key) }
        return text
    }

    func integer(_ key: String) throws(StoreFailure) -> Int {
        guard case .integer(let number)? = object[key] else { throw wrong(key) }
        return number
    }

    func bool(_ key: String) throws(StoreFailure) -> Bool {
        guard case .bool(let bool)? = object[key] else { throw wrong(key) }
        return bool
    }

    func optionalInteger(_ key: String) throws(StoreFailure) -> Int? {
        object[key] ?? .null == .null ? nil : try integer(key)
    }

    func date(_ key: String) throws(StoreFailure) -> Date {
        guard let date = Timestamp.date(try text(key)) else { throw wrong(key) }
        return date
    }

    func optionalDate(_ key: String) throws(StoreFailure) -> Date? {
        object[key] ?? .null == .null ? nil : try date(key)
    }

    func domain(_ key: String) throws(StoreFailure) -> DomainName {
        do {
            return try DomainName(try text(key))
        } catch {
            throw wrong(key)
        }
    }

    func choice<Choice: RawRepresentable<String>>(_ key: String) throws(StoreFailure) -> Choice {
        guard let choice = Choice(rawValue: try text(key)) else { throw wrong(key) }
        return choice
    }

    func array<Element>(
        _ key: String, _ make: (JSONValue) throws(StoreFailure) -> Element
    ) throws(StoreFailure) -> [Element] {
        guard case .array(let values)? = object[key] else { throw wrong(key) }
        var elements: [Element] = []
        for value in values { elements.append(try make(value)) }
        return elements
    }
}
