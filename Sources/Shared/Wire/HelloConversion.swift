public import Domain

/// The first frame of a session: who the data plane is and what it has.
public struct Hello: Sendable, Equatable {
    /// The snapshot that the data plane serves with, by what tells one from another.
    public struct Holding: Sendable, Equatable {
        public let incarnation: Incarnation
        public let version: SnapshotVersion
        public let digest: Digest

        public init(incarnation: Incarnation, version: SnapshotVersion, digest: Digest) {
            self.incarnation = incarnation
            self.version = version
            self.digest = digest
        }

        public init(_ snapshot: Snapshot) {
            self.init(incarnation: snapshot.incarnation, version: snapshot.version, digest: snapshot.digest)
        }
    }

    public let protocolVersion: UInt32
    public let server: ServerName
    public let softwareVersion: String
    /// Nil when the data plane has none yet.
    public let holding: Holding?
    /// Drawn at the start of the data plane's process, so that its restarts can be told from its reconnections.
    public let bootID: String

    /// Longer descriptions of itself are no description.
    public static let longestText = 128

    public init(
        protocolVersion: UInt32 = ChannelRules.protocolVersion, server: ServerName, softwareVersion: String,
        holding: Holding?,
        bootID: String
    ) {
        self.protocolVersion = protocolVersion
        self.server = server
        self.softwareVersion = softwareVersion
        self.holding = holding
        self.bootID = bootID
    }

    public init(_ message: WireHello) throws(InvalidMessage) {
        var collector = ReasonCollector()
        let server = collector.value(of: "server") { () throws(InvalidValue) in try ServerName(message.server) }
        for (field, text) in [("software_version", message.softwareVersion), ("boot_id", message.bootID)]
        where text.utf8.count > Hello.longestText || !text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            collector.add("\(field): is no text of visible ASCII with at most \(Hello.longestText) characters")
        }
        var holding: Holding?
        if message.incarnation != 0 || message.version != 0 || !message.digest.isEmpty {
            if let digest = Digest(octets: message.digest) {
                holding = Holding(
                    incarnation: Incarnation(message.incarnation), version: SnapshotVersion(message.version),
                    digest: digest)
            } else {
                collector.add("digest: is \(message.digest.count) octets long; expected 16")
            }
        }
        try collector.check()
        guard let server else { throw InvalidMessage(reasons: ["server: is missing"]) }
        self.init(
            protocolVersion: message.protocolVersion, server: server, softwareVersion: message.softwareVersion,
            holding: holding,
            bootID: message.bootID)
    }
}

extension WireHello {
    public init(_ hello: Hello) {
        self.init()
        protocolVersion = hello.protocolVersion
        server = hello.server.text
        softwareVersion = hello.softwareVersion
        bootID = hello.bootID
        guard let holding = hello.holding else { return }
        incarnation = holding.incarnation.number
        version = holding.version.number
        digest = holding.digest.octets
    }
}
