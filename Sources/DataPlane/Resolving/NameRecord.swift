import Domain
import Syscalls

/// What is known of one name: its addresses, each family of them judged alone. Pure; time is passed in, in
/// milliseconds.
///
///     nobody has answered ──addresses──▶ fresh ──failed──▶ stale, and serving ──3 days──▶ none
///            │ nothing                     ▲ │ nothing                │ addresses
///            ▼                   addresses │ ▼                        ▼
///          none ◀──nothing for 30 s, and no word against it── going   fresh
///
/// 1. A failure to get an answer takes no address away, in whichever family (RFC 8767), until the address is three days
/// old.
/// 2. An answer that there is nothing does, but only when it has been repeated for half a minute: a zone in the middle
/// of a mistake
///    should not be the end of a service.
/// 3. The last addresses of a name go only when both families have been answered: while one cannot be asked, nobody
/// knows that the name
///    has nothing.
struct NameRecord {
    /// Once one family has addresses, the other is waited for so long (RFC 8305 section 3: 50 ms).
    static let resolutionDelay: UInt64 = 50
    static let nothingPatience: UInt64 = 30_000
    /// An address that no server vouches for any more serves for three days: a weekend without those who mend name
    /// servers, and what RFC 8767 section 5 recommends at most. Later a cloud may long have given the address to
    /// somebody else.
    static let longestStale: UInt64 = 3 * 24 * 3_600_000
    /// Enough for any honest answer; those beyond are left out.
    static let mostAddresses = 64

    /// What the last answer about a family was.
    enum Last: Equatable {
        case none
        case addresses
        case nothing(String)
        case failed(NameFailure)

        var isFailure: Bool { if case .failed = self { true } else { false } }
        var isNothing: Bool { if case .nothing = self { true } else { false } }
    }

    struct FamilyRecord {
        fileprivate(set) var addresses: [Address] = []
        fileprivate(set) var last = Last.none
        /// When addresses were last confirmed.
        fileprivate(set) var confirmedAt: UInt64 = 0
        /// Since when every answer has been that there is nothing.
        fileprivate var nothingSince: UInt64?
    }

    private var ipv4 = FamilyRecord()
    private var ipv6 = FamilyRecord()
    /// Why there was no answer the last time, of either family, and when that was.
    private(set) var failure: (reason: NameFailure, at: UInt64)?

    subscript(family: Address.Family) -> FamilyRecord { family == .ipv4 ? ipv4 : ipv6 }

    /// IPv6 before IPv4, each in the order of the numbers, whatever order a server likes to give them.
    var addresses: [Address] {
        // An AAAA may stand for an address of IPv4 (::ffff:192.0.2.1), which an A may have as well.
        ipv6.addresses.isEmpty || ipv4.addresses.isEmpty
            ? ipv6.addresses + ipv4.addresses : ipv6.addresses.filter { !ipv4.addresses.contains($0) } + ipv4.addresses
    }

    var status: EndpointAddresses.Status {
        if !ipv4.addresses.isEmpty || !ipv6.addresses.isEmpty { return .known }
        return ipv4.last == .none || ipv6.last == .none ? .unknown : .unresolved
    }

    /// Whether it lacks what an operator would expect of a name: it has no address, or such as no server vouches for
    /// now.
    var isTroubled: Bool {
        switch status {
        case .unknown: ipv4.last.isFailure || ipv6.last.isFailure
        case .unresolved: true
        case .known: [ipv4, ipv6].contains { !$0.addresses.isEmpty && $0.last != .addresses }
        }
    }

    /// When the newest of its addresses was last confirmed, if it has any.
    var confirmedAt: UInt64? {
        [ipv4, ipv6].filter { !$0.addresses.isEmpty }.map(\.confirmedAt).max()
    }

    mutating func answered(_ family: Address.Family, _ answer: NameAnswer, now: UInt64) {
        if family == .ipv4 {
            NameRecord.enter(answer, into: &ipv4, now)
        } else {
            NameRecord.enter(answer, into: &ipv6, now)
        }
        if case .failed(let reason) = answer { failure = (reason, now) }
        let before = (ipv4, ipv6)
        NameRecord.settle(&ipv4, beside: before.1, now)
        NameRecord.settle(&ipv6, beside: before.0, now)
    }

    private static func enter(_ answer: NameAnswer, into record: inout FamilyRecord, _ now: UInt64) {
        switch answer {
        case .addresses(let addresses, _):
            record.last = .addresses
            record.addresses = Array(Set(addresses).sorted().prefix(mostAddresses))
            record.confirmedAt = now
            record.nothingSince = nil
        case .nothing(let problem):
            record.last = .nothing(problem)
            record.nothingSince = record.nothingSince ?? now
        case .failed(let reason): record.last = .failed(reason)
        }
    }

    /// Takes away what no rule keeps any more.
    private static func settle(_ record: inout FamilyRecord, beside other: FamilyRecord, _ now: UInt64) {
        guard !record.addresses.isEmpty, record.last != .addresses else { return }
        if now - record.confirmedAt >= longestStale {
            record.addresses = []
        } else if record.last.isNothing, let since = record.nothingSince, now - since >= nothingPatience,
            other.last == .addresses || other.last.isNothing
        {
            record.addresses = []
        }
    }
}
