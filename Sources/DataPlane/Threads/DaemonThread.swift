/// One of the threads that this process is made of, and what it means when one of them is no more.
struct DaemonThread: Sendable {
    /// What a process is without it.
    enum Loss: Sendable {
        /// Something that traffic needs is missing, now or as soon as anything changes. This server is not ready, and
        /// the watchdog is not fed any more: the service manager starts the process anew, which is all that mends it.
        case ofTraffic
        /// Traffic goes on as before, and a new start would cut it. This process says that it is unhealthy, and the
        /// operator chooses the moment.
        case ofService
    }

    /// At most 15 characters, as `top -H` shows it.
    let name: String
    let loss: Loss
    /// What does not happen any more without it, in words for the operator: "endpoint names are not resolved".
    let consequence: String
    /// How many rounds it has made; nil for one that cannot be seen to be stuck.
    var rounds: (@Sendable () -> UInt64)?
    /// Without a round for so long it counts as stuck. Longer than the longest that it may ever be busy with one thing.
    var patience: Duration = .seconds(10)
    let run: @Sendable () throws -> Void
    /// Has `run` return soon. Called once, on another thread.
    let stop: @Sendable () -> Void
}
