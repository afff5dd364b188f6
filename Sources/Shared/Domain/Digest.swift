/// A 128-bit digest by which two ends know that they hold the same configuration.
///
/// A multiplicative hash over a canonical encoding: it finds mistakes and damage, it does not resist an adversary; who
/// may speak at all is the channel's business. Digests of parts add up, in any order, to the digest of the whole, so a
/// difference costs what it touches.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    public static let zero = Digest(bits: 0)

    public static func + (left: Digest, right: Digest) -> Digest { Digest(bits: left.bits &+ right.bits) }
    public static func - (left: Digest, right: Digest) -> Digest { Digest(bits: left.bits &- right.bits) }

    /// The digest of texts in their order: a number that depends on them alone, and is the same in every process.
    public init(of texts: [String]) {
        var builder = DigestBuilder()
        for text in texts { builder.add(text) }
        self = builder.digest
    }

    /// The digest of bytes as they stand, by which damage to them is noticed.
    public init(checking octets: Span<UInt8>) {
        var builder = DigestBuilder()
        builder.add(octets)
        self = builder.digest
    }

    /// 32 hexadecimal digits.
    public var description: String {
        let text = String(bits, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }
}

/// Collects the canonical encoding of one record: each field is preceded by its length or count, so that no two records
/// encode alike.
///
/// Eight octets are mixed in at a time, as in FNV-1a but with a multiplier that spreads a difference over all higher
/// bits, and a shift that brings it down again. Each step can be undone, so records of one shape that differ in one
/// place never have the same digest.
struct DigestBuilder {
    /// The offset basis of 128-bit FNV-1a; any number but 0 would do.
    private var bits: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    /// The multiplier of the 128-bit PCG generator, chosen there for how well it spreads.
    private static let multiplier: UInt128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645

    var digest: Digest { Digest(bits: bits) }

    mutating func add(_ number: UInt64) {
        bits = (bits ^ UInt128(number)) &* DigestBuilder.multiplier
        bits ^= bits >> 64
    }

    mutating func add(_ text: String) { add(text.utf8Span.span) }

    mutating func add(_ octets: Span<UInt8>) {
        add(UInt64(octets.count))
        var word: UInt64 = 0
        for index in octets.indices {
            word = word << 8 | UInt64(octets[index])
            if index & 7 == 7 {
                add(word)
                word = 0
            }
        }
        if octets.count & 7 != 0 { add(word) }
    }

    mutating func add(_ domain: ClientDomain) {
        add(domain.isWildcard ? 1 : 0)
        add(domain.name.text)
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
        switch target.host {
        case .name(let name):
            add(0)
            add(name.text)
        case .address(let address):
            add(address)
        }
        add(UInt64(target.httpPort.number))
        add(UInt64(target.httpsPort.number))
    }

    mutating func add(_ check: HealthCheck) {
        add(check.kind.rawValue)
        add(check.path)
        for number in [check.interval, check.timeout, check.rise, check.fall, check.holdDown] {
            add(UInt64(number))
        }
    }
    mutating func add(_ name: String, _ text: String) {
        add(name)
        add(text)
    }

    mutating func add(_ limits: ServiceLimits) {
        add("limits")
        for limit in [
            limits.connections, limits.newConnections, limits.clientConnections, limits.newClientConnections,
        ] { add(limit) }
        add(limits.minimumRate)
    }

    mutating func add(_ limits: ServerLimits) {
        add("limits")
        for limit in [limits.clientConnections, limits.newClientConnections, limits.clientOpenings] { add(limit) }
        add(limits.minimumRate)
    }

    mutating func add(_ access: ClientAccess) {
        add("access")
        for prefixes in [access.allow, access.deny] {
            add(UInt64(prefixes.count))
            for prefix in prefixes { add(prefix) }
        }
    }

    mutating func add(_ flowLog: FlowLog) {
        add("flowLog")
        add(flowLog.oneIn)
        add(flowLog.interval)
    }

    /// 0 for the standard, as no number is, and the highest for no limit.
    private mutating func add(_ limit: Limit) {
        add(limit == .unlimited ? UInt64.max : UInt64(limit.number ?? 0))
    }

    /// Nil is no number, so it is one that no number of 32 bits is.
    private mutating func add(_ number: UInt32?) { add(number.map(UInt64.init) ?? .max) }
}
