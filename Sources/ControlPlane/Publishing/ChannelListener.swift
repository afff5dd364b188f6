import Foundation
import NIOCore
import NIOPosix

/// Where the control plane listens for data planes.
public struct ChannelSettings: Sendable {
    public let unixPath: String
    /// More connections than this are turned away: each server has one, and a fleet has tens.
    public let mostSessions: Int

    public init(unixPath: String, mostSessions: Int = 2000) {
        self.unixPath = unixPath
        self.mostSessions = mostSessions
    }
}

typealias ChannelConnection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

/// The Unix socket that data planes connect to.
enum ChannelListener {
    typealias Listener = NIOAsyncChannel<ChannelConnection, Never>

    /// Why we cannot listen, and what the operator can do about it.
    struct CannotListen: Error, CustomStringConvertible {
        let description: String
    }

    /// Owner and group may connect, nobody else: a data plane of another user shares our group.
    private static let mode = 0o660

    static func bind(_ path: String, group: any EventLoopGroup) async throws -> Listener {
        try await removeStaleSocket(at: path, group: group)
        let listener: Listener
        do {
            listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .bind(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try ChannelConnection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch let error as IOError {
            throw CannotListen(
                description:
                    "cannot listen on \(path): \(error); expected a folder that exists and that we may write to")
        } catch SocketAddressError.unixDomainSocketPathTooLong {
            throw CannotListen(description: "cannot listen on \(path): it is too long; expected at most 107 octets")
        }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return listener
    }

    /// Takes the socket's file away, so that nobody waits at a door behind which there is no one.
    static func removeSocket(at path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    /// A file that a process left behind when it died is in our way; one that somebody listens on is not ours to take.
    private static func removeStaleSocket(at path: String, group: any EventLoopGroup) async throws {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard attributes[.type] as? FileAttributeType == .typeSocket else {
            throw CannotListen(
                description: "cannot listen on \(path): it exists and is no socket; expected a path of our own")
        }
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get()
        } catch {
            // Nobody listens: the kernel says so at once (ECONNREFUSED), since there is no network in between.
            try removeSocket(at: path)
            return
        }
        try await channel.close()
        throw CannotListen(
            description:
                "cannot listen on \(path): another process does; stop it, or choose another path for one of them")
    }
}
