public import Domain

/// A whole snapshot as it is kept outside the process that serves with it, to be found again after a crash, a restart or a reboot.
///
///     8 octets    "DDSNAP", 0, and the version of this format: 1
///     16 octets   a checksum of what follows, big-endian
///     the rest    one frame of the channel, with a whole Snapshot
///
/// Its reader may be of another release than its writer, so it is made of what the channel is made of, and judged as strictly.
public enum SnapshotImage {
    /// Why there is nothing to be had from an image.
    public struct Unusable: Error, Equatable, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    private static let magic: [UInt8] = [0x44, 0x44, 0x53, 0x4E, 0x41, 0x50, 0, 1]
    private static let headLength = 24
    /// As long as the longest frame of the channel, and its head: nothing longer is ever written.
    public static let longest = headLength + 4 + ChannelRules.longestFrameDown

    public static func octets(of snapshot: Snapshot) throws(FrameError) -> [UInt8] {
        let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameDown)
        let frame = try encoder.encoded(.snapshot(WireSnapshot(snapshot)))
        return magic + [UInt8](Digest(checking: frame.span).octets) + frame
    }

    /// The snapshot in an image, checked as one that comes over the channel.
    public static func snapshot(in octets: [UInt8]) throws(Unusable) -> Snapshot {
        guard octets.count > headLength, octets.starts(with: magic.dropLast()) else {
            throw Unusable(description: "it is no image of a snapshot")
        }
        guard octets[magic.count - 1] == magic[magic.count - 1] else {
            throw Unusable(
                description:
                    "it has format \(octets[magic.count - 1]), and this release reads format \(magic[magic.count - 1])")
        }
        let frame = octets.span.extracting(droppingFirst: headLength)
        guard octets[magic.count..<headLength].elementsEqual(Digest(checking: frame).octets) else {
            throw Unusable(description: "its checksum does not come out: it is damaged or cut short")
        }
        var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
        decoder.append(frame)
        do {
            guard case .snapshot(let message)? = try decoder.next()?.message else {
                throw Unusable(description: "it holds no snapshot")
            }
            return try SnapshotContent(message).applied(to: nil)
        } catch let unusable as Unusable {
            throw unusable
        } catch let invalid as InvalidMessage {
            throw Unusable(description: invalid.reasons.prefix(5).joined(separator: "; "))
        } catch {
            throw Unusable(description: "\(error)")
        }
    }
}
