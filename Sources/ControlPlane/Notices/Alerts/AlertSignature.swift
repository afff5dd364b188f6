import Crypto
import FoundationEssentials

/// What tells a receiver that an alert is ours, and new: `t=1772366405,v1=` and the HMAC-SHA256 of `1772366405.` and
/// the body, in hexadecimal.
///
/// The time is that of the sending. A receiver that refuses old ones cannot be shown an alert again that somebody
/// recorded.
enum AlertSignature {
    static let header = "DDirect-Signature"

    static func value(of body: String, at date: Date, key: String) -> String {
        let seconds = Int64(exactly: date.timeIntervalSince1970.rounded(.down)) ?? 0
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(seconds).\(body)".utf8), using: SymmetricKey(data: Array(key.utf8)))
        return "t=\(seconds),v1=\(code.hexadecimal)"
    }
}
