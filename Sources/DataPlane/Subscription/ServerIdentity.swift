import Domain
import Syscalls
import Wire

/// What enrolment has given this server, to be told by and to know the control plane by: a folder with two files.
///
/// `identity.pem` is the private key, which was made here and never leaves, and the certificate for it; `authority.pem`
/// is the certificate of the control plane's authority, the only one that is trusted.
struct ServerIdentity: Sendable {
    let server: ServerName
    /// The times between which the certificate holds, in seconds since 1970.
    let notBefore: Int64
    let notAfter: Int64
    /// The two files, as PEM.
    let identity: [UInt8]
    let authority: [UInt8]

    /// Why there is no identity to be had, and what to do.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let longestFile = 64 << 10

    static func identityPath(in folder: String) -> String { folder + "/identity.pem" }
    static func authorityPath(in folder: String) -> String { folder + "/authority.pem" }

    /// Reads the folder's files, and looks at them as far as can be done without the control plane.
    static func read(from folder: String) throws(Failure) -> ServerIdentity {
        let identity = try contents(of: identityPath(in: folder))
        let authority = try contents(of: authorityPath(in: folder))
        return try checked(identity: identity, authority: authority, from: folder)
    }

    /// What the two files say, once it is known that they fit each other; `source` is where they are from, for the
    /// message that they do not.
    static func checked(identity: [UInt8], authority: [UInt8], from source: String) throws(Failure) -> ServerIdentity {
        do {
            // That the key belongs to the certificate is found out here, and not at three in the morning.
            _ = try TLSClient(authority: authority, peer: ChannelNames.control, identity: identity)
            let certificate = try TLSCertificate(pem: identity)
            guard let server = certificate.uri.flatMap(ChannelNames.server) else {
                throw Failure(description: "the certificate from \(source) names no server; \(ServerIdentity.remedy)")
            }
            return ServerIdentity(
                server: server, notBefore: certificate.notBefore, notAfter: certificate.notAfter, identity: identity,
                authority: authority)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(source) gives no identity of a server: \(error); \(ServerIdentity.remedy)")
        }
    }

    private static let remedy = "enroll this server with 'ddirect-proxy enroll'"

    private static func contents(of path: String) throws(Failure) -> [UInt8] {
        let octets: [UInt8]?
        do {
            octets = try File.contents(atPath: path, atMost: longestFile)
        } catch {
            throw Failure(description: "\(path) cannot be read: \(error)")
        }
        guard let octets else { throw Failure(description: "there is no \(path); \(remedy)") }
        return octets
    }

    /// From when on the certificate is to be renewed, in seconds since 1970: when a third of its time is left. That is
    /// a month of ninety days, long enough for a control plane that is away to come back.
    var renewalDue: Int64 { notAfter - (notAfter - notBefore) / 3 }
}
