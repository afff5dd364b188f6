import SwiftProtobuf

/// Why bytes are no frame. After any of them the stream's frame boundaries are lost, so the session ends.
public enum FrameError: Error, Equatable, Sendable, CustomStringConvertible {
    case empty
    case tooLong(Int, longest: Int)
    case malformed(String)

    public var description: String {
        switch self {
        case .empty: "a frame of length 0; expected at least one octet"
        case .tooLong(let count, let longest): "a frame of \(count) octets; expected at most \(longest)"
        case .malformed(let problem): "a frame that is no valid message: \(problem)"
        }
    }
}

/// Makes frames of the bytes of a stream, however they are cut.
///
/// A frame is a 4-byte big-endian length and one `WireFrame` of that many bytes. The length is checked before anything
/// is set aside for it, and what is set aside follows what has arrived, never what was announced.
public struct FrameDecoder: Sendable {
    /// The most octets that a frame may have behind its length.
    public let longestFrame: Int
    /// The octets of the frames that are whole, the oldest first, from `taken` on.
    private var bodies: [[UInt8]] = []
    private var taken = 0
    /// How many octets of the length have come, and what they make so far.
    private var lengthOctets = 0
    private var length = 0
    /// The octets so far of the frame whose length is known.
    private var body: [UInt8] = []
    private var failure: FrameError?

    static let headerLength = 4

    public init(longestFrame: Int) {
        self.longestFrame = longestFrame
    }

    /// Takes the next bytes of the stream. Call `next()` until it has no more before taking others, or they pile up.
    public mutating func append(_ bytes: Span<UInt8>) {
        var position = 0
        while failure == nil, position < bytes.count {
            if lengthOctets < FrameDecoder.headerLength {
                read(lengthOctet: bytes[position])
                position += 1
            } else {
                let end = min(bytes.count, position + length - body.count)
                makeRoom(for: end - position)
                body.append(addingCapacity: end - position) { room in
                    for index in position..<end { room.append(bytes[index]) }
                }
                position = end
                if body.count == length { finishBody() }
            }
        }
    }

    /// Takes the next bytes of the stream, as the other `append` does.
    public mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

    /// The next whole frame, or nil until more bytes have come. What follows a frame that could not be read is lost, so
    /// once it has thrown, it throws the same for ever.
    public mutating func next() throws(FrameError) -> WireFrame? {
        guard taken < bodies.count else {
            bodies.removeAll(keepingCapacity: true)
            taken = 0
            if let failure { throw failure }
            return nil
        }
        let body = bodies[taken]
        bodies[taken] = []
        taken += 1
        do {
            return try FrameDecoder.frame(of: body)
        } catch {
            bodies = []
            taken = 0
            failure = error
            throw error
        }
    }

    private mutating func read(lengthOctet octet: UInt8) {
        length = length << 8 | Int(octet)
        lengthOctets += 1
        guard lengthOctets == FrameDecoder.headerLength else { return }
        if length == 0 { failure = .empty }
        if length > longestFrame { failure = .tooLong(length, longest: longestFrame) }
    }

    private mutating func finishBody() {
        bodies.append(body)
        body = []
        length = 0
        lengthOctets = 0
    }

    /// Grows by doubling up to the announced length, so that a big frame in small pieces is not copied for each.
    private mutating func makeRoom(for count: Int) {
        guard body.count + count > body.capacity else { return }
        body.reserveCapacity(min(length, max(body.count + count, 2 * body.capacity)))
    }

    private static func frame(of body: [UInt8]) throws(FrameError) -> WireFrame {
        guard FrameShape.isPlausible(body.span) else { throw .malformed("its outer fields are cut off or too many") }
        var options = BinaryDecodingOptions()
        // Our messages nest four deep (Frame, Snapshot, Service, Target); what is much deeper is an attack on the
        // stack.
        options.messageDepthLimit = 8
        options.discardUnknownFields = true
        do {
            return try WireFrame(serializedBytes: body, options: options)
        } catch {
            throw .malformed("\(error)")
        }
    }
}

/// Makes bytes of frames.
public struct FrameEncoder: Sendable {
    /// The most octets that a frame may have behind its length, which the other end checks too.
    public let longestFrame: Int

    public init(longestFrame: Int) {
        self.longestFrame = longestFrame
    }

    /// The frame with its length in front, ready to be sent. Throws when the other end would not take a frame so long.
    public func encoded(_ frame: WireFrame) throws(FrameError) -> [UInt8] {
        let body = try frame.octets()
        return try header(ofFrameWith: body.count) + body
    }

    /// The length in front of a frame of `count` octets.
    func header(ofFrameWith count: Int) throws(FrameError) -> [UInt8] {
        guard count > 0 else { throw .empty }
        guard count <= longestFrame else { throw .tooLong(count, longest: longestFrame) }
        return stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: count >> $0) }
    }
}

extension Message {
    func octets() throws(FrameError) -> [UInt8] {
        do {
            return try serializedBytes()
        } catch {
            throw .malformed("\(error)")
        }
    }
}
