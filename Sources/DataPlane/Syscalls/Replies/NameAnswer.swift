public import Domain

/// Why DNS said nothing about a name.
public enum NameFailure: String, Sendable, CaseIterable {
    case timedOut = "no answer in time"
    /// Nobody listens there, or no packet gets there.
    case unreachable = "no name server can be reached"
    case serverFailure = "the name server failed"
    case refused = "the name server refused to answer"
    case malformed = "the answer makes no sense"
    /// This process had no memory or no socket for it.
    case ours = "this process could not ask"
}

/// What DNS said about the addresses of a name in one family.
public enum NameAnswer: Sendable, Equatable {
    /// Addresses, in the order of the answer, and for how many seconds they hold: the least TTL of the addresses and of
    /// every CNAME on the way to them, as the server said it.
    case addresses([Address], seconds: UInt32)
    /// The name does not exist, or has no addresses of this family: an answer, if not a welcome one.
    case nothing(String)
    /// There was no answer to be had.
    case failed(NameFailure)
}
