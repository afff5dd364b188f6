import Glibc
import NIOCore

/// Who is at the other end of a Unix socket, as the kernel knows it.
struct PeerCredentials: Sendable, Equatable {
    let process: UInt32
    let user: UInt32
    let group: UInt32

    /// Asks the kernel who connected (SO_PEERCRED).
    static func of(_ channel: any Channel) async throws -> PeerCredentials {
        guard let provider = channel as? any SocketOptionProvider else { throw NotASocket() }
        // `struct ucred`: pid, uid and gid, 32 bits each.
        let credentials: InlineArray<3, UInt32> = try await provider.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        ).get()
        return PeerCredentials(process: credentials[0], user: credentials[1], group: credentials[2])
    }

    /// Whether a process with these credentials may be a data plane of ours: one that runs as root, as we do, or with
    /// our group as its own. (The kernel tells the group that the process runs with, not those it belongs to besides.)
    func mayConnect(toUser user: UInt32, group: UInt32) -> Bool {
        self.user == 0 || self.user == user || self.group == group
    }

    struct NotASocket: Error {}
}
