import Domain

/// Why a server gets no certificate. Each is a sentence for the operator of that server.
enum EnrollmentRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownToken
    /// It is shown a second time: by the server whose answer was lost, or by somebody who read it on its way.
    case usedToken(ServerName, at: String)
    case expiredToken(ServerName, at: String)
    case serverGone(ServerName)
    case revoked(ServerName)
    case expiredCertificate(ServerName)
    /// The token, if there was one, is still good.
    case badRequest(RequestRefusal)
    /// The database did not take it; the cause is for the log.
    case storeFailed(String)

    var description: String {
        switch self {
        case .unknownToken:
            "the token is not known; expected one that `ddirect server enroll NAME` gave, and that no later one replaced"
        case .usedToken(let server, let at):
            "the token was used at \(at); expected a new one: ddirect server enroll \(server). If server \(server) did not use it, "
                + "somebody else did: ddirect server revoke \(server)"
        case .expiredToken(let server, let at):
            "the token expired at \(at); expected a new one: ddirect server enroll \(server)"
        case .serverGone(let server):
            "there is no server \(server) any more; expected one that `ddirect server list` shows"
        case .revoked(let server):
            "the certificates of server \(server) have been revoked; expected it to enroll anew: ddirect server enroll \(server)"
        case .expiredCertificate(let server):
            "the certificate of server \(server) has expired; expected it to enroll anew: ddirect server enroll \(server)"
        case .badRequest(let refusal): "\(refusal)"
        case .storeFailed: "the control plane's database failed, and nothing was changed; try again later"
        }
    }
}
