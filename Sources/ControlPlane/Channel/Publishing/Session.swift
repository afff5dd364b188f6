import Domain
import NIOCore
import NIOSSL
import Probing
import Wire

/// Names a session within one run of the publisher.
struct SessionID: Hashable, Sendable {
    let number: UInt64
}

/// What a session's writer is to send next.
enum Outgoing: Sendable {
    case frame(WireFrame)
    case difference(SnapshotDifference, digest: Digest, incarnation: Incarnation)
    case whole(SnapshotBuilder.Draft)
    case certificate(CertificateWork)
    case watch(command: UInt64, [ProbeTarget])
    /// The last frame of the session.
    case goodbye(WireFrame)
}

/// The I/O of one session: two tasks, one that reads and one that writes. What to make of it all is the publisher's.
struct Session: Sendable {
    let id: SessionID
    let connection: ChannelConnection
    /// Whether it is inside TLS.
    let isSecure: Bool
    /// Something is to be written; finished when the session has ended.
    let wakeUps: AsyncStream<Void>
    let publisher: SnapshotPublisher

    private static let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameDown)

    /// Returns when the session is over and the connection closed.
    func run() async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                // The one that is done first has seen the end.
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await read(inbound) }
                    group.addTask { await write(outbound) }
                    await group.next()
                    group.cancelAll()
                }
            }
        } catch {
            // The connection was broken rather than closed, of which reader and writer have told the publisher.
        }
    }

    private func read(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) async {
        var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameUp)
        var isAuthenticated = !isSecure
        do {
            for try await buffer in inbound {
                if !isAuthenticated {
                    // What comes out of TLS comes after its handshake.
                    isAuthenticated = true
                    let certificate = try await connection.channel.nioSSL_peerCertificate().get()
                    await publisher.authenticated(id, certificate: try certificate?.toDERBytes())
                }
                decoder.append(buffer.readableBytesUInt8Span)
                while let frame = try decoder.next() { await publisher.received(frame, from: id) }
            }
            await publisher.disconnected(id)
        } catch let error as FrameError {
            await publisher.end(id, reason: "\(error)", refusal: .frame)
            // The writer says goodbye and cancels this.
            try? await Task.sleep(for: ChannelRules.heartbeatInterval)
        } catch {
            await publisher.failed(id, because: error)
        }
    }

    private func write(_ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async {
        do {
            for await _ in wakeUps {
                while let outgoing = await publisher.nextOutgoing(of: id) {
                    guard let bytes = await encoded(outgoing) else { continue }
                    try await write(bytes, to: outbound)
                    if case .goodbye = outgoing { return }
                }
            }
        } catch {
            // Closed by the other side or by the publisher; the reader sees that too.
        }
    }

    /// In pieces, each when the one before is on its way: TLS would make a second copy of a whole snapshot at once, for
    /// each slow reader.
    private func write(_ bytes: ByteBuffer, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
        var bytes = bytes
        while let piece = bytes.readSlice(length: min(bytes.readableBytes, Session.longestPiece)),
            piece.readableBytes > 0
        {
            try await outbound.write(piece)
        }
    }

    private static let longestPiece = 256 << 10

    /// The frame as it is sent, or nil when it could not be made, of which the publisher has then been told.
    private func encoded(_ outgoing: Outgoing) async -> ByteBuffer? {
        do {
            switch outgoing {
            case .frame(let frame), .goodbye(let frame): return ByteBuffer(bytes: try Session.encoder.encoded(frame))
            case .difference(let difference, let digest, let incarnation):
                let message = WireSnapshot(difference, digest: digest, incarnation: incarnation)
                return await made(try Session.encoder.encoded(.snapshot(message)))
            case .certificate(let request):
                guard let frame = await publisher.certificate(for: request, of: id) else { return nil }
                return ByteBuffer(bytes: try Session.encoder.encoded(frame))
            case .whole(let draft): return await made(try Session.encoded(draft))
            case .watch(let command, let targets):
                var message = WireCommand()
                message.id = command
                message.watch = WireWatch(targets)
                return ByteBuffer(bytes: try Session.encoder.encoded(.command(message)))
            }
        } catch {
            if case .watch = outgoing {
                await publisher.notWatched(id, because: error)
            } else {
                await publisher.notMade(id, because: error)
            }
            return nil
        }
    }

    private func made(_ octets: [UInt8]) async -> ByteBuffer {
        await publisher.made(id, octets: octets.count)
        return ByteBuffer(bytes: octets)
    }

    private static func encoded(_ draft: SnapshotBuilder.Draft) throws(FrameError) -> [UInt8] {
        var services: [EncodedService] = []
        services.reserveCapacity(draft.services.count)
        for service in draft.services.values { services.append(try service.encoded.get()) }
        return try encoder.encoded(
            incarnation: draft.incarnation, version: draft.version, digest: draft.digest, settings: draft.settings,
            services: services)
    }
}
