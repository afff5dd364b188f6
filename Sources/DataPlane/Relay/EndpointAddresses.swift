import Domain
import Syscalls

/// One address of an endpoint, with the endpoint policy's verdict on it.
///
/// Workers get addresses in no other form, so there is no way to dial one that nobody has judged.
struct JudgedAddress: BitwiseCopyable, Hashable, Sendable {
    var address: Address
    var isForbidden: Bool

    init(_ address: Address, policy: EndpointPolicy) {
        self.address = address
        isForbidden = policy.refusal(of: address) != nil
    }

    fileprivate init(_ address: Address, isForbidden: Bool) {
        self.address = address
        self.isForbidden = isForbidden
    }
}

/// The addresses of one endpoint name, as a worker holds them: 64 of IPv4, 16 of IPv6, or some of both.
///
/// In 272 octets, as there is a record for each of 100,000 names in each worker. Names with more addresses have a
/// window on them, which the resolver moves on each second.
struct EndpointAddresses: BitwiseCopyable, Sendable {
    enum Status: UInt8, BitwiseCopyable, Sendable {
        /// Not asked yet, or still waiting for the first answer.
        case unknown
        /// Asked, and the name has no address; there never was a good answer to go on with.
        case unresolved
        case known
    }

    /// The most addresses at a time.
    static let most = 64
    private static let words = 64
    private static let wordsOfIPv6 = 4

    var tenant: UInt32 = 0
    var status = Status.unknown
    private var ipv6Count: UInt8 = 0
    private var ipv4Count: UInt8 = 0
    /// A bit for each address that the endpoint policy forbids, in the order of `words`.
    private var forbidden: UInt64 = 0
    /// The addresses of IPv6 in four words each, the most significant first, and then those of IPv4.
    private var words = InlineArray<64, UInt32>(repeating: 0)

    /// `window` says where among the addresses to begin, when there are more than places.
    init(tenant: UInt32, status: Status, addresses: [JudgedAddress] = [], window: Int = 0) {
        self.tenant = tenant
        self.status = status
        let ipv6 = addresses.filter { $0.address.family == .ipv6 }
        let ipv4 = addresses.filter { $0.address.family == .ipv4 }
        let room = EndpointAddresses.room(ipv6: ipv6.count, ipv4: ipv4.count)
        var word = 0
        var place: UInt64 = 0
        for (family, count) in [(ipv6, room.ipv6), (ipv4, room.ipv4)] where count > 0 {
            let first = count < family.count ? window % family.count : 0
            for turn in 0..<count {
                let judged = family[(first + turn) % family.count]
                if judged.isForbidden { forbidden |= 1 << place }
                place += 1
                for shift in stride(from: judged.address.width - 32, through: 0, by: -32) {
                    words[word] = UInt32(truncatingIfNeeded: judged.address.bits >> UInt128(shift))
                    word += 1
                }
            }
        }
        ipv6Count = UInt8(room.ipv6)
        ipv4Count = UInt8(room.ipv4)
    }

    /// How many of so many addresses of each family have places. Where there are too many, each family has half of the
    /// words, and what the other leaves free.
    private static func room(ipv6: Int, ipv4: Int) -> (ipv6: Int, ipv4: Int) {
        let forIPv4 = min(ipv4, max(words / 2, words - wordsOfIPv6 * min(ipv6, words)))
        return (min(ipv6, (words - forIPv4) / wordsOfIPv6), forIPv4)
    }

    /// Whether all of `addresses` have places.
    static func hasRoom(for addresses: [Address]) -> Bool {
        let ipv6 = addresses.count { $0.family == .ipv6 }
        let room = room(ipv6: ipv6, ipv4: addresses.count - ipv6)
        return room.ipv6 + room.ipv4 == addresses.count
    }

    /// The `position`th address to try: IPv6 and IPv4 in turn, IPv6 first (RFC 8305 section 4), and within a family
    /// beginning at a place that `rotation` moves on, so that flows spread over an endpoint's addresses. Nil after the
    /// last.
    func candidate(_ position: Int, rotation: UInt32) -> JudgedAddress? {
        let ipv6 = Int(ipv6Count)
        let ipv4 = Int(ipv4Count)
        guard position >= 0, position < ipv6 + ipv4 else { return nil }
        let paired = 2 * min(ipv6, ipv4)
        let isIPv6 = position < paired ? position & 1 == 0 : ipv6 > ipv4
        let turn = position < paired ? position / 2 : position - min(ipv6, ipv4)
        let count = isIPv6 ? ipv6 : ipv4
        let place = (turn + Int(rotation % UInt32(count))) % count
        return isIPv6 ? judgedIPv6(place) : judgedIPv4(place)
    }

    private func judgedIPv4(_ place: Int) -> JudgedAddress {
        let word = words[Int(ipv6Count) * EndpointAddresses.wordsOfIPv6 + place]
        return JudgedAddress(Address(ipv4: word), isForbidden: forbidden & 1 << UInt64(Int(ipv6Count) + place) != 0)
    }

    private func judgedIPv6(_ place: Int) -> JudgedAddress {
        var bits: UInt128 = 0
        for word in 0..<EndpointAddresses.wordsOfIPv6 {
            bits = bits << 32 | UInt128(words[place * EndpointAddresses.wordsOfIPv6 + word])
        }
        return JudgedAddress(Address(ipv6: bits), isForbidden: forbidden & 1 << UInt64(place) != 0)
    }
}
