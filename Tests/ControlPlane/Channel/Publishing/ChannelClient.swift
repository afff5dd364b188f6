import Domain
import Glibc
import NIOCore
import NIOPosix
import Wire

/// The data plane's end of the channel, as far as a test or a benchmark needs it: it keeps a snapshot, and does as it
/// is told.
final class ChannelClient {
    enum Failure: Error, Equatable {
        case closed
        case unexpected(String)
        case deadline
    }

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
    private let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameUp)

    /// What it has applied.
    var current: Snapshot?
    /// Whether it answers each heartbeat with one of its own while it waits for something else.
    var beats = true

    private init(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Connects, runs `body` with the client, and closes; throws when that takes longer than `deadline`. A client that
    /// does not read leaves everything in the socket.
    static func connected<Result: Sendable>(
        to path: String, deadline: Duration = patience, reads: Bool = true,
        _ body: @escaping @Sendable (ChannelClient) async throws -> Result
    ) async throws -> Result {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask {
                try await connection.executeThenClose { inbound, outbound in
                    try await body(ChannelClient(inbound, outbound))
                }
            }
            group.addTask {
                try await Task.sleep(for: deadline)
                throw Failure.deadline
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw Failure.deadline }
            return result
        }
    }

    // MARK: Sending

    func send(_ frame: WireFrame) async throws { try await send(octets: encoder.encoded(frame)) }

    func send(octets: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: octets)) }

    /// Says Hello with what it has, or with `holding`.
    func hello(_ server: ServerName, holding: Hello.Holding? = nil) async throws {
        let holding = holding ?? current.map { Hello.Holding($0) }
        try await send(.hello(Hello(server: server, softwareVersion: "test", holding: holding, bootID: "boot")))
    }

    // MARK: Receiving

    /// The next frame, or nil when the other side has closed.
    func next() async throws -> WireFrame? {
        while true {
            if let frame = try decoder.next() { return frame }
            guard let buffer = try await inbound.next() else { return nil }
            decoder.append(buffer.readableBytesUInt8Span)
        }
    }

    /// The next frame that is no heartbeat.
    func nextMessage() async throws -> WireFrame.OneOf_Message {
        while let frame = try await next() {
            guard case .heartbeat? = frame.message else {
                guard let message = frame.message else { continue }
                return message
            }
            // The other side may have closed since; what it said before is read all the same.
            if beats { try? await send(.heartbeat) }
        }
        throw Failure.closed
    }

    /// The next snapshot, neither applied nor answered.
    func nextSnapshot() async throws -> WireSnapshot {
        let message = try await nextMessage()
        guard case .snapshot(let snapshot) = message else { throw Failure.unexpected("\(message)") }
        return snapshot
    }

    /// Takes the next snapshot, applies it as a data plane does, and says so.
    @discardableResult
    func applyNext() async throws -> WireSnapshot {
        let message = try await nextSnapshot()
        let snapshot = try SnapshotContent(message).applied(to: current)
        current = snapshot
        try await send(.applied(snapshot.version))
        return message
    }

    /// The reason of the goodbye that ends the session.
    func goodbye() async throws -> String {
        while true {
            switch try await nextMessage() {
            case .goodbye(let goodbye): return goodbye.reason
            case .snapshot, .command: continue
            case let message: throw Failure.unexpected("\(message)")
            }
        }
    }

    /// Waits until the other side has closed, whatever it sends before.
    func untilClosed() async throws {
        do {
            while try await next() != nil {}
        } catch let error as IOError where error.errnoCode == ECONNRESET {
            // Closed before it had read the last of what we sent: how the kernel says so over a Unix socket.
        }
    }
}
