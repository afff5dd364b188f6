import Crypto
package import Domain
import FoundationEssentials

/// The secrets by which servers know the probes of their own fleet: the fleet's own key, and what follows from it for
/// each server.
///
/// A server is told its own key and those of the servers that it probes. So a data plane that was broken into can pass
/// for a probe of some servers, which lets it ask their monitor endpoints more often than a stranger, and nothing more.
package struct ProbeKeys: Sendable {
    private let fleet: SymmetricKey

    /// In octets: as many as an HMAC-SHA256 has.
    static let length = 32

    /// The fleet's key, in hexadecimal, as the store keeps it; nil when it is none.
    init?(hexadecimal text: String) {
        let digits = Array(text)
        guard digits.count == 2 * ProbeKeys.length else { return nil }
        let octets = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
        guard octets.count == ProbeKeys.length else { return nil }
        fleet = SymmetricKey(data: octets)
    }

    /// Draws the key of a new fleet.
    static func draw() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }.hexadecimal
    }

    package func key(of server: ServerName) -> ProbeKey? {
        let code = HMAC<SHA256>.authenticationCode(for: ProbeToken.keyMaterial(of: server), using: fleet)
        return ProbeKey(octets: Array(code))
    }
}

extension ProbeToken {
    /// The HMAC-SHA256 that tokens are made with.
    static func authenticate(_ octets: [UInt8], _ key: ProbeKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: octets, using: SymmetricKey(data: key.octets)))
    }
}
