import Synchronization

/// How many requests were answered, by the class of their status, and how long that took.
package final class RequestCounters: Sendable {
    package struct Reading: Sendable {
        /// 1xx to 5xx.
        var byClass = [UInt64](repeating: 0, count: 5)
        var seconds = 0.0
    }

    private let reading = Mutex(Reading())

    package init() {}

    func count(status: Int, took: Duration) {
        reading.withLock { reading in
            reading.byClass[max(0, min(4, status / 100 - 1))] += 1
            reading.seconds += took.milliseconds / 1000
        }
    }

    var now: Reading { reading.withLock { $0 } }
}
