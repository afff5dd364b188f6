public import Domain

/// What the certificates of the channel call the two ends of it.
public enum ChannelNames {
    /// The control plane, as a DNS name in its certificate: a role, not an address. Its authority is the only one that
    /// data planes trust, so whoever shows this name is the control plane, wherever it is.
    public static let control = "control.ddirect.internal"

    /// A server, as the one URI in its certificate.
    public static func uri(of server: ServerName) -> String { uriPrefix + server.text }

    /// The server that a URI names, or nil when it names none.
    public static func server(ofURI text: String) -> ServerName? {
        guard text.hasPrefix(uriPrefix) else { return nil }
        return try? ServerName(String(text.dropFirst(uriPrefix.count)))
    }

    private static let uriPrefix = "ddirect://server/"
}
