import Domain
import FoundationEssentials

extension Digest {
    /// Sixteen octets, the most significant first.
    var octets: Data {
        Data((0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) })
    }

    init?(octets: Data) {
        guard octets.count == 16 else { return nil }
        self.init(bits: octets.reduce(0) { $0 << 8 | UInt128($1) })
    }
}
