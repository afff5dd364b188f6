import Fleet
import Notices

/// For events.
extension OperationDescription {
    static let followEvents = OperationDescription(
        id: "followEvents", summary: "Tells what happens in the fleet, as server-sent events (WHATWG HTML)",
        note: "Each event has an id, its kind as 'event', and an Event as 'data'. "
            + "A comment comes every 15 seconds. After a gap, resources should be read anew.",
        parameters: [.after, .follow, .lastEventID],
        answers: [.init(200, "The events, the oldest first", type: "text/event-stream", .text)])
}

extension Schema {
    static let eventID = Schema.named(
        "EventID", .text(pattern: "^[0-9a-f]{8}-(0|[1-9][0-9]*)$").examples("5f3a91c2-17"))

    static let event = Schema.named(
        "Event",
        .object([
            "id": eventID, "at": .timestamp, "kind": .words(of: FleetEvent.Kind.self), "server": .text.orNull(),
            "version": .integer.orNull(), "author": .text.orNull(), "detail": .text,
        ]))
}
