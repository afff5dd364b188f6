/// A block of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
public struct Prefix: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The first address of the block.
    public let address: Address
    /// How many leading bits its addresses share: 0 to 32, or 0 to 128.
    public let length: Int

    /// Reads `ADDRESS/LENGTH`, or `ADDRESS` alone for one address. Bits beyond the length must be zero, since a prefix
    /// with some set is more often a slip than a wish.
    public init(_ text: String) throws(InvalidValue) {
        let expected = "a prefix such as 10.0.0.0/8 or 2001:db8::/32"
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = Address(parsing: Array(parts[0].utf8).span) else {
            throw InvalidValue(text, "does not begin with an IP address", expected: expected)
        }
        var length = address.width
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...address.width).contains(number), parts[1].first != "+" else {
                throw InvalidValue(text, "has no length from 0 to \(address.width) after the slash", expected: expected)
            }
            length = number
        }
        let prefix = Prefix(covering: address, length: length)
        guard prefix.address == address else {
            throw InvalidValue(text, "has bits set beyond its length", expected: "\(prefix)")
        }
        self = prefix
    }

    /// The block of `length` bits that `address` lies in. A length beyond the family's width is taken as the width.
    public init(covering address: Address, length: Int) {
        self.length = max(0, min(length, address.width))
        let host = UInt128(address.width - self.length)
        let bits = host >= 128 ? 0 : (address.bits >> host) << host
        self.address = address.family == .ipv4 ? Address(ipv4: UInt32(truncatingIfNeeded: bits)) : Address(ipv6: bits)
    }

    public var isSingleAddress: Bool { length == address.width }

    public func contains(_ other: Address) -> Bool {
        guard other.family == address.family else { return false }
        let host = UInt128(address.width - length)
        return host >= 128 || (other.bits ^ address.bits) >> host == 0
    }

    public var description: String { "\(address)/\(length)" }
}
