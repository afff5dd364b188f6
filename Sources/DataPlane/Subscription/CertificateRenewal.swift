import Domain
import Syscalls

/// Sees to it that this server's certificate never ends: knows the identity in use, when the next certificate is to be
/// asked for, and which key it was asked for.
struct CertificateRenewal: ~Copyable {
    private let folder: String
    private let server: ServerName
    private var identity: ServerIdentity?
    /// The key that a request under way is about.
    private var key: IdentityKey?
    /// When to ask again if there is no answer, in milliseconds of the monotonic clock.
    private var nextRequest: UInt64 = 0

    init(folder: String, server: ServerName) {
        self.folder = folder
        self.server = server
    }

    var hasIdentity: Bool { identity != nil }

    /// Reads the identity from its files.
    mutating func read() throws(ServerIdentity.Failure) -> ServerIdentity {
        let found = try ServerIdentity.read(from: folder)
        guard found.server == server else {
            throw ServerIdentity.Failure(
                description:
                    "\(ServerIdentity.identityPath(in: folder)) is of server \(found.server), but this is server \(server); "
                    + "expected --server \(found.server), or the credentials of \(server)")
        }
        identity = found
        return found
    }

    /// The request to send now, or nil when it is not time. `now` is in milliseconds of the monotonic clock, `seconds`
    /// since 1970.
    mutating func request(now: UInt64, seconds: Int64) throws(TLSError) -> [UInt8]? {
        guard let identity, seconds >= identity.renewalDue, now >= nextRequest else { return nil }
        // Thirty times in the time that is left, but not more than once a second and not less than once an hour.
        nextRequest = now + UInt64(min(max((identity.notAfter - identity.notBefore) * 1000 / 90, 1000), 3_600_000))
        let key = try IdentityKey()
        let request = try key.certificateRequest()
        self.key = consume key
        return request
    }

    /// Takes the certificate (DER) that came for the key last asked for, and writes the identity file anew.
    mutating func install(_ certificate: [UInt8]) throws(ServerIdentity.Failure) -> ServerIdentity {
        let text: [UInt8]
        do {
            guard let key = key.take() else {
                throw ServerIdentity.Failure(description: "the control plane sent a certificate that was not asked for")
            }
            text = try key.identityFile(certificate: certificate)
        } catch let failure as ServerIdentity.Failure {
            throw failure
        } catch {
            throw ServerIdentity.Failure(description: "\(error)")
        }
        guard let before = identity else {
            throw ServerIdentity.Failure(description: "there is no identity that it could be the next of")
        }
        let next = try ServerIdentity.checked(identity: text, authority: before.authority, from: "the control plane")
        guard next.server == server else {
            throw ServerIdentity.Failure(description: "it is of server \(next.server); expected \(server)")
        }
        do {
            try File.replace(ServerIdentity.identityPath(in: folder), by: text)
        } catch {
            throw ServerIdentity.Failure(description: "it cannot be written: \(error)")
        }
        identity = next
        return next
    }

    /// The session in which a request was under way has ended.
    mutating func forget() {
        key = nil
        nextRequest = 0
    }
}
