public import Domain

/// A whole snapshot as it is kept outside the process that serves with it, to be found again after a crash, a restart
/// or a reboot.
///
/// Its reader may be of another release than its writer, so its content is a frame of the channel, and judged as
/// strictly.
public enum SnapshotImage {
    private static let image = SealedImage(kind: "DDSNAP", version: 1, of: "a snapshot")
    /// As long as the longest frame of the channel, and its head: nothing longer is ever written.
    public static let longest = SealedImage.headLength + 4 + ChannelRules.longestFrameDown

    public static func octets(of snapshot: Snapshot) throws(FrameError) -> [UInt8] {
        let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameDown)
        return image.seal(try encoder.encoded(.snapshot(WireSnapshot(snapshot))))
    }

    /// The snapshot in an image, checked as one that comes over the channel.
    public static func snapshot(in octets: [UInt8]) throws(SealedImage.Unusable) -> Snapshot {
        let frame = try image.open(octets)
        var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
        decoder.append(frame.span)
        do {
            guard case .snapshot(let message)? = try decoder.next()?.message else {
                throw SealedImage.Unusable(description: "it holds no snapshot")
            }
            return try SnapshotContent(message).applied(to: nil)
        } catch let unusable as SealedImage.Unusable {
            throw unusable
        } catch let invalid as InvalidMessage {
            throw SealedImage.Unusable(description: invalid.reasons.prefix(5).joined(separator: "; "))
        } catch {
            throw SealedImage.Unusable(description: "\(error)")
        }
    }
}
