/// A 128-bit digest by which two ends know that they hold the same configuration.
///
/// FNV-1a (128 bits) over a canonical encoding: it finds mistakes and damage, it does not resist an adversary; who may speak at all is the
/// channel's business. Digests of parts add up, in any order, to the digest of the whole, so a difference costs what it touches.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    public static let zero = Digest(bits: 0)

    public static func + (left: Digest, right: Digest) -> Digest { Digest(bits: left.bits &+ right.bits) }
    public static func - (left: Digest, right: Digest) -> Digest { Digest(bits: left.bits &- right.bits) }

    /// 32 hexadecimal digits.
    public var description: String {
        let text = String(bits, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }
}

/// Collects the canonical encoding of one record: each field is preceded by its length or count, so that no two records encode alike.
struct DigestBuilder {
    private var bits: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    private static let prime: UInt128 = 1 << 88 | 0x13B

    var digest: Digest { Digest(bits: bits) }

    private mutating func add(octet: UInt8) {
        bits = (bits ^ UInt128(octet)) &* DigestBuilder.prime
    }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { add(octet: UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        for octet in text.utf8 { add(octet: octet) }
    }

    mutating func add(_ prefix: Prefix) {
        add(prefix.address)
        add(UInt64(prefix.length))
    }

    mutating func add(_ address: Address) {
        add(UInt64(address.family.rawValue))
        add(UInt64(truncatingIfNeeded: address.bits >> 64))
        add(UInt64(truncatingIfNeeded: address.bits))
    }

    mutating func add(_ target: EndpointTarget) {
        add(target.host.description)
        add(UInt64(target.httpPort.number))
        add(UInt64(target.httpsPort.number))
    }
}
