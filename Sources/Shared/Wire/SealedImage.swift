import Domain

/// Bytes that outlive the process which wrote them, with what tells the next one whether they are still what was
/// written.
///
///     6 octets    what they are
///     2 octets    0, and the version of their format
///     16 octets   a checksum of what follows, big-endian
///     the rest    the content
public struct SealedImage: Sendable {
    /// Why there is nothing to be had from an image.
    public struct Unusable: Error, Equatable, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    public static let headLength = 24

    private let kind: [UInt8]
    private let version: UInt8
    private let subject: String

    /// `kind` is six characters of ASCII; `subject` is what the image is of, for people.
    public init(kind: StaticString, version: UInt8, of subject: String) {
        self.kind = Array("\(kind)".utf8) + [0]
        precondition(self.kind.count == 7, "six characters and a zero")
        self.version = version
        self.subject = subject
    }

    public func seal(_ content: [UInt8]) -> [UInt8] {
        kind + [version] + [UInt8](Digest(checking: content.span).octets) + content
    }

    /// The content of an image.
    public func open(_ octets: [UInt8]) throws(Unusable) -> ArraySlice<UInt8> {
        guard octets.count > SealedImage.headLength, octets.starts(with: kind) else {
            throw Unusable(description: "it is no image of \(subject)")
        }
        guard octets[7] == version else {
            throw Unusable(description: "it has format \(octets[7]), and this release reads format \(version)")
        }
        let content = octets[SealedImage.headLength...]
        guard octets[8..<SealedImage.headLength].elementsEqual(Digest(checking: content.span).octets) else {
            throw Unusable(description: "its checksum does not come out: it is damaged or cut short")
        }
        return content
    }
}
