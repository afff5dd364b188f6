import Synchronization

/// One reader of the event log: a position in it. For one iteration.
///
/// Its elements are the events since the one before, never so many that they would be long in the writing. One without
/// events is a heartbeat.
package final class EventSubscription: AsyncSequence, Sendable {
    private struct State {
        var position: EventID
        var isBeatDue = false
    }

    /// Some hundred kilobytes at most.
    static let largestBatch = 100

    /// Where it began: the event that its reader has already, or the newest there was.
    package let start: EventID
    private let log: EventLog
    private let reader: UInt64
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation
    private let state: Mutex<State>

    init(
        log: EventLog, reader: UInt64, start: EventID, wakeUps: AsyncStream<Void>,
        wakeUp: AsyncStream<Void>.Continuation
    ) {
        self.log = log
        self.reader = reader
        self.start = start
        self.wakeUps = wakeUps
        self.wakeUp = wakeUp
        state = Mutex(State(position: start))
    }

    deinit { log.leave(reader) }

    /// Has the reader come round, with no events if there are none.
    package func beat() {
        state.withLock { $0.isBeatDue = true }
        wakeUp.yield()
    }

    /// Ends the sequence, after the events that there are.
    package func end() { wakeUp.finish() }

    /// What the reader is to have now; nil when it is to wait.
    fileprivate func drain() -> [FleetEvent]? {
        state.withLock { state in
            let events = log.report(after: state.position, atMost: EventSubscription.largestBatch)
            let isBeatDue = state.isBeatDue
            state.isBeatDue = false
            if let last = events.last { state.position = last.id }
            return events.isEmpty && !isBeatDue ? nil : events
        }
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let subscription: EventSubscription
        fileprivate var wakeUps: AsyncStream<Void>.Iterator

        package mutating func next() async -> [FleetEvent]? {
            while true {
                // Before it waits: what came before a wake-up could be waited for is there.
                if let events = subscription.drain() { return events }
                guard await wakeUps.next() != nil else { return nil }
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(subscription: self, wakeUps: wakeUps.makeAsyncIterator())
    }
}
