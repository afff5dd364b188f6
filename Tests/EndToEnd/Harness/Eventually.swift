import Foundation
import Glibc

/// The monotonic clock.
func now() -> ContinuousClock.Instant { ContinuousClock.now }

/// How long a test waits for a fact. Only a fault takes so long, however slow the machine is and whatever else it does.
/// How long the fact took is a `figure`.
let patience = Duration.seconds(240)

/// Asks again until `condition` holds, and throws when it does not in time.
func eventually(
    _ what: String, within limit: Duration = patience, every interval: Duration = .milliseconds(20),
    _ condition: () throws -> Bool
) throws {
    let deadline = now() + limit
    while true {
        if try condition() { return }
        guard now() < deadline else { throw Failure("not within \(limit): \(what)") }
        pause(interval)
    }
}

/// Asks again until there is an answer, and throws when there is none in time.
func eventually<Value>(
    _ what: String, within limit: Duration = patience, every interval: Duration = .milliseconds(20),
    _ answer: () throws -> Value?
) throws -> Value {
    var found: Value?
    try eventually(what, within: limit, every: interval) {
        found = try answer()
        return found != nil
    }
    guard let found else { throw Failure(what) }
    return found
}

/// The beat of a polling loop, and the length of a load; never a wait for something to have happened.
func pause(_ duration: Duration) { usleep(UInt32(max(0, duration.milliseconds) * 1000)) }

extension Duration {
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
