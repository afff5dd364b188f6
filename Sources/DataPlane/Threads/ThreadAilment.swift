/// What is wrong with a thread of this process.
struct ThreadAilment: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// Without having been told to. Why, and what does not happen any more.
        case ended(String, String)
        case stuck
    }

    let thread: String
    let loss: DaemonThread.Loss
    let kind: Kind

    var isOfTraffic: Bool { loss == .ofTraffic }

    /// One sentence without its full stop, for people.
    var text: String {
        switch kind {
        case .ended(let reason, let consequence): "Thread \(thread) has ended (\(reason)): \(consequence)"
        case .stuck: "Thread \(thread) makes no progress"
        }
    }
}
