/// A name that devices call: exact, or with one wildcard as its whole first label.
///
/// `*.app.example` stands for every name with exactly one label before `app.example`, as it does in a certificate (RFC
/// 9525), so a device that can complete its TLS handshake is a device that we route.
public struct ClientDomain: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let isWildcard: Bool
    /// The name, without the wildcard label when there is one.
    public let name: DomainName

    public init(_ text: String) throws(InvalidValue) {
        isWildcard = text.utf8.starts(with: "*.".utf8)
        name = try DomainName(checking: isWildcard ? Substring(text.utf8.dropFirst(2)) : text[...], of: text)
        guard !isWildcard || name.text.utf8.count + 2 <= DomainName.longest else {
            throw InvalidValue(text, "is too long", expected: "at most \(DomainName.longest) octets")
        }
    }

    public var description: String { isWildcard ? "*.\(name)" : name.text }

    public static func < (left: ClientDomain, right: ClientDomain) -> Bool { left.description < right.description }

    /// Whether a device that calls `host` means this domain.
    public func matches(_ host: DomainName) -> Bool {
        guard isWildcard else { return host == name }
        let hostOctets = host.text.utf8Span.span
        let nameOctets = name.text.utf8Span.span
        // One label of the host stands before the dot, and has no dot itself.
        let dot = hostOctets.count - nameOctets.count - 1
        guard dot > 0, hostOctets[dot] == UInt8(ascii: ".") else { return false }
        for index in 0..<dot where hostOctets[index] == UInt8(ascii: ".") { return false }
        for index in nameOctets.indices where nameOctets[index] != hostOctets[dot + 1 + index] { return false }
        return true
    }
}

extension DomainName {
    init(checking rest: Substring, of whole: String) throws(InvalidValue) {
        text = try DomainName.checked(rest, of: whole)
    }
}
