import Channel
import Fleet
import Notices
import ServiceLifecycle
import Store

/// Hands committed changes to the publisher, in the order of their versions.
struct ChangeFeed: ServiceLifecycle.Service {
    let store: Store
    let publisher: SnapshotPublisher
    let events: EventLog

    func run() async {
        for await made in store.changes.cancelOnGracefulShutdown() {
            // First the event, so that the change stands before its refusals.
            events.append(.change, version: made.change.version, author: made.author, detail: made.summary)
            await publisher.publish(made.change)
        }
    }
}
