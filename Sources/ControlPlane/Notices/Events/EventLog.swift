package import Domain
package import FoundationEssentials
import Synchronization

/// The newest events of the fleet, in memory, and those who read them.
///
/// A reader costs no more than its position: it is woken, and reads on from there by itself. One that falls behind by
/// more than is kept is told so, and holds up nobody. What has to outlive this process is in the store: versions and
/// the audit trail.
package final class EventLog: Sendable {
    /// A day of a busy fleet, in a few megabytes.
    package static let mostEvents = 10_000
    /// In Unicode scalars. A refusal can have many long reasons, and the server's status has them all.
    static let longestDetail = 500
    /// Each is a connection of the API, which has 256.
    package static let mostSubscriptions = 64

    private struct State {
        /// The event with number n is at (n - 1) % mostEvents.
        var ring: [FleetEvent] = []
        /// The number of the newest event.
        var last: UInt64 = 0
        var readers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var lastReader: UInt64 = 0
    }

    private let epoch: UInt32
    private let mostEvents: Int
    private let mostSubscriptions: Int
    private let now: @Sendable () -> Date
    private let state = Mutex(State())

    package init(
        epoch: UInt32 = UInt32.random(in: 0...UInt32.max), mostEvents: Int = EventLog.mostEvents,
        mostSubscriptions: Int = EventLog.mostSubscriptions, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.epoch = epoch
        self.mostEvents = max(1, mostEvents)
        self.mostSubscriptions = mostSubscriptions
        self.now = now
    }

    /// Takes note of what has just happened, and wakes those who read.
    package func append(
        _ kind: FleetEvent.Kind, server: ServerName? = nil, version: SnapshotVersion? = nil, author: String? = nil,
        detail: String
    ) {
        let detail = EventLog.bounded(detail)
        let readers = state.withLock { state in
            state.last += 1
            let event = FleetEvent(
                id: EventID(epoch: epoch, number: state.last), at: now(), kind: kind, server: server, version: version,
                author: author, detail: detail)
            if state.ring.count < mostEvents {
                state.ring.append(event)
            } else {
                state.ring[Int((state.last - 1) % UInt64(mostEvents))] = event
            }
            return state.readers
        }
        for reader in readers.values { reader.yield() }
    }

    private static func bounded(_ text: String) -> String {
        guard text.unicodeScalars.count > longestDetail else { return text }
        return String(text.unicodeScalars.prefix(longestDetail - 1)) + "…"
    }

    // MARK: Reading

    /// The first `limit` events after `id`, the oldest first, and whether some in between are not known any more; all
    /// events for nil.
    ///
    /// An ID of another epoch, or one that is yet to come, is not known either: then all events follow it.
    func events(after id: EventID?, atMost limit: Int = EventLog.mostEvents) -> (missed: Bool, events: [FleetEvent]) {
        state.withLock { state in
            let forgotten = state.last - UInt64(state.ring.count)
            var position = forgotten
            var missed = false
            if let id {
                if id.epoch == epoch, (forgotten...state.last).contains(id.number) {
                    position = id.number
                } else {
                    missed = true
                }
            }
            let end = min(state.last, position + UInt64(limit))
            return (missed, (position..<end).map { state.ring[Int($0 % UInt64(mostEvents))] })
        }
    }

    /// The same for somebody who holds `id`: when some are missing in between, an event that says so comes first.
    package func report(after id: EventID?, atMost limit: Int = EventLog.mostEvents) -> [FleetEvent] {
        let (missed, events) = events(after: id, atMost: limit)
        guard missed else { return events }
        // A reader that is cut off behind it goes on where this report would have.
        let before = EventID(epoch: epoch, number: (events.first?.id.number ?? 1) - 1)
        let gap = FleetEvent(
            id: before, at: now(), kind: .gap, server: nil, version: nil, author: nil,
            detail: "events before this one are not known any more: read the resources anew")
        return [gap] + events
    }

    /// Begins to read after `id`, or with the next event for nil. Nil when there are as many readers as there may be.
    package func subscribe(after id: EventID?) -> EventSubscription? {
        let (wakeUps, wakeUp) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let entered = state.withLock { state -> (reader: UInt64, newest: EventID)? in
            guard state.readers.count < mostSubscriptions else { return nil }
            state.lastReader += 1
            state.readers[state.lastReader] = wakeUp
            return (state.lastReader, EventID(epoch: epoch, number: state.last))
        }
        guard let (reader, newest) = entered else { return nil }
        return EventSubscription(log: self, reader: reader, start: id ?? newest, wakeUps: wakeUps, wakeUp: wakeUp)
    }

    package var subscriptionCount: Int { state.withLock { $0.readers.count } }

    /// Forgets a reader, which does so itself when it is let go of.
    func leave(_ reader: UInt64) {
        _ = state.withLock { $0.readers.removeValue(forKey: reader) }
    }
}
