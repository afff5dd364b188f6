import Domain
import Syscalls

/// Decides who may connect to the monitor endpoint, so that strangers cannot crowd out the probes of the fleet. One for
/// each worker, with a fixed memory. Pure; the time is passed in, in milliseconds.
///
///     caller ──of the fleet, or proven lately──▶ known: a room of its own, and a limit for each address
///        └─────────────else─────────────────▶ stranger: a limit for each address, and one for all of them together
///
/// Anybody may call: customers watch the endpoint with tools of their own. So strangers are limited and not shut out,
/// and a newcomer is refused before anybody is dropped. Whether a caller is known is a question of its address, since
/// the worker sees nothing else of a connection by TLS. An address is the fleet's own by the snapshot, or proves itself
/// by the token of a probe, which the responder reads and tells the workers of.
struct MonitorGate: Sendable {
    struct Limits: Sendable {
        /// Connections of one address at a time.
        var openPerAddress: Int32
        /// New connections of one address in a second; as many may come at once.
        var ratePerAddress: UInt64
        /// Connections of all of them at a time.
        var open: Int32
        /// New connections of all of them in a second; as many may come at once.
        var rate: UInt64

        /// What each of `workers` has of it. Nobody knows which worker the kernel gives a connection to, so among many
        /// the shares overlap; the responder has a limit of its own for all of them.
        func shared(among workers: Int) -> Limits {
            let share = min(max(1, workers), 8)
            var limits = self
            limits.open = open / Int32(clamping: share)
            limits.rate = rate / UInt64(share)
            return limits
        }

        /// A tool of a customer asks once a second at most, but a carrier's or an office's address stands for many. In
        /// all, twelve thousand tools that ask once a minute; TLS for so many takes the responder a tenth of a core.
        static let strangers = Limits(openPerAddress: 16, ratePerAddress: 20, open: 192, rate: 200)
        /// A vantage opens two connections for each address of a server at once, and as many again every tenth of the
        /// timeout while there is no answer. A server may have 64 addresses.
        static let known = Limits(openPerAddress: 256, ratePerAddress: 500, open: 1024, rate: 4000)
    }

    enum Refusal: Equatable {
        /// This address has as many connections as one may have.
        case address
        /// All of its kind together have.
        case room
    }

    /// A place among the callers, held while the connection lasts.
    struct Pass: BitwiseCopyable, Equatable, Sendable {
        fileprivate let place: Int32

        static let none = Pass(place: -1)
        var exists: Bool { place >= 0 }
    }

    enum Verdict: Equatable {
        /// To be given back with `left` when the connection ends.
        case admitted(Pass)
        case refused(Refusal)
    }

    /// When something may happen again that may happen so many times a second, and as many times at once (RFC 2697 in
    /// spirit, as one moment).
    private struct Pace: BitwiseCopyable, Sendable {
        /// In microseconds: the moment at which everything that was taken has been earned.
        private var earned: UInt64 = 0

        mutating func spend(_ rate: UInt64, now: UInt64) -> Bool {
            guard rate > 0 else { return false }
            let now = now &* 1000
            let start = max(earned, now)
            // A second's worth at once.
            guard start &- now <= 1_000_000 &- 1_000_000 / rate else { return false }
            earned = start &+ 1_000_000 / rate
            return true
        }
    }

    /// What is known of one address, or of a /64 of IPv6, which is one customer's line or one machine.
    private struct Caller: BitwiseCopyable, Sendable {
        var address = Address(ipv4: 0)
        var isUsed = false
        var open: Int32 = 0
        var pace = Pace()
        var lastSeen: UInt64 = 0
        /// Until when it is known as an address of a prober; 0 for one that never was.
        var knownUntil: UInt64 = 0
    }

    /// How long a proven address stays known. A prober proves itself with each probe, so this is for those that come
    /// back after an outage of the control plane or of their own.
    static let knownFor: UInt64 = 12 * 3600 * 1000
    /// Refusals that are explained, in a second. The rest are resets: an answer to each would cost more than it tells.
    private static let explanations: UInt64 = 20

    /// Each address has eight places that it may stand in, found by its hash. With all of them taken the one that was
    /// silent longest gives way, unless it has connections open.
    private static let ways: Int32 = 8
    private static let strangerPlaces: Int32 = 2048
    private static let knownPlaces: Int32 = 1024

    private let strangers: Limits
    private let known: Limits
    private let seed: UInt64
    /// Strangers first, and then those that are known.
    private let callers: Slab<Int32, Caller>
    private var strangersOpen: Int32 = 0
    private var knownOpen: Int32 = 0
    private var strangersPace = Pace()
    private var knownPace = Pace()
    private var explaining = Pace()

    init(
        workers: Int, strangers: Limits = .strangers, known: Limits = .known, seed: UInt64
    ) throws(SystemCallError) {
        self.strangers = strangers.shared(among: workers)
        self.known = known
        self.seed = seed
        callers = try Slab(capacity: Int(MonitorGate.strangerPlaces + MonitorGate.knownPlaces))
    }

    /// A connection of `address` wants in. `isFleet` when the snapshot has it among the fleet's own.
    mutating func admit(_ address: Address, isFleet: Bool, now: UInt64) -> Verdict {
        if let place = knownPlace(of: address, isFleet: isFleet, now: now) {
            guard callers[place].open < known.openPerAddress,
                callers[place].pace.spend(known.ratePerAddress, now: now)
            else { return .refused(.address) }
            guard knownOpen < known.open, knownPace.spend(known.rate, now: now) else { return .refused(.room) }
            knownOpen &+= 1
            callers[place].open &+= 1
            return .admitted(Pass(place: place))
        }
        guard let place = self.place(of: MonitorGate.line(of: address), amongKnown: false, now: now) else {
            return .refused(.room)
        }
        guard callers[place].open < strangers.openPerAddress,
            callers[place].pace.spend(strangers.ratePerAddress, now: now)
        else { return .refused(.address) }
        guard strangersOpen < strangers.open, strangersPace.spend(strangers.rate, now: now) else {
            return .refused(.room)
        }
        strangersOpen &+= 1
        callers[place].open &+= 1
        return .admitted(Pass(place: place))
    }

    /// The connection that had this pass has ended.
    mutating func left(_ pass: Pass) {
        let place = pass.place
        callers[place].open &-= 1
        if place < MonitorGate.strangerPlaces { strangersOpen &-= 1 } else { knownOpen &-= 1 }
    }

    /// A connection of `address` has shown the token of a probe.
    mutating func proved(_ address: Address, now: UInt64) {
        guard let place = place(of: address, amongKnown: true, now: now) else { return }
        callers[place].knownUntil = now &+ MonitorGate.knownFor
    }

    /// Whether a refusal is to be answered in words, where there are words for it.
    mutating func explains(now: UInt64) -> Bool { explaining.spend(MonitorGate.explanations, now: now) }

    // MARK: Places

    private mutating func knownPlace(of address: Address, isFleet: Bool, now: UInt64) -> Int32? {
        if isFleet { return place(of: address, amongKnown: true, now: now) }
        guard let place = find(address, amongKnown: true), now < callers[place].knownUntil else { return nil }
        callers[place].lastSeen = now
        return place
    }

    private func firstPlace(of address: Address, amongKnown: Bool) -> Int32 {
        var mixed =
            UInt64(truncatingIfNeeded: address.bits) ^ UInt64(truncatingIfNeeded: address.bits >> 64)
            &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ seed ^ mixed >> 32) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 29) &* 0x94D0_49BB_1331_11EB
        let places = amongKnown ? MonitorGate.knownPlaces : MonitorGate.strangerPlaces
        let group = Int32(truncatingIfNeeded: (mixed >> 32) % UInt64(places / MonitorGate.ways))
        return (amongKnown ? MonitorGate.strangerPlaces : 0) &+ group &* MonitorGate.ways
    }

    private func find(_ address: Address, amongKnown: Bool) -> Int32? {
        let first = firstPlace(of: address, amongKnown: amongKnown)
        for place in first..<first &+ MonitorGate.ways
        where callers[place].isUsed && callers[place].address == address {
            return place
        }
        return nil
    }

    /// Where an address stands, or from now on does; nil when everybody who stands where it could has connections open,
    /// or is still known.
    private mutating func place(of address: Address, amongKnown: Bool, now: UInt64) -> Int32? {
        if let place = find(address, amongKnown: amongKnown) {
            callers[place].lastSeen = now
            return place
        }
        let first = firstPlace(of: address, amongKnown: amongKnown)
        var chosen: Int32?
        for place in first..<first &+ MonitorGate.ways {
            guard callers[place].isUsed else {
                chosen = place
                break
            }
            guard callers[place].open == 0 else { continue }
            if chosen.map({ callers[place].lastSeen < callers[$0].lastSeen }) ?? true { chosen = place }
        }
        guard let chosen else { return nil }
        callers[chosen] = Caller(address: address, isUsed: true, lastSeen: now)
        return chosen
    }

    /// What a stranger's limits are kept for: an IPv4 address, or the /64 that an IPv6 address lies in, of which
    /// anybody has as many as he likes.
    private static func line(of address: Address) -> Address {
        address.family == .ipv4 ? address : Address(ipv6: (address.bits >> 64) << 64)
    }
}
