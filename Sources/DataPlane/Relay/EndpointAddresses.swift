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

    fileprivate init() {
        address = Address(ipv4: 0)
        isForbidden = true
    }
}

/// The addresses of one endpoint name, as a worker holds them.
struct EndpointAddresses: BitwiseCopyable, Sendable {
    enum Status: UInt8, BitwiseCopyable, Sendable {
        /// Not asked yet, or still waiting for the first answer.
        case unknown
        /// Asked, and the name has no address; there never was a good answer to go on with.
        case unresolved
        case known
    }

    /// Enough for any honest answer; those beyond are left out.
    static let most = 8

    var tenant: UInt32 = 0
    var status = Status.unknown
    private var ipv6Count: UInt8 = 0
    private var count: UInt8 = 0
    private var addresses = InlineArray<8, JudgedAddress>(repeating: JudgedAddress())

    init(tenant: UInt32, status: Status, addresses: [JudgedAddress] = []) {
        self.tenant = tenant
        self.status = status
        let ipv6 = addresses.filter { $0.address.family == .ipv6 }.prefix(EndpointAddresses.most / 2)
        let ipv4 = addresses.filter { $0.address.family == .ipv4 }.prefix(EndpointAddresses.most - ipv6.count)
        for address in ipv6 + ipv4 {
            self.addresses[Int(count)] = address
            count += 1
        }
        ipv6Count = UInt8(ipv6.count)
    }

    /// The `position`th address to try: IPv6 and IPv4 in turn, IPv6 first (RFC 8305 section 4), and within a family beginning at a place
    /// that `rotation` moves on, so that flows spread over an endpoint's addresses. Nil after the last.
    func candidate(_ position: Int, rotation: UInt32) -> JudgedAddress? {
        guard position < Int(count) else { return nil }
        let ipv6 = Int(ipv6Count)
        let ipv4 = Int(count) - ipv6
        let paired = 2 * min(ipv6, ipv4)
        let isIPv6 = position < paired ? position & 1 == 0 : ipv6 > ipv4
        let turn = position < paired ? position / 2 : position - min(ipv6, ipv4)
        if isIPv6 { return addresses[(turn + Int(rotation) % ipv6) % ipv6] }
        return addresses[ipv6 + (turn + Int(rotation) % ipv4) % ipv4]
    }
}
