import Domain
import Foundation
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Channel

@Suite(.timeLimit(.minutes(10))) struct `Channel listener` {
    let group = MultiThreadedEventLoopGroup.singleton

    @Test func `opens its socket to owner and group only`() async throws {
        try await withPublisher(try FleetHistory().fleet) { _, path in
            // It can be connected to a moment before: the daemon's umask keeps everybody out until then.
            try await eventually("its mode is 0660") {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o660
            }
        }
    }

    @Test func `takes the place of a socket whose process has died`() async throws {
        let path = temporarySocketPath()
        // A listener that cannot find its file when it closes leaves what a killed process leaves.
        let dead = try await ServerBootstrap(group: group).bind(unixDomainSocketPath: path + "-old").get()
        try FileManager.default.moveItem(atPath: path + "-old", toPath: path)
        try await dead.close()
        #expect(FileManager.default.fileExists(atPath: path))
        try await withPublisher(try FleetHistory().fleet, path: path) { _, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(ServerName("za1"))
                try await client.applyNext()
            }
        }
    }

    @Test func `leaves a socket alone that somebody listens on, and says so`() async throws {
        try await withPublisher(try FleetHistory().fleet) { _, path in
            let error = await #expect(throws: ChannelListener.CannotListen.self) {
                _ = try await ChannelListener.bind(path, group: group)
            }
            #expect(error?.description.contains("another process") == true)
        }
    }

    @Test func `leaves a file alone that is no socket, and says so`() async throws {
        let path = temporarySocketPath()
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = await #expect(throws: ChannelListener.CannotListen.self) {
            _ = try await ChannelListener.bind(path, group: group)
        }
        #expect(error?.description.contains("no socket") == true)
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: ["/nowhere/at/all/channel.sock", "/tmp/" + String(repeating: "x", count: 200)])
    func `says what is wrong with a path that cannot be listened on`(path: String) async {
        let error = await #expect(throws: ChannelListener.CannotListen.self) {
            _ = try await ChannelListener.bind(path, group: group)
        }
        #expect(error?.description.hasPrefix("cannot listen on \(path)") == true)
    }

    @Test func `knows who connects`() async throws {
        try await withPublisher(try FleetHistory().fleet) { _, path in
            let channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get()
            let peer = try await PeerCredentials.of(channel)
            #expect(peer == PeerCredentials(process: UInt32(getpid()), user: geteuid(), group: getegid()))
            try await channel.close()
        }
    }

    @Test func `lets in root, our own user and our own group only`() {
        let peer = PeerCredentials(process: 1, user: 1000, group: 100)
        #expect(peer.mayConnect(toUser: 1000, group: 5))
        #expect(peer.mayConnect(toUser: 5, group: 100))
        #expect(!peer.mayConnect(toUser: 5, group: 5))
        #expect(!peer.mayConnect(toUser: 0, group: 0))
        #expect(PeerCredentials(process: 1, user: 0, group: 7).mayConnect(toUser: 5, group: 5))
    }
}
