import Domain
import Syscalls

/// The `allow` and `deny` lists of all services, laid out for looking up: sorted ranges that neither overlap nor touch,
/// so a look-up is a binary search of ten steps at most, and allocates nothing.
///
/// Services with equal lists (the address pools of one MNO, most often) share them.
struct AccessLists: BitwiseCopyable, Sendable {
    /// Addresses from `low` to `high`, both included.
    struct Range<Bits: FixedWidthInteger & BitwiseCopyable & Sendable>: BitwiseCopyable, Sendable, Equatable {
        var low: Bits
        var high: Bits
    }

    /// Where the ranges of one list and one family are.
    struct Run: BitwiseCopyable, Sendable {
        var first: Int32 = 0
        var count: Int32 = 0
    }

    /// The lists of one service.
    struct Pair: BitwiseCopyable, Sendable {
        var allowIPv4 = Run()
        var allowIPv6 = Run()
        var denyIPv4 = Run()
        var denyIPv6 = Run()
        /// Whether there is anything to allow, of either family: then what is in no such range is refused.
        var allowsSome = false
    }

    /// What `Route.access` is when a service takes connections from everywhere.
    static let open: Int32 = -1

    private let pairs: FrozenArray<Pair>
    private let ipv4: FrozenArray<Range<UInt32>>
    private let ipv6: FrozenArray<Range<UInt128>>

    fileprivate init(pairs: [Pair], ipv4: [Range<UInt32>], ipv6: [Range<UInt128>]) {
        self.pairs = FrozenArray(pairs)
        self.ipv4 = FrozenArray(ipv4)
        self.ipv6 = FrozenArray(ipv6)
    }

    /// Gives the memory back. Nothing may be looked up afterwards.
    func free() {
        pairs.free()
        ipv4.free()
        ipv6.free()
    }

    /// Whether the lists with the number `access` let `client` in.
    func admits(_ client: Address, by access: Int32) -> Bool {
        guard access >= 0 else { return true }
        let pair = pairs[Int(access)]
        switch client.family {
        case .ipv4:
            let bits = UInt32(truncatingIfNeeded: client.bits)
            if AccessLists.contains(bits, pair.denyIPv4, ipv4) { return false }
            return !pair.allowsSome || AccessLists.contains(bits, pair.allowIPv4, ipv4)
        case .ipv6:
            if AccessLists.contains(client.bits, pair.denyIPv6, ipv6) { return false }
            return !pair.allowsSome || AccessLists.contains(client.bits, pair.allowIPv6, ipv6)
        }
    }

    private static func contains<Bits>(_ bits: Bits, _ run: Run, _ ranges: FrozenArray<Range<Bits>>) -> Bool {
        // The last range that begins at or before `bits` is the only one that can hold it.
        var low = Int(run.first)
        var high = low &+ Int(run.count)
        while low < high {
            let middle = (low &+ high) / 2
            if ranges[middle].low <= bits { low = middle &+ 1 } else { high = middle }
        }
        return low > Int(run.first) && ranges[low &- 1].high >= bits
    }
}

/// Collects the lists of a snapshot's services.
struct AccessListsBuilder {
    private var numbers: [ClientAccess: Int32] = [:]
    private var pairs: [AccessLists.Pair] = []
    private var ipv4: [AccessLists.Range<UInt32>] = []
    private var ipv6: [AccessLists.Range<UInt128>] = []

    /// The number by which `access` is looked up.
    mutating func add(_ access: ClientAccess) -> Int32 {
        guard !access.isOpen else { return AccessLists.open }
        if let number = numbers[access] { return number }
        let number = Int32(pairs.count)
        numbers[access] = number
        pairs.append(
            AccessLists.Pair(
                allowIPv4: addIPv4(access.allow), allowIPv6: addIPv6(access.allow), denyIPv4: addIPv4(access.deny),
                denyIPv6: addIPv6(access.deny), allowsSome: !access.allow.isEmpty))
        return number
    }

    func build() -> AccessLists { AccessLists(pairs: pairs, ipv4: ipv4, ipv6: ipv6) }

    private mutating func addIPv4(_ prefixes: [Prefix]) -> AccessLists.Run {
        let ranges = prefixes.compactMap { prefix -> AccessLists.Range<UInt32>? in
            guard prefix.address.family == .ipv4 else { return nil }
            let low = UInt32(truncatingIfNeeded: prefix.address.bits)
            // Shifted by its whole width a number is 0, so that all the host's bits are set in a prefix of length 0
            // too.
            return AccessLists.Range(low: low, high: low | ~(UInt32.max << UInt32(32 - prefix.length)))
        }
        return AccessListsBuilder.append(ranges, to: &ipv4)
    }

    private mutating func addIPv6(_ prefixes: [Prefix]) -> AccessLists.Run {
        let ranges = prefixes.compactMap { prefix -> AccessLists.Range<UInt128>? in
            guard prefix.address.family == .ipv6 else { return nil }
            let low = prefix.address.bits
            return AccessLists.Range(low: low, high: low | ~(UInt128.max << UInt128(128 - prefix.length)))
        }
        return AccessListsBuilder.append(ranges, to: &ipv6)
    }

    /// Adds `ranges`, sorted, those that overlap or touch as one.
    private static func append<Bits>(
        _ ranges: [AccessLists.Range<Bits>], to all: inout [AccessLists.Range<Bits>]
    ) -> AccessLists.Run {
        let first = all.count
        for range in ranges.sorted(by: { $0.low < $1.low }) {
            if let last = all.indices.last, last >= first, all[last].high == .max || range.low <= all[last].high + 1 {
                all[last].high = max(all[last].high, range.high)
            } else {
                all.append(range)
            }
        }
        return AccessLists.Run(first: Int32(first), count: Int32(all.count - first))
    }
}
