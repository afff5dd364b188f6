import Domain
import Hummingbird
import JSON
import Notices
import Store
import Synchronization

/// Events as they are sent to one reader, for as long as he wants them (WHATWG HTML, "Server-sent events").
///
/// A heartbeat keeps the connection alive where something in between forgets idle ones, and finds out what nothing else
/// would: that the reader is gone without a word, has stopped reading, or may read no more.
struct EventStream: Sendable {
    enum Ending: String, Sendable {
        case shutdown = "the daemon is stopping"
        case forbidden = "its token was deleted"
        case gone = "the reader has gone"
        case stuck = "the reader did not read"
    }

    /// Half of the half minute after which the most impatient proxies cut an idle connection.
    static let usualHeartbeat = Duration.seconds(15)
    /// For how long the reader may leave unread what the kernel has no more room for.
    static let usualPatience = Duration.seconds(15)

    private let subscription: EventSubscription
    private let mayRead: @Sendable () -> Bool
    private let disconnect: @Sendable () -> Void
    private let heartbeat: Duration
    private let patience: Duration
    private let progress = Progress()

    /// `mayRead` is asked before anything is sent, `disconnect` called when what is sent is not read.
    init(
        _ subscription: EventSubscription, mayRead: @escaping @Sendable () -> Bool,
        disconnect: @escaping @Sendable () -> Void, heartbeat: Duration = EventStream.usualHeartbeat,
        patience: Duration = EventStream.usualPatience
    ) {
        self.subscription = subscription
        self.mayRead = mayRead
        self.disconnect = disconnect
        self.heartbeat = heartbeat
        self.patience = patience
    }

    /// Why it has ended, or would end if it did now.
    var ending: String { (progress.ending ?? .gone).rawValue }

    /// Ends it before the next event is sent. The first reason counts.
    func end(_ ending: Ending) {
        progress.end(ending)
        subscription.end()
    }

    /// Sends events until it is ended. Throws when the connection fails.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await beat() }
            defer { group.cancelAll() }
            try await send(EventStream.opening(at: subscription.start), to: &writer)
            for await events in subscription {
                guard progress.ending == nil else { break }
                guard mayRead() else {
                    end(.forbidden)
                    break
                }
                try await send(events.isEmpty ? EventStream.alive : events.map(\.message).joined(), to: &writer)
            }
            try await writer.finish(nil)
        }
    }

    private func send(_ text: String, to writer: inout any ResponseBodyWriter) async throws {
        progress.began(at: .now)
        try await writer.write(ByteBuffer(string: text))
        progress.finished()
    }

    /// Has something sent at every heartbeat, until it is cancelled.
    private func beat() async {
        while (try? await Task.sleep(for: heartbeat)) != nil {
            if progress.isStuck(at: .now, patience: patience) {
                end(.stuck)
                disconnect()
            }
            subscription.beat()
        }
    }
}

/// How a stream stands, as its writer and its heartbeat both see it.
private final class Progress: Sendable {
    private struct State {
        var ending: EventStream.Ending?
        /// When the write began that is not finished yet.
        var writingSince: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    var ending: EventStream.Ending? { state.withLock { $0.ending } }
    func end(_ ending: EventStream.Ending) { state.withLock { $0.ending = $0.ending ?? ending } }
    func began(at now: ContinuousClock.Instant) { state.withLock { $0.writingSince = now } }
    func finished() { state.withLock { $0.writingSince = nil } }

    func isStuck(at now: ContinuousClock.Instant, patience: Duration) -> Bool {
        state.withLock { state in state.writingSince.map { now - $0 >= patience } ?? false }
    }
}

// MARK: As text

extension EventStream {
    /// How long to wait before coming back, and the event to go on behind, so that one cut off before the first event
    /// misses none.
    static func opening(at id: EventID?) -> String {
        "retry: 2000\n" + (id.map { "id: \($0)\n" } ?? "") + "\n"
    }

    /// A comment, which readers skip.
    static let alive = ": alive\n\n"
}

extension FleetEvent {
    /// JSON text has no line ends, so it is one line of data.
    var message: String { "id: \(id)\nevent: \(kind.rawValue)\ndata: \(representation)\n\n" }

    var representation: JSONValue {
        [
            "id": .string(id.description), "at": .string(Timestamp.text(at)), "kind": .string(kind.rawValue),
            "server": server.map { .string($0.text) } ?? .null, "version": version?.json ?? .null,
            "author": author.map { .string($0) } ?? .null, "detail": .string(detail),
        ]
    }
}
