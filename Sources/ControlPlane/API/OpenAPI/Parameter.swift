import Fleet
import JSON

/// Something that a request says beside its body.
struct Parameter: Sendable {
    enum Place: String, Sendable { case path, query, header }

    /// Its name among the document's components; its own name may mean different things in different paths.
    let component: String
    let name: String
    let place: Place
    let note: String
    let schema: Schema

    init(_ component: String, _ name: String, in place: Place, _ note: String, _ schema: Schema) {
        self.component = component
        self.name = name
        self.place = place
        self.note = note
        self.schema = schema
    }

    var reference: JSONValue { ["$ref": .string("#/components/parameters/\(component)")] }

    var json: JSONValue {
        var object: JSONObject = ["name": .string(name), "in": .string(place.rawValue)]
        if place == .path { object["required"] = true }
        object["description"] = .string(note)
        object["schema"] = schema.json
        return .object(object)
    }
}

// MARK: In paths

extension Parameter {
    static let name = Parameter("Name", "name", in: .path, "The resource's name.", .slug)
    static let zoneName = Parameter("ZoneName", "name", in: .path, "The zone's apex.", .domainName)
    static let failover = Parameter("Failover", "id", in: .path, "A failover's number.", .integer(1...))
    static let version = Parameter("Version", "version", in: .path, "A version's number.", .integer(1...))
    static let other = Parameter("Other", "other", in: .path, "Another version's number.", .integer(1...))
}

// MARK: In queries

extension Parameter {
    static let limit = Parameter(
        "Limit", "limit", in: .query, "How many at most.",
        .integer(Paging.limits).standard(.integer(Paging.usualLimit)))
    static let cursor = Parameter("Cursor", "cursor", in: .query, "What 'next' of the page before said.", .text)
    static let page = [limit, cursor]

    static let customerFilter = Parameter(
        "CustomerFilter", "customer", in: .query, "Only the services of this customer.", .slug)
    static let serverFilter = Parameter(
        "ServerFilter", "server", in: .query, "Only the services that this server carries.", .slug)
    static let flowService = Parameter(
        "FlowServiceFilter", "service", in: .query, "Only the flows of this service.", .slug)
    static let flowClient = Parameter(
        "FlowClientFilter", "client", in: .query,
        "Only flows of clients with this address, or in this prefix.", .text)

    static let dryRun = Parameter(
        "DryRun", "dry_run", in: .query, "Say what would change, and change nothing.", .boolean.standard(false))
    static let wait = Parameter(
        "Wait", "wait", in: .query, "Wait until the servers concerned have applied the change.", .words(["applied"]))
    static let timeout = Parameter(
        "Timeout", "timeout", in: .query, "For how many seconds to wait.",
        .number(ChangeParameters.timeouts).standard(.integer(ChangeParameters.usualTimeout)))
    /// Of every change of the configuration.
    static let change = [dryRun, wait, timeout]

    static let after = Parameter(
        "After", "after", in: .query,
        "The id of an event: what came after it. Without it and Last-Event-ID, what comes from now on.", .eventID)
    static let follow = Parameter(
        "Follow", "follow", in: .query,
        "Whether to wait for what is to come. If not, all events that are known and asked for are answered.",
        .boolean.standard(true))
}

// MARK: In headers

extension Parameter {
    static let lastEventID = Parameter(
        "LastEventID", "Last-Event-ID", in: .header,
        "The id of the event that was seen last. It goes before 'after'.", .eventID)
    static let idempotencyKey = Parameter(
        "IdempotencyKey", "Idempotency-Key", in: .header,
        "The same key and the same body get the same answer again, and create once. Remembered for a day.",
        .text(pattern: "^[!-~]{1,255}$"))
    static let ifMatch = Parameter(
        "IfMatch", "If-Match", in: .header, "Only change the resource when its ETag is this one.", .entityTag)
    static let ifNoneMatch = Parameter(
        "IfNoneMatch", "If-None-Match", in: .header, "Answer 304 when the ETag is still this one.", .entityTag)
}

extension Schema {
    fileprivate static let entityTag = Schema.text(pattern: #"^(\*|"[0-9]+")$"#)
}
