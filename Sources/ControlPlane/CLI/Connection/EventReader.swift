import JSON
import NIOCore

/// Reads the events of the fleet from the API.
struct EventReader {
    let client: APIClient
    /// The event to begin behind. Nil for all that are known, or, when following, for those to come.
    let after: String?

    /// The control plane says something every 15 seconds.
    static let longestSilence = Duration.seconds(45)
    private static let longestPause = Duration.seconds(10)

    /// Hands over the events that there are.
    func read(_ take: (JSONValue) throws -> Void) async throws {
        var parser = ServerSentEvents()
        var call = self.call
        call.query.append(("follow", "false"))
        try await client.stream(call) { piece in
            for event in try parser.take(piece.readableBytesView) { try take(EventReader.value(of: event)) }
        }
    }

    /// Hands over events as they happen, for ever. Where the stream is cut off it is opened again, and goes on behind
    /// the last event; that it was cut off is said once. A first one that cannot be opened at all is a failure.
    func follow(_ take: (JSONValue) throws -> Void) async throws {
        var lastID: String?
        var pause = Duration.seconds(2)
        var hasBegun = false
        var failures = 0
        while true {
            var parser = ServerSentEvents()
            var call = self.call
            call.lastEventID = lastID
            let why: String
            do {
                try await client.stream(call) { piece in
                    hasBegun = true
                    failures = 0
                    for event in try parser.take(piece.readableBytesView) { try take(EventReader.value(of: event)) }
                    lastID = parser.lastID ?? lastID
                }
                why = "the API at \(client.base) has ended the stream of events."
            } catch Failure.unreachable(let reason) where hasBegun {
                why = reason
            }
            if failures == 0 { say("ddirect: \(why) Until it is back, it is tried again.") }
            failures += 1
            pause = max(parser.retry ?? pause, .milliseconds(100))
            // Spread out, since all who followed lost it at the same moment.
            let spread = Double.random(in: 0.5...1)
            try await Task.sleep(for: min(pause * (1 << min(failures - 1, 3)), EventReader.longestPause) * spread)
        }
    }

    private var call: Call {
        var call = Call(.get, "events")
        if let after { call.query.append(("after", after)) }
        return call
    }

    private static func value(of event: ServerSentEvents.Event) throws -> JSONValue {
        guard let value = try? JSONValue.parse(event.data.utf8) else {
            throw Failure.broken("the API sent an event that is no JSON; is ddirect older than ddirect-control?")
        }
        return value
    }
}
