import Domain
import Logging
import NIOCore
import NIOPosix
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
    /// The last frame of the session.
    case goodbye(WireFrame)
}

/// The I/O of one session: two tasks, one that reads and one that writes. What to make of it all is the publisher's.
struct Session: Sendable {
    let id: SessionID
    let connection: ChannelConnection
    /// Something is to be written; finished when the session has ended.
    let wakeUps: AsyncStream<Void>
    let publisher: SnapshotPublisher
    /// Where whole snapshots are made: threads of their own, so that a few hundred thousand services to encode hold up neither the
    /// event loops nor the tasks that serve others.
    let encoding: NIOThreadPool

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
        do {
            for try await buffer in inbound {
                decoder.append(buffer.readableBytesUInt8Span)
                while let frame = try decoder.next() { await publisher.received(frame, from: id) }
            }
            await publisher.disconnected(id)
        } catch let error as FrameError {
            await publisher.end(id, reason: "\(error)")
            // The writer says goodbye and cancels this.
            try? await Task.sleep(for: ChannelRules.heartbeatInterval)
        } catch {
            await publisher.disconnected(id)
        }
    }

    private func write(_ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async {
        do {
            for await _ in wakeUps {
                while let outgoing = await publisher.nextOutgoing(of: id) {
                    guard let bytes = await encoded(outgoing) else { continue }
                    try await outbound.write(bytes)
                    if case .goodbye = outgoing { return }
                }
            }
        } catch {
            // Closed by the other side or by the publisher; the reader sees that too.
        }
    }

    /// The frame as it is sent, or nil when it could not be made, of which the publisher has then been told.
    private func encoded(_ outgoing: Outgoing) async -> ByteBuffer? {
        switch outgoing {
        case .frame(let frame), .goodbye(let frame):
            return (try? Session.encoder.encoded(frame)).map { ByteBuffer(bytes: $0) }
        case .difference(let difference, let digest, let incarnation):
            return await made(difference.version) { () throws(InvalidMessage) in
                try Session.encoded(WireSnapshot(difference, digest: digest, incarnation: incarnation))
            }
        case .whole(let draft):
            let result: Result<ByteBuffer, InvalidMessage>
            do {
                result = try await encoding.runIfActive {
                    Result { () throws(InvalidMessage) in try Session.encoded(draft) }
                }
            } catch {
                return nil  // We are being shut down.
            }
            return await made(draft.version) { () throws(InvalidMessage) in try result.get() }
        }
    }

    private func made(
        _ version: SnapshotVersion, _ bytes: () throws(InvalidMessage) -> ByteBuffer
    ) async -> ByteBuffer? {
        do {
            let bytes = try bytes()
            await publisher.made(id, octets: bytes.readableBytes)
            return bytes
        } catch {
            await publisher.notMade(id, version, reasons: error.reasons)
            return nil
        }
    }

    private static func encoded(_ draft: SnapshotBuilder.Draft) throws(InvalidMessage) -> ByteBuffer {
        let snapshot: Snapshot
        do {
            snapshot = try draft.checked()
        } catch {
            throw InvalidMessage(error)
        }
        guard snapshot.digest == draft.digest else {
            throw InvalidMessage(reasons: [
                "the digest kept for version \(draft.version) is \(draft.digest), but its services have \(snapshot.digest)"
            ])
        }
        return try encoded(WireSnapshot(snapshot))
    }

    private static func encoded(_ message: WireSnapshot) throws(InvalidMessage) -> ByteBuffer {
        do {
            return ByteBuffer(bytes: try encoder.encoded(.snapshot(message)))
        } catch {
            throw InvalidMessage(reasons: ["it cannot be sent: \(error)"])
        }
    }
}
