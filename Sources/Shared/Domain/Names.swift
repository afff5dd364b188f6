/// The name that an operator gives to a customer, a service or a server, and that identifies it ever after.
///
/// A slug: 1 to 63 lower-case letters, digits and hyphens, a letter or digit at each end; it can stand in a URL, a
/// metric label and a file name as it is.
public protocol Slug: Hashable, Sendable, Comparable, CustomStringConvertible {
    var text: String { get }
    init(checked: String)
}

extension Slug {
    public init(_ text: String) throws(InvalidValue) {
        let expected = "1 to 63 lower-case letters, digits and hyphens, such as acme-app"
        guard !text.isEmpty else { throw InvalidValue(text, "is empty", expected: expected) }
        guard text.utf8.count <= 63 else {
            throw InvalidValue(text, "is \(text.utf8.count) octets long", expected: expected)
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            default: throw InvalidValue(text, "has a character that is not allowed", expected: expected)
            }
        }
        guard !text.hasPrefix("-"), !text.hasSuffix("-") else {
            throw InvalidValue(text, "begins or ends with a hyphen", expected: expected)
        }
        self.init(checked: text)
    }

    public var description: String { text }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

public struct CustomerName: Slug {
    public let text: String
    public init(checked: String) { text = checked }
}

public struct ServiceName: Slug {
    public let text: String
    public init(checked: String) { text = checked }
}

public struct ServerName: Slug {
    public let text: String
    public init(checked: String) { text = checked }
}

/// Where a server stands, in the operator's or the cloud's own spelling: `af-south-1`.
public struct RegionName: Slug {
    public let text: String
    public init(checked: String) { text = checked }
}
