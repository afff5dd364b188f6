import Domain
import Syscalls

/// How many connections each client has, over all workers, for the limits of the server and of its services.
///
/// The workers share it without a lock: a table of fixed size, whose entries are two words that are changed atomically.
/// A client stands in one of four places, which its hash names; an entry is free for another when it counts nothing any
/// more. When all four are taken, the client is not counted, and not limited: memory never grows, and nobody is refused
/// for want of it.
///
/// Who counts a connection keeps the place, and takes it off there again, whatever has come since.
///
///     first word     tag of the key: 32 bits │ open: 32
///     second word    openings: 24 │ second of the window: 16 │ new in that second: 24
struct ClientLedger: Sendable {
    /// What the ledger knows of a client, a new connection included.
    struct Entry: Equatable {
        var place: Int32
        var open: UInt32
        /// Those whose hello or first head has not come whole.
        var openings: UInt32
        /// Those that came in this second.
        var new: UInt32
    }

    /// Not counted.
    static let nowhere: Int32 = -1

    private static let ways = 4
    /// Four places for each flow that there can be, as each takes two (of its server and of its service): half of them
    /// stay free, so a set of four is full for one client in twenty at the very worst, when no two connections are of
    /// one client.
    private static let placesPerFlow = 4
    private static let fewestPlaces = 4096
    private static let mostPlaces = 1 << 24
    /// Attempts to change a word that other workers change too. Each failure is another's success, so this many in a
    /// row do not happen.
    private static let attempts = 1000

    private static let openingUnit: UInt64 = 1 << 40
    private static let secondShift: UInt64 = 24
    private static let newMask: UInt64 = 0xFF_FFFF

    private let words: AtomicWords
    /// Of each service: the second, and how many connections it has brought.
    private let arrivals: AtomicWords
    private let setMask: UInt64
    private let seed: UInt64

    /// `flows` is how many connections all workers can have open.
    init(flows: Int, services: Int, seed: UInt64) throws(SystemCallError) {
        let wanted = min(max(flows &* ClientLedger.placesPerFlow, ClientLedger.fewestPlaces), ClientLedger.mostPlaces)
        var places = ClientLedger.fewestPlaces
        while places < wanted { places *= 2 }
        words = try AtomicWords(count: places * 2)
        arrivals = try AtomicWords(count: services)
        setMask = UInt64(places / ClientLedger.ways - 1)
        self.seed = seed
    }

    // MARK: Keys

    /// What stands for the client that has `address`. Nobody who does not know the seed can choose addresses that share
    /// a set. Never 0.
    func key(_ address: Address) -> UInt64 {
        let bits = address.family == .ipv4 ? address.bits : address.bits >> 64
        let family = address.family == .ipv4 ? 0x4000_0000_0000_0000 : 0 as UInt64
        return mix(UInt64(truncatingIfNeeded: bits) ^ family) | 1
    }

    /// The same for its connections to one service.
    func key(_ client: UInt64, service: Int32) -> UInt64 {
        mix(client ^ UInt64(UInt32(bitPattern: service)) &* 0x9E37_79B9_7F4A_7C15)
    }

    private func mix(_ value: UInt64) -> UInt64 {
        var mixed = value ^ seed
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27 ^ seed >> 17) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    // MARK: Counting

    /// Counts a connection, as one that opens if it has yet to say where it wants to go. One that comes from an earlier
    /// process is not new. Nil when there is no place for the client.
    func enter(_ key: UInt64, second: UInt64, isOpening: Bool, isNew: Bool = true) -> Entry? {
        let tag = max(1, key >> 32)
        let first = Int(truncatingIfNeeded: key & setMask) &* ClientLedger.ways
        let second = second & 0xFFFF
        for _ in 0..<ClientLedger.attempts {
            var place = -1
            var free = -1
            for way in first..<first &+ ClientLedger.ways {
                let word = words[way &* 2]
                if word >> 32 == tag {
                    place = way
                    break
                }
                if free < 0, word & 0xFFFF_FFFF == 0, word == 0 || isOver(way, second) { free = way }
            }
            if place < 0 { place = free }
            guard place >= 0 else { return nil }
            let word = words[place &* 2]
            let next: UInt64
            if word >> 32 == tag {
                next = word &+ 1
            } else {
                // It may have been taken since.
                guard word & 0xFFFF_FFFF == 0 else { continue }
                next = tag << 32 | 1
            }
            guard words.replace(place &* 2, word, with: next) else { continue }
            let state = count(place, second, isOpening: isOpening, isNew: isNew)
            return Entry(
                place: Int32(place), open: UInt32(truncatingIfNeeded: next), openings: UInt32(state >> 40),
                new: UInt32(state & ClientLedger.newMask))
        }
        return nil
    }

    /// Whether the window of an entry is of another second than this one, so that it says nothing any more.
    private func isOver(_ place: Int, _ second: UInt64) -> Bool {
        secondOf(words[place &* 2 &+ 1]) != second
    }

    private func secondOf(_ word: UInt64) -> UInt64 { (word >> ClientLedger.secondShift) & 0xFFFF }

    private func count(_ place: Int, _ second: UInt64, isOpening: Bool, isNew: Bool) -> UInt64 {
        for _ in 0..<ClientLedger.attempts {
            let word = words[place &* 2 &+ 1]
            var next = word
            if isNew {
                if secondOf(word) != second {
                    next = word & ~(ClientLedger.openingUnit &- 1) | (second << ClientLedger.secondShift)
                }
                if next & ClientLedger.newMask != ClientLedger.newMask { next &+= 1 }
            }
            if isOpening { next &+= ClientLedger.openingUnit }
            if next == word || words.replace(place &* 2 &+ 1, word, with: next) { return next }
        }
        if isOpening { return words.add(ClientLedger.openingUnit, at: place &* 2 &+ 1) }
        return words[place &* 2 &+ 1]
    }

    /// A connection that was counted as opening has said where it wants to go.
    func endOpening(_ place: Int32) { words.add(0 &- ClientLedger.openingUnit, at: Int(place) &* 2 &+ 1) }

    /// A connection that was counted has ended. If it was opening, that has been said before.
    func leave(_ place: Int32) { words.add(UInt64.max, at: Int(place) &* 2) }

    /// How many new connections a service has in this second, this one included.
    func arrived(at service: Int32, second: UInt64) -> UInt32 {
        let second = second & 0xFFFF_FFFF
        for _ in 0..<ClientLedger.attempts {
            let word = arrivals[Int(service)]
            let next = word >> 32 == second ? word &+ 1 : second << 32 | 1
            if arrivals.replace(Int(service), word, with: next) { return UInt32(truncatingIfNeeded: next) }
        }
        return 1
    }
}
