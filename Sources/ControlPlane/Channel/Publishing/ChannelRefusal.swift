/// Why a connection to the channel was refused, or a session was ended for what it did: the label of a metric.
package enum ChannelRefusal: String, CaseIterable, Sendable {
    /// No TLS, an old one, or a certificate that is not of our authority or has expired.
    case handshake
    /// None where one is needed, another server's, or it has expired since.
    case certificate
    case revoked
    /// The first frame did not come, was no Hello, or named a server that there is not.
    case hello
    /// Too long, empty, or no message.
    case frame
    /// A token that is not good, or a request that is not valid.
    case enrollment
    /// There are too many already.
    case crowd
}

/// Which refusals are worth a line in the log: the first of an address and a kind, and then one a minute, with how many
/// were left out. Whoever knocks all night must not fill the disk. Pure; the time is passed in.
package struct RefusalLog {
    private struct Key: Hashable {
        let host: String
        let kind: ChannelRefusal
    }

    private struct Entry {
        var saidAt: ContinuousClock.Instant
        var leftOut = 0
    }

    package private(set) var counts: [ChannelRefusal: UInt64] = [:]
    private var entries: [Key: Entry] = [:]

    static let interval = Duration.seconds(60)
    /// More addresses than this at a time and the oldest are forgotten, so that they may be said again.
    static let mostEntries = 1000

    /// How many pairs of an address and a kind it knows.
    var remembered: Int { entries.count }

    /// Counts a refusal that is said anyway.
    mutating func count(_ kind: ChannelRefusal) { counts[kind, default: 0] += 1 }

    /// Counts a refusal. How many before it went unsaid when it is to be logged; nil when it is not.
    mutating func refused(_ kind: ChannelRefusal, host: String, at now: ContinuousClock.Instant) -> Int? {
        count(kind)
        let key = Key(host: host, kind: kind)
        if let entry = entries[key], now - entry.saidAt < RefusalLog.interval {
            entries[key]?.leftOut += 1
            return nil
        }
        let leftOut = entries[key]?.leftOut ?? 0
        if entries.count >= RefusalLog.mostEntries {
            entries = entries.filter { now - $0.value.saidAt < RefusalLog.interval }
            if entries.count >= RefusalLog.mostEntries { entries.removeAll() }
        }
        entries[key] = Entry(saidAt: now)
        return leftOut
    }
}
