/// What holds for the whole fleet.
public struct FleetSettings: Hashable, Sendable {
    /// Of every server that has no settings of its own.
    public var monitoring = Monitoring.standard
    /// Whether a server's failure moves its services without being told to.
    public var failsOver = true
    /// Whether they go back without being told to, once the server has been well for the hold-down.
    public var failsBack = false
    /// For how many seconds a server has to have been well before its services go back to it.
    public var holdDown = FleetSettings.standardHoldDown
    public var webhooks: [Webhook] = []

    /// Five minutes: a server that comes and goes is not one to go back to.
    public static let standardHoldDown = 300
    public static let holdDowns = 0...86_400
    public static let mostWebhooks = 8

    public init() {}
}

/// Where alerts are sent.
public struct Webhook: Hashable, Sendable {
    /// `https://…`, or `http://…` within one's own network.
    public let url: String
    /// The key that signs what is sent.
    public let credential: CredentialName

    public init(url: String, credential: CredentialName) throws(InvalidValue) {
        self.url = try HTTPAddress.checked(url)
        self.credential = credential
    }
}

/// A URL of http or https that we call.
public enum HTTPAddress {
    public static let longest = 2000

    public static func checked(_ text: String) throws(InvalidValue) -> String {
        let rest = text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : ""
        guard let first = rest.utf8.first, first != UInt8(ascii: "/"), text.utf8.count <= longest,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !rest.contains("@"), !rest.contains("#")
        else {
            throw InvalidValue(
                text, "is no URL that can be called",
                expected: "one such as https://alerts.example/ddirect, without a user or a fragment")
        }
        return text
    }
}
