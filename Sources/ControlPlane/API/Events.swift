import Access
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Notices
import ServiceLifecycle

/// What happens in the fleet, for those who watch.
struct EventRoutes: Routes {
    let events: EventLog
    let authentication: BearerAuthentication
    let logger: Logger

    var operations: [Operation] {
        [
            Operation(.get, "/api/v1/events", needs: .readEvents, .followEvents) { try await show($0) }
        ]
    }

    private func show(_ request: APIRequest) async throws -> Response {
        let after = try Self.position(request)
        switch request.query["follow"] {
        case "false":
            let text = EventStream.opening(at: after) + events.report(after: after).map(\.message).joined()
            return .events(ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case nil, "true": return try follow(after, request)
        case .some(let text):
            throw Problem(.invalidParameter, "follow is '\(text.prefix(80))'; expected true or false.")
        }
    }

    /// The event that the reader has already. The header is what a browser sends by itself, to the address that it has,
    /// when it comes back.
    private static func position(_ request: APIRequest) throws(Problem) -> EventID? {
        let header = request.headers[.lastEventID]
        guard let text = header ?? request.query["after"] else { return nil }
        guard let id = EventID(text) else {
            throw Problem(
                .invalidParameter,
                "\(header == nil ? "after" : "Last-Event-ID") is '\(text.prefix(80))'; expected the id of an event, such as "
                    + "5f3a91c2-17, or none.")
        }
        return id
    }

    private func follow(_ after: EventID?, _ request: APIRequest) throws(Problem) -> Response {
        // From here on, so that nothing is lost until the body is asked for. Where it never is, the subscription goes
        // with the response.
        guard let subscription = events.subscribe(after: after) else {
            throw Problem(
                .unavailable,
                "There are \(events.subscriptionCount) readers of events already; expected fewer. Try again later.",
                headers: [.retryAfter: "30"])
        }
        let stream = EventStream(
            subscription,
            mayRead: {
                guard let caller = try? authentication.caller(by: request.headers) else { return false }
                return caller.name == request.author && caller.may(.readEvents)
            },
            disconnect: { request.connection.close(promise: nil) })
        return .events(
            ResponseBody { writer in
                let began = ContinuousClock.now
                defer {
                    logger.info(
                        "Event stream ended",
                        metadata: [
                            "author": "\(request.author)", "reason": "\(stream.ending)",
                            "seconds": "\((ContinuousClock.now - began).components.seconds)",
                        ])
                }
                // The connection's task is one of the API server's, so it hears of a shutdown as that does.
                try await withGracefulShutdownHandler {
                    try await request.whileConnected {
                        try await stream.write(to: &writer)
                    } onClose: {
                        stream.end(.gone)
                    }
                } onGracefulShutdown: {
                    stream.end(.shutdown)
                    // A reader that reads has the end by then. One that does not must not hold up the shutdown.
                    request.connection.eventLoop.scheduleTask(in: .seconds(1)) {
                        request.connection.close(promise: nil)
                    }
                }
            })
    }
}

extension Response {
    fileprivate static func events(_ body: ResponseBody) -> Response {
        Response(
            status: .ok,
            // nginx would otherwise keep events back until it has a buffer full.
            headers: [.contentType: "text/event-stream", .accelBuffering: "no"], body: body)
    }
}
