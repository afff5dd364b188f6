/// Which addresses an endpoint may have.
///
/// Customers choose endpoints, and they must not reach our insides: never loopback, link-local (where clouds keep their metadata),
/// private, multicast or reserved addresses, and never an address of the fleet itself, which would be a loop. The rule holds for the
/// address about to be dialled, whatever name led to it, so it is asked again at each dial.
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

    /// The special-purpose registries of RFC 6890 and what grew from them, as far as they are not global unicast.
    ///
    /// 64:ff9b::/96, 2002::/16 and 2001::/32 carry an IPv4 address inside, which the IPv4 rules would not see; ::/96 holds the unspecified
    /// and loopback addresses and the old IPv4-compatible form. (That each of them is read is a test's business.)
    public static let reserved: [Prefix] = reservedText.compactMap { try? Prefix($0) }

    static let reservedText = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10",
        "ff00::/8",
    ]

    /// Why `address` may not be dialled, or nil when it may.
    ///
    /// An exception lifts the rule against the fleet's own addresses only when it names that one address: a laboratory that excepts
    /// all of 127.0.0.0/8 still wants to be saved from its loops.
    public func refusal(of address: Address) -> Refusal? {
        if fleet.contains(address), !exceptions.contains(where: { $0.isSingleAddress && $0.contains(address) }) {
            return .fleet
        }
        guard let prefix = EndpointPolicy.reserved.first(where: { $0.contains(address) }) else { return nil }
        return exceptions.contains { $0.contains(address) } ? nil : .reserved(prefix)
    }
}
