/// Which client addresses a service takes connections from.
public struct ClientAccess: Hashable, Sendable {
    /// When there are any, only clients in one of them are taken.
    public let allow: [Prefix]
    /// Clients in one of them are refused, whatever `allow` says.
    public let deny: [Prefix]

    /// Of each list. The address pools of an MNO are some hundreds at most, and a service is read with them at each
    /// change.
    public static let mostPrefixes = 1000

    /// From everywhere.
    public static let open = ClientAccess()

    private init() {
        allow = []
        deny = []
    }

    public init(allow: [Prefix] = [], deny: [Prefix] = []) throws(InvalidValue) {
        for (name, prefixes) in [("allow", allow), ("deny", deny)] {
            guard prefixes.count <= ClientAccess.mostPrefixes else {
                throw InvalidValue(
                    "\(prefixes.count)", "are too many prefixes to \(name)",
                    expected: "at most \(ClientAccess.mostPrefixes)")
            }
            if let prefix = prefixes.firstDuplicate {
                throw InvalidValue(prefix.description, "is named twice in '\(name)'", expected: "each prefix once")
            }
        }
        self.allow = allow
        self.deny = deny
    }

    public var isOpen: Bool { allow.isEmpty && deny.isEmpty }

    public func admits(_ client: Address) -> Bool {
        !deny.contains { $0.contains(client) } && (allow.isEmpty || allow.contains { $0.contains(client) })
    }
}
