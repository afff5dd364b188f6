import Domain
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Where the control plane listens for data planes.
package struct ChannelSettings: Sendable {
    /// The socket for data planes of this machine; nil for none.
    let unixPath: String?
    /// For those of other machines.
    let secure: SecureChannel?
    /// More connections than this are turned away: each server has one, and a fleet has tens.
    let mostSessions: Int

    package init(unixPath: String?, secure: SecureChannel? = nil, mostSessions: Int = 2000) {
        self.unixPath = unixPath
        self.secure = secure
        self.mostSessions = mostSessions
    }
}

typealias ChannelConnection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

/// The sockets that data planes connect to.
package enum ChannelListener {
    typealias Listener = NIOAsyncChannel<ChannelConnection, Never>

    /// Why we cannot listen, and what the operator can do about it.
    package struct CannotListen: Error, CustomStringConvertible {
        package let description: String
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

    /// Listens for data planes of other machines, inside TLS.
    static func bind(_ address: TransportAddress, tls: ChannelTLS, group: any EventLoopGroup) async throws -> Listener {
        do {
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: address.address.description, port: Int(address.port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: try tls.context(at: Date())))
                        return try ChannelConnection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch let error as IOError {
            throw CannotListen(
                description:
                    "cannot listen on tcp:\(address): \(error); expected an address of this machine and a port that nobody else has"
            )
        }
    }

    /// Rounds through all event loops after which a connection that was accepted has been handed over: it is set up on
    /// a loop of its own, and told to the listener's.
    private static let rounds = 3

    /// Accepts no more, and closes when those that were accepted have been handed over: one that was dropped on its way
    /// would end the process, as NIO insists that whoever makes a `NIOAsyncChannel` uses it.
    static func close(_ listener: Listener, group: any EventLoopGroup) {
        let channel = listener.channel
        var quiet = channel.setOption(.autoRead, value: false)
        for _ in 0..<rounds {
            quiet = quiet.flatMap {
                let loops = group.makeIterator().map { $0.submit {} }
                return EventLoopFuture.andAllComplete(loops, on: channel.eventLoop)
            }
        }
        quiet.whenComplete { _ in channel.close(promise: nil) }
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
