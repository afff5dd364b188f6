import Domain
import NIOCore

/// Who is at the other end of a connection, as far as it can be told without asking.
enum ChannelPeer: Sendable, Equatable {
    /// A process of this machine with our own user or group, says the kernel.
    case local
    /// Somebody over TCP whose TLS handshake is not complete.
    case unknown
    /// Somebody over TCP without a certificate, who may only enroll.
    case anonymous
    /// Who holds the key of a certificate that our authority has given to this server.
    case certified(ServerName)
}

/// Where a connection comes from, for people to read.
struct Origin: Sendable {
    /// An address, or `unix`.
    let host: String
    /// The same with the port.
    let text: String

    /// nil is a connection over the Unix socket.
    init(_ address: SocketAddress?) {
        guard let address, let host = address.ipAddress else {
            (host, text) = ("unix", "unix")
            return
        }
        self.host = host
        text = host.contains(":") ? "[\(host)]:\(address.port ?? 0)" : "\(host):\(address.port ?? 0)"
    }
}

/// A certificate that is asked for over the channel.
enum CertificateWork: Sendable {
    case first(token: String, request: [UInt8])
    case next(request: [UInt8])
}
