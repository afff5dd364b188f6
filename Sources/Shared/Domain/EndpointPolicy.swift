/// Which addresses an endpoint may have.
///
/// Customers choose endpoints, and they must not reach our insides: never loopback, link-local (where clouds keep their
/// metadata), private, multicast or reserved addresses, not the inner services of a cloud, and never an address of the
/// fleet itself, which would be a loop. The rule holds for the address about to be dialled, whatever name led to it, so
/// it is asked again at each dial.
public struct EndpointPolicy: Hashable, Sendable {
    /// Why an address may not be dialled.
    public enum Refusal: Hashable, Sendable, CustomStringConvertible {
        case reserved(Prefix)
        case fleet

        public var description: String {
            switch self {
            case .reserved(let prefix): "lies in \(prefix), which endpoints may not use"
            case .fleet: "belongs to a server of the fleet, so traffic would go round in a loop"
            }
        }
    }

    /// Prefixes that the operator excepts from the reserved ones.
    public let exceptions: [Prefix]
    /// The addresses of every server of the fleet.
    public let fleet: Set<Address>

    public init(exceptions: [Prefix] = [], fleet: Set<Address> = []) {
        self.exceptions = exceptions
        self.fleet = fleet
    }

    /// The prefixes that no endpoint of a customer can be in: those that the IANA registries of special-purpose
    /// addresses (RFC 6890) do not have as globally reachable, and addresses that look public and lead to the inside of
    /// a cloud.
    ///
    /// Where a prefix carries an IPv4 address inside, all of it is refused, as the rules of IPv4 would not see that
    /// address. (That each of them can be read is a test's business.)
    public static let reserved: [Prefix] = reservedText.compactMap { try? Prefix($0) }

    static let reservedText = ipv4 + ipv6 + clouds + ipv6Unassigned

    private static let ipv4 = [
        "0.0.0.0/8",  // this host on this network, RFC 791
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private, RFC 1918
        "100.64.0.0/10",  // carrier NAT, RFC 6598; 100.100.100.200 in it is Alibaba's metadata server
        "127.0.0.0/8",  // loopback, RFC 1122
        "169.254.0.0/16",  // link-local, RFC 3927; 169.254.169.254 in it is the metadata server of most clouds
        "192.0.0.0/24",  // protocol assignments, RFC 6890; 192.0.0.192 in it is Oracle's metadata server
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation, RFC 5737
        "192.88.99.0/24",  // the way back from 6to4, withdrawn by RFC 7526
        "198.18.0.0/15",  // benchmarks, RFC 2544
        "224.0.0.0/3",  // multicast (RFC 5771), class E (RFC 1112), broadcast (RFC 919)
    ]

    private static let ipv6 = [
        "::/96",  // unspecified and loopback (RFC 4291), and with an IPv4 address inside (its section 2.5.5.1)
        "::ffff:0:0:0/96",  // with an IPv4 address inside: "translated", RFC 2765
        "64:ff9b::/96", "64:ff9b:1::/48",  // with an IPv4 address inside: NAT64, RFC 6052 and RFC 8215
        "100::/64", "100:0:0:1::/64",  // to be thrown away (RFC 6666), and of no machine (RFC 9780)
        "2001::/23",  // protocol assignments, RFC 2928; 2001::/32 in it is Teredo, with an IPv4 address inside
        "2001:db8::/32", "3fff::/20",  // documentation, RFC 3849 and RFC 9637
        "2002::/16",  // with an IPv4 address inside: 6to4, RFC 3056
        "5f00::/16",  // segments of SRv6, RFC 9602
        "fc00::/7",  // unique local, RFC 4193; the metadata servers of AWS (fd00:ec2::254), Google (fd20:ce::254)
        "fe80::/10", "fec0::/10",  // link-local (RFC 4291), and site-local, withdrawn by RFC 3879
        "ff00::/8",  // multicast, RFC 4291
    ]

    private static let clouds = [
        // Azure: the wire server, from which every virtual machine has its secrets, and the inner name server
        // (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
        "168.63.129.16/32",
        // IBM: services of the private network, and service endpoints
        // (cloud.ibm.com/docs/vpc?topic=vpc-service-endpoints-for-vpc).
        "161.26.0.0/16", "166.8.0.0/14",
        // Google: its APIs as only its own networks reach them
        // (docs.cloud.google.com/vpc/docs/configure-private-google-access).
        "199.36.153.4/30", "199.36.153.8/30", "34.126.0.0/18", "2600:2d00:2:1000::/56", "2600:2d00:2:2000::/56",
        "2001:4860:8040::/42",
    ]

    /// All but 2000::/3, the only block that IANA has given out for global unicast (RFC 3513 section 2.5.4 and its
    /// registry). Last, so that a refusal names the narrower prefix.
    private static let ipv6Unassigned = ["::/3", "4000::/2", "8000::/1"]

    /// Why `address` may not be dialled, or nil when it may.
    ///
    /// An exception lifts the rule against the fleet's own addresses only when it names that one address: a laboratory
    /// that excepts all of 127.0.0.0/8 still wants to be saved from its loops.
    public func refusal(of address: Address) -> Refusal? {
        if fleet.contains(address), !exceptions.contains(where: { $0.isSingleAddress && $0.contains(address) }) {
            return .fleet
        }
        guard let prefix = EndpointPolicy.reserved.first(where: { $0.contains(address) }) else { return nil }
        return exceptions.contains { $0.contains(address) } ? nil : .reserved(prefix)
    }
}
