/// How much of something there may be: a number, no limit, or what this release finds right.
public struct Limit: Hashable, Sendable, BitwiseCopyable {
    /// 0 stands for the standard, the highest number for no limit.
    private let raw: UInt32

    /// What this release finds right; a later release may find another number right.
    public static let standard = Limit(raw: 0)
    public static let unlimited = Limit(raw: .max)
    /// A thousand million is more than a server can hold, so whoever means more means no limit. 0 would close a
    /// service, which is what `deny` is for.
    public static let numbers = 1...1_000_000_000

    private init(raw: UInt32) { self.raw = raw }

    public init(_ number: Int) throws(InvalidValue) {
        guard Limit.numbers.contains(number) else {
            throw InvalidValue("\(number)", "is no limit", expected: "1 to 1000000000, or no limit")
        }
        self.init(raw: UInt32(number))
    }

    fileprivate init(known number: UInt32) { self.init(raw: number) }

    /// The number, when it is one.
    public var number: UInt32? { self == .standard || self == .unlimited ? nil : raw }

    /// The number that holds when `standard` is right: the highest there is for no limit, so that a counter is compared
    /// and nothing asked.
    public func inForce(standard: Limit) -> UInt32 { self == .standard ? standard.raw : raw }
}

/// How many bytes a second a client has to send while we wait for them: a request body, or a hello.
public enum MinimumRate {
    /// 0: none is asked for.
    public static let numbers: ClosedRange<UInt32> = 0...1_000_000

    /// GPRS with one uplink slot and the most robust coding carries 1,100 bytes a second (CS-1, 9.05 kbit/s);
    /// retransmissions, a busy cell and TCP's overhead may leave a few hundred. A tenth of the nominal rate cuts none
    /// of these phones; a client that sends an octet a minute to hold a connection open falls far below. (Kestrel asks
    /// for 240 a second, Apache's mod_reqtimeout for 500.)
    public static let standard: UInt32 = 100

    /// Over how many seconds the rate of a body is measured: longer than a tunnel or a hand-over silences a phone (75 s
    /// have been seen), as a client that was fast before and will be fast again is no attacker.
    public static let bodyWindow: UInt32 = 120

    /// For how many seconds nothing is asked of a hello, from its first octet on: a lost segment is sent again after 1
    /// s and then 3 s (RFC 6298).
    public static let helloGrace: UInt32 = 5

    fileprivate static func checked(_ rate: UInt32?) throws(InvalidValue) -> UInt32? {
        if let rate, !numbers.contains(rate) {
            throw InvalidValue("\(rate)", "is no minimum rate", expected: "0 to 1000000 bytes a second")
        }
        return rate
    }
}

/// The limits of one service on one server. "Client" is a client address: one of IPv4, or a /64 of IPv6, which is what
/// one subscriber has.
///
/// A rate may be used up in one go: as many connections as it allows in a second may come in the same instant.
public struct ServiceLimits: Hashable, Sendable {
    /// Connections open.
    public let connections: Limit
    /// New connections a second.
    public let newConnections: Limit
    /// Connections open of one client.
    public let clientConnections: Limit
    /// New connections a second of one client.
    public let newClientConnections: Limit
    /// Bytes a second while a request body is sent, measured over `MinimumRate.bodyWindow`; nil for the standard, 0 for
    /// none.
    public let minimumRate: UInt32?

    /// Nothing of its own.
    public static let standard = ServiceLimits(checkedRate: nil)

    /// None: how much a customer may use is a matter of contract, and a storm of reconnecting phones must not be
    /// refused by a number that nobody chose. Neighbours are kept from harm by how a server shares its memory and its
    /// time.
    public static let standardConnections = Limit.unlimited
    public static let standardNewConnections = Limit.unlimited
    /// Carrier NAT puts some thousands of phones behind one IPv4 address, each with a connection or two for an app. One
    /// address can have no more than 64,512 to one port of ours (RFC 6335: 1024 to 65535), so this is a sixteenth of
    /// the worst.
    public static let standardClientConnections = Limit(known: 4096)
    /// All of those phones again within some seconds, as after the loss of a cell or of a server.
    public static let standardNewClientConnections = Limit(known: 1000)

    private init(
        connections: Limit = .standard, newConnections: Limit = .standard, clientConnections: Limit = .standard,
        newClientConnections: Limit = .standard, checkedRate: UInt32?
    ) {
        self.connections = connections
        self.newConnections = newConnections
        self.clientConnections = clientConnections
        self.newClientConnections = newClientConnections
        minimumRate = checkedRate
    }

    public init(
        connections: Limit = .standard, newConnections: Limit = .standard, clientConnections: Limit = .standard,
        newClientConnections: Limit = .standard, minimumRate: UInt32? = nil
    ) throws(InvalidValue) {
        self.init(
            connections: connections, newConnections: newConnections, clientConnections: clientConnections,
            newClientConnections: newClientConnections, checkedRate: try MinimumRate.checked(minimumRate))
    }
}

/// The limits of one server, on all that arrives there: before its hello has come, nobody knows which service a
/// connection wants.
///
/// "Client" as in `ServiceLimits`. Trusted senders are no clients: a connection from one counts for the client that its
/// PROXY header names, once that has come.
public struct ServerLimits: Hashable, Sendable {
    /// Connections open of one client.
    public let clientConnections: Limit
    /// New connections a second of one client.
    public let newClientConnections: Limit
    /// Connections of one client whose hello or first request head has not come whole.
    public let clientOpenings: Limit
    /// Bytes a second while a hello or a request head is sent, from `MinimumRate.helloGrace` on; nil for the standard,
    /// 0 for none. What comes first ends it: this, or the hello time-out.
    public let minimumRate: UInt32?

    /// Nothing of its own.
    public static let standard = ServerLimits(checkedRate: nil)

    /// Twice what one service takes of a client: phones have several apps.
    public static let standardClientConnections = Limit(known: 8192)
    public static let standardNewClientConnections = Limit(known: 2000)
    /// A hello takes a round trip, half a second for a phone far away: of 2,000 new ones a second 1,000 are at this
    /// stage.
    public static let standardClientOpenings = Limit(known: 1024)

    private init(
        clientConnections: Limit = .standard, newClientConnections: Limit = .standard,
        clientOpenings: Limit = .standard, checkedRate: UInt32?
    ) {
        self.clientConnections = clientConnections
        self.newClientConnections = newClientConnections
        self.clientOpenings = clientOpenings
        minimumRate = checkedRate
    }

    public init(
        clientConnections: Limit = .standard, newClientConnections: Limit = .standard,
        clientOpenings: Limit = .standard, minimumRate: UInt32? = nil
    ) throws(InvalidValue) {
        self.init(
            clientConnections: clientConnections, newClientConnections: newClientConnections,
            clientOpenings: clientOpenings, checkedRate: try MinimumRate.checked(minimumRate))
    }
}

extension Address {
    /// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, within which a subscriber chooses
    /// freely.
    public var client: Prefix { Prefix(covering: self, length: family == .ipv4 ? 32 : 64) }
}
