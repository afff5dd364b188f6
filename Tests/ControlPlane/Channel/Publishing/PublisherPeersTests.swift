import Domain
import Foundation
import Testing
import Wire

@testable import Channel
@testable import Fleet

/// Peers that are slow, silent, confused or hostile, and what they cost the others: nothing.
@Suite(.timeLimit(.minutes(10))) struct `Publisher and bad peers` {
    let za1: ServerName
    let ie1: ServerName

    init() throws {
        za1 = try ServerName("za1")
        ie1 = try ServerName("ie1")
    }

    /// Limits that make a test wait for tenths of seconds, but for the Hello: a busy machine may take longer to say it.
    static var hurried: SessionLimits {
        var limits = SessionLimits()
        limits.heartbeatInterval = .milliseconds(50)
        limits.helloDeadline = patience
        limits.sendDeadline = .milliseconds(500)
        return limits
    }

    /// Hands 20 changes to a publisher with a server that reads nothing, and has the other one apply each; `body`
    /// follows.
    private func withSlowReader(
        sendDeadline: Duration, _ body: @escaping @Sendable (SnapshotPublisher) async throws -> Void
    ) async throws {
        var history = try FleetHistory(services: 4000)
        let start = history.fleet
        let changes = try (1...20).map { try history.cutOver(0, toOrigin: $0) }
        let end = history.fleet.version
        var limits = `Publisher and bad peers`.hurried
        // Of slow readers this is about, not of a missed beat.
        limits.heartbeatsMissed = 10_000
        limits.sendDeadline = sendDeadline
        let (za1, ie1) = (za1, ie1)
        try await withPublisher(start, limits: limits) { publisher, path in
            try await ChannelClient.connected(to: path, reads: false) { slow in
                try await slow.hello(za1)
                try await eventually("the slow one is connected") { await publisher.status(of: za1).connected }
                try await ChannelClient.connected(to: path) { fast in
                    try await fast.hello(ie1)
                    try await fast.applyNext()
                    for change in changes {
                        await publisher.publish(change)
                        try await fast.applyNext()
                    }
                    #expect(fast.current?.version == end)
                    try await body(publisher)
                }
            }
        }
    }

    @Test func `a slow reader delays no other: these have all changes while it is still being waited for`() async throws
    {
        let za1 = za1
        try await withSlowReader(sendDeadline: .seconds(300)) { publisher in
            let isWaitedFor = await publisher.status(of: za1).connected
            #expect(isWaitedFor)
        }
    }

    @Test func `a slow reader is dropped`() async throws {
        let za1 = za1
        // Longer than a busy machine takes to read a snapshot: the other one reads, and must not be taken for slow.
        try await withSlowReader(sendDeadline: .seconds(15)) { publisher in
            try await eventually("the slow one is dropped") { await !publisher.status(of: za1).connected }
        }
    }

    @Test func `a peer that never finishes its Hello is sent away`() async throws {
        let fleet = try FleetHistory().fleet
        var limits = `Publisher and bad peers`.hurried
        limits.helloDeadline = .milliseconds(300)
        try await withPublisher(fleet, limits: limits) { _, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.send(octets: [0, 0, 0, 50, 10])
                #expect(try await client.goodbye().contains("no Hello within"))
                try await client.untilClosed()
            }
        }
    }

    @Test func `a peer that falls silent is sent away after three intervals`() async throws {
        let fleet = try FleetHistory().fleet
        let za1 = za1
        try await withPublisher(fleet, limits: `Publisher and bad peers`.hurried) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                client.beats = false
                try await client.hello(za1)
                #expect(try await client.goodbye().contains("nothing was heard"))
            }
            try await eventually("it is gone") { await !publisher.status(of: za1).connected }
        }
    }

    @Test func `a peer that beats stays`() async throws {
        let fleet = try FleetHistory().fleet
        let za1 = za1
        // Slow enough that a busy machine does not make the client look silent.
        var limits = SessionLimits()
        limits.heartbeatInterval = .milliseconds(200)
        limits.heartbeatsMissed = 20
        try await withPublisher(fleet, limits: limits) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                for _ in 0..<22 {
                    #expect(try await client.next() == .heartbeat)
                    try await client.send(.heartbeat)
                }
                #expect(await publisher.status(of: za1).connected)
            }
        }
    }

    @Test(
        arguments: [
            Array("GET / HTTP/1.1\r\nHost: app.acme.example\r\n\r\n".utf8), [0, 0, 0, 0],
            [0, 0x10, 0, 1], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 3, 0x0A, 0x7F, 0x01], [0, 0, 0, 2, 0x4A, 0x00],
        ] as [[UInt8]])
    func `a peer that sends garbage, too much or the wrong thing is told and sent away`(octets: [UInt8]) async throws {
        let fleet = try FleetHistory().fleet
        let ie1 = ie1
        try await withPublisher(fleet) { publisher, path in
            try await ChannelClient.connected(to: path) { other in
                try await other.hello(ie1)
                try await other.applyNext()
                try await ChannelClient.connected(to: path) { client in
                    try await client.send(octets: octets)
                    #expect(try await client.goodbye().contains("frame"))
                    try await client.untilClosed()
                }
                #expect(await publisher.status(of: ie1).connected)
            }
        }
    }

    @Test func `a peer that no server is named after is sent away`() async throws {
        let fleet = try FleetHistory().fleet
        try await withPublisher(fleet) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(try ServerName("xx9"))
                #expect(try await client.goodbye().contains("no server xx9"))
            }
            #expect(await publisher.status(of: try ServerName("xx9")) == ServerStatus())
        }
    }

    @Test func `a newer session of a server takes the place of the older`() async throws {
        let fleet = try FleetHistory().fleet
        let za1 = za1
        try await withPublisher(fleet) { publisher, path in
            async let farewell = ChannelClient.connected(to: path) { older in
                try await older.hello(za1)
                try await older.applyNext()
                let reason = try await older.goodbye()
                try await older.untilClosed()
                return reason
            }
            try await eventually("it has applied") { await publisher.status(of: za1).appliedVersion == fleet.version }
            try await ChannelClient.connected(to: path) { newer in
                try await newer.hello(za1)
                try await newer.applyNext()
                #expect(await publisher.status(of: za1).connected)
                let statuses = await publisher.waitUntilApplied(fleet.version, by: [za1], timeout: patience)
                #expect(statuses[za1]?.appliedVersion == fleet.version)
            }
            let told = try await farewell
            #expect(told.contains("newer session"))
        }
    }

    @Test func `a command to a peer that goes away fails at once`() async throws {
        let fleet = try FleetHistory().fleet
        let za1 = za1
        let target = EndpointTarget(host: try EndpointHost("192.0.2.1"))
        try await withPublisher(fleet) { publisher, path in
            async let departure = ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                _ = try await client.nextMessage()
            }
            try await eventually("it has applied") { await publisher.status(of: za1).appliedVersion == fleet.version }
            await #expect(throws: CommandFailure.disconnected) {
                try await publisher.checkEndpoint(target, on: za1, timeout: patience)
            }
            try await departure
        }
    }

    @Test func `at shutdown every peer is told, and the socket is taken away`() async throws {
        let fleet = try FleetHistory().fleet
        let za1 = za1
        let path = temporarySocketPath()
        let (connections, connected) = AsyncStream<Void>.makeStream()
        let (listening, listens) = AsyncStream<Void>.makeStream()
        async let reason = try {
            for await _ in listening {}
            return try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                connected.finish()
                return try await client.goodbye()
            }
        }()
        try await withPublisher(fleet, path: path) { _, _ in
            listens.finish()
            for await _ in connections {}
        }
        let told = try await reason
        #expect(told == "the control plane is stopping")
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
