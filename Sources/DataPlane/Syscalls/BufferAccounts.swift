/// How much of a worker's buffers each holder has. Pure.
///
/// A holder is a service, by its slot. Holder 0 stands for all connections that have not said yet where they want to
/// go: they have a part of the memory to themselves, so that no service keeps a newcomer from being read. The services
/// share the rest, each up to a cap.
///
/// Holders stand in lists by the size of what they hold, in powers of two. So the largest is found by a look at a few,
/// however many there are.
public struct BufferAccounts: Sendable {
    /// The holder of hellos and first heads.
    public static let openings: Int32 = 0

    /// One of a list of holders of about the same size.
    private struct Account: BitwiseCopyable {
        var bytes: Int
        // Neighbours as slot + 1; 0 for none.
        var next: Int32
        var previous: Int32
    }

    private static var levels: Int { 32 }
    /// So many of the highest list are looked at for the largest holder. They differ by less than a factor of two.
    private static var mostCompared: Int { 16 }

    /// The sum of all accounts.
    public private(set) var bytesLent = 0
    /// For hellos and first heads: a quarter. 8,192 of them with 8 KiB each fit in, with the standard limits.
    public let openingsLimit: Int
    /// For all services together: the rest.
    public let servicesLimit: Int
    /// For one service: a quarter of that, so three greedy ones leave a quarter to the others.
    public let serviceLimit: Int

    private let accounts: Slab<Int32, Account>
    private var firsts = InlineArray<32, Int32>(repeating: 0)
    /// A bit for each level that has a holder.
    private var occupied: UInt32 = 0

    public init(bytesLimit: Int, holders: Int) throws(SystemCallError) {
        openingsLimit = bytesLimit / 4
        servicesLimit = bytesLimit - bytesLimit / 4
        serviceLimit = (bytesLimit - bytesLimit / 4) / 4
        accounts = try Slab(capacity: holders)
    }

    @inline(__always) public func bytes(lentTo holder: Int32) -> Int { accounts[holder].bytes }

    private var bytesOfServices: Int { bytesLent - accounts[BufferAccounts.openings].bytes }

    /// Whether `holder` may have `count` bytes more.
    public func hasRoom(_ count: Int, for holder: Int32) -> Bool {
        if holder == BufferAccounts.openings { return accounts[holder].bytes + count <= openingsLimit }
        return accounts[holder].bytes + count <= serviceLimit && bytesOfServices + count <= servicesLimit
    }

    /// Whether more than half of what `holder` could have is gone. Then nobody gets a large buffer on its account, so
    /// that the other half goes to many small ones rather than to a few large ones.
    public func isScarce(for holder: Int32) -> Bool {
        if holder == BufferAccounts.openings { return accounts[holder].bytes > openingsLimit / 2 }
        return accounts[holder].bytes > serviceLimit / 2 || bytesOfServices > servicesLimit / 2
    }

    /// Who is to give way so that `holder` gets `count` bytes: itself when it has reached its own limit, and else who
    /// has the most.
    public func culprit(_ count: Int, for holder: Int32) -> Int32 {
        if holder == BufferAccounts.openings || accounts[holder].bytes + count > serviceLimit { return holder }
        return largest ?? holder
    }

    /// The service that holds the most.
    public var largest: Int32? {
        guard occupied != 0 else { return nil }
        var found = firsts[31 - occupied.leadingZeroBitCount] - 1
        var candidate = found
        var looks = 0
        while candidate >= 0, looks < BufferAccounts.mostCompared {
            if accounts[candidate].bytes > accounts[found].bytes { found = candidate }
            candidate = accounts[candidate].next - 1
            looks += 1
        }
        return found
    }

    mutating func lend(_ count: Int, to holder: Int32) { set(holder, accounts[holder].bytes + count) }

    mutating func takeBack(_ count: Int, from holder: Int32) { set(holder, accounts[holder].bytes - count) }

    private mutating func set(_ holder: Int32, _ bytes: Int) {
        let before = accounts[holder].bytes
        precondition(bytes >= 0, "more was given back than lent")
        bytesLent += bytes - before
        accounts[holder].bytes = bytes
        guard holder != BufferAccounts.openings else { return }
        let (old, new) = (BufferAccounts.level(before), BufferAccounts.level(bytes))
        guard old != new else { return }
        if old >= 0 { unlink(holder, old) }
        if new >= 0 { link(holder, new) }
    }

    /// -1 for nothing.
    private static func level(_ bytes: Int) -> Int {
        guard bytes > 0 else { return -1 }
        return min(levels - 1, max(0, Int.bitWidth - 1 - (bytes >> 12).leadingZeroBitCount))
    }

    private mutating func link(_ holder: Int32, _ level: Int) {
        let first = firsts[level]
        accounts[holder].next = first
        accounts[holder].previous = 0
        if first > 0 { accounts[first - 1].previous = holder + 1 }
        firsts[level] = holder + 1
        occupied |= 1 << UInt32(level)
    }

    private mutating func unlink(_ holder: Int32, _ level: Int) {
        let (next, previous) = (accounts[holder].next, accounts[holder].previous)
        if next > 0 { accounts[next - 1].previous = previous }
        if previous > 0 { accounts[previous - 1].next = next } else { firsts[level] = next }
        if firsts[level] == 0 { occupied &= ~(1 << UInt32(level)) }
    }
}
