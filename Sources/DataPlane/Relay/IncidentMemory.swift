import Syscalls

/// When each kind of incident of each service was last logged, and how often it was left out since. Pure; time is
/// passed in, in milliseconds.
///
/// A line is a service's and a kind's: a noisy service hides no line of another one. The memory is fixed. When it is
/// full of services that are noisy at the same time, the one that was logged longest ago is forgotten.
struct IncidentMemory: Sendable {
    /// One line a second for each service and kind.
    static let interval: UInt64 = 1000
    /// Ways of a set: so many services may fall on one place before one is forgotten.
    private static let ways: Int32 = 4
    /// 1024 sets: some hundred services can be noisy in all kinds at once. 96 KiB, touched only where something
    /// happens.
    private static let sets: Int32 = 1024

    private struct Entry: BitwiseCopyable {
        /// 0 for a free place.
        var key: UInt64
        var logged: UInt64
        var leftOut: UInt64
    }

    private let entries: Slab<Int32, Entry>

    init() throws(SystemCallError) { entries = try Slab(capacity: Int(IncidentMemory.sets * IncidentMemory.ways)) }

    /// How many of this kind were left out since the last line, when there is to be a line now; nil when there is to be
    /// none.
    func admit(_ incident: Incident, service: Int32, now: UInt64) -> UInt64? {
        let key = UInt64(UInt32(bitPattern: service)) << 8 | UInt64(incident.rawValue & 0x7F) | 0x80
        let mixed = key &* 0x9E37_79B9_7F4A_7C15
        let first = (Int32(truncatingIfNeeded: mixed >> 48) & (IncidentMemory.sets &- 1)) &* IncidentMemory.ways
        var oldest = first
        for place in first..<first &+ IncidentMemory.ways {
            if entries[place].key == key {
                guard now >= entries[place].logged &+ IncidentMemory.interval else {
                    entries[place].leftOut &+= 1
                    return nil
                }
                let leftOut = entries[place].leftOut
                entries[place].logged = now
                entries[place].leftOut = 0
                return leftOut
            }
            if entries[place].key == 0 {
                oldest = place
                break
            }
            if entries[place].logged < entries[oldest].logged { oldest = place }
        }
        entries[oldest] = Entry(key: key, logged: now, leftOut: 0)
        return 0
    }
}
