/// Why the authority signs no certificate, or reads no peer out of one.
enum RequestRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// It was not looked at.
    case tooLong(octets: Int)
    case malformed
    /// The key is no P-256 key.
    case otherKey
    /// The request is not signed with the key that it asks a certificate for.
    case notProven
    /// A certificate of this authority that is no data plane's.
    case namesNoServer
    /// There is no time left that a certificate could be valid for.
    case authorityExpired
    /// The cryptography failed: a fault of ours.
    case notSigned(String)

    var description: String {
        switch self {
        case .tooLong(let octets):
            "the request has \(octets) octets; expected at most \(ChannelAuthority.largestRequest)"
        case .malformed: "the request cannot be read; expected DER: a PKCS#10 request, or an X.509 certificate"
        case .otherKey: "the request has a key of another kind; expected a P-256 key"
        case .notProven: "the request is not signed by the key in it; expected the signature of whoever holds that key"
        case .namesNoServer: "the certificate names no server; expected one URI such as ddirect://server/za1"
        case .authorityExpired:
            "the channel authority has expired; move its file away, start again, and enroll every server anew"
        case .notSigned(let cause): "the certificate could not be made (\(cause))"
        }
    }
}
