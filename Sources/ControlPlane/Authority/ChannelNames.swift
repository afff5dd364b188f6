import Domain

/// How the two ends of the channel are called in their certificates.
enum ChannelNames {
    /// The control plane, by its role rather than by an address: the authority is the only root that data planes trust, and they dial
    /// whatever address their operator gave them.
    static let control = "control.ddirect.internal"

    private static let serverPrefix = "ddirect://server/"

    static func uri(of server: ServerName) -> String { serverPrefix + server.text }

    /// The server that a certificate's URI names, nil when it is none of ours.
    static func server(inURI uri: String) -> ServerName? {
        guard uri.hasPrefix(serverPrefix) else { return nil }
        do {
            return try ServerName(String(uri.dropFirst(serverPrefix.count)))
        } catch {
            // A name that no operator could have given.
            return nil
        }
    }
}
