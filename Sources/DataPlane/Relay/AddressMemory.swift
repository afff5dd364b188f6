import Domain
import Syscalls

/// Which addresses of endpoints could lately not be connected to, so that the next dial tries the others first. Pure;
/// time is passed in, in milliseconds.
///
/// A hint: one that is forgotten, or remembered of another address by a rare coincidence, costs an attempt and nothing
/// else. The memory is fixed, so that no number of dead endpoints grows it.
struct AddressMemory: Sendable {
    /// Half a minute: a machine that restarts is away for about as long.
    static let lasts: UInt64 = 30_000
    /// 64 KiB, touched only where something fails.
    private static let places: Int32 = 4096

    private struct Entry: BitwiseCopyable {
        var key: UInt64
        /// 0 for a free place.
        var until: UInt64
    }

    private let entries: Slab<Int32, Entry>
    private let seed: UInt64

    init(seed: UInt64) throws(SystemCallError) {
        entries = try Slab(capacity: Int(AddressMemory.places))
        self.seed = seed
    }

    func failed(_ peer: TransportAddress, now: UInt64) {
        let key = key(peer)
        entries[place(key)] = Entry(key: key, until: now &+ AddressMemory.lasts)
    }

    func connected(_ peer: TransportAddress) {
        let key = key(peer)
        if entries[place(key)].key == key { entries[place(key)].until = 0 }
    }

    func hasFailed(_ peer: TransportAddress, now: UInt64) -> Bool {
        let key = key(peer)
        let entry = entries[place(key)]
        return entry.key == key && now < entry.until
    }

    private func place(_ key: UInt64) -> Int32 { Int32(truncatingIfNeeded: key >> 40) & (AddressMemory.places &- 1) }

    /// Nobody who does not know the seed can choose addresses that share a place.
    private func key(_ peer: TransportAddress) -> UInt64 {
        let bits = peer.address.bits
        var mixed = seed ^ UInt64(truncatingIfNeeded: bits)
        mixed = (mixed ^ mixed >> 29) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= UInt64(truncatingIfNeeded: bits >> 64) ^ UInt64(peer.port) << 48
        mixed = (mixed ^ mixed >> 32) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
