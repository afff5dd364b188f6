import Crypto
import Domain

/// The name of a bearer token: who did something, in the audit trail.
package struct TokenName: Slug {
    package let text: String
    package init(checked: String) { text = checked }
}

/// A bearer token: the secret that a request shows. It is shown once, when it is made; the store keeps its digest.
package struct AccessToken: Sendable {
    package let secret: String

    /// Draws a new one.
    init() { secret = AccessToken.drawSecret(prefix: "dd_") }

    /// A secret that somebody else drew: what stands in the admin token file.
    init(adopting text: String) throws(InvalidValue) {
        let expected = "32 to 200 visible ASCII characters on one line"
        guard (32...200).contains(text.utf8.count) else {
            // The value itself stays out of the message: it is a secret, if a poor one.
            throw InvalidValue("", "has \(text.utf8.count) octets", expected: expected)
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw InvalidValue("", "has a character that is not visible ASCII", expected: expected)
        }
        secret = text
    }

    var digest: String { AccessToken.digest(of: secret) }

    /// 256 bits from the system's generator, so that their digest needs neither salt nor stretching, behind what tells
    /// their use.
    package static func drawSecret(prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in String(generator.next() as UInt64, radix: 16) }
        return prefix + words.map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
    }

    /// The SHA-256 of a secret, in hexadecimal.
    package static func digest(of secret: String) -> String { SHA256.hash(data: Array(secret.utf8)).hexadecimal }
}
