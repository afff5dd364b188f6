/// A DNS zone in which records steer traffic: who changes it, and who has to answer the change.
public struct Zone: Hashable, Sendable {
    /// The apex, and what identifies the zone.
    public let name: DomainName
    public let provider: ZoneProvider
    /// The authoritative servers that are asked after a change. None: those that the zone's own NS records name.
    public let authorities: [TransportAddress]

    public static let mostAuthorities = 16

    public init(name: DomainName, provider: ZoneProvider, authorities: [TransportAddress] = []) throws(InvalidValue) {
        guard authorities.count <= Zone.mostAuthorities, authorities.firstDuplicate == nil else {
            throw InvalidValue(
                "\(authorities.count)", "is no list of authoritative servers",
                expected: "at most \(Zone.mostAuthorities) of them, each once")
        }
        self.name = name
        self.provider = provider
        self.authorities = authorities
    }
}

/// How a zone is changed. Secrets are named, never held: each is a file of that name among the control plane's
/// credentials.
public enum ZoneProvider: Hashable, Sendable {
    /// Dynamic updates (RFC 2136) signed by TSIG (RFC 8945); the credential is the key, in base 64.
    case update(server: TransportAddress, key: DomainLabelName, algorithm: UpdateAlgorithm, credential: CredentialName)
    /// The HTTP API of PowerDNS at `url`, such as `http://192.0.2.53:8081`; the credential is the API key.
    case powerDNS(url: String, server: String, credential: CredentialName)
    /// Amazon Route 53; the credential has the access key's ID and its secret on two lines. `url` is for another
    /// address than Amazon's.
    case route53(hostedZone: String, url: String?, credential: CredentialName)
    /// An executable of that name among the control plane's commands, which is given the change as JSON.
    case command(CommandName)
}

/// The algorithms of TSIG that are still to be used (RFC 8945 section 6), as far as ldns signs by them: hmac-sha384 is
/// none.
public enum UpdateAlgorithm: String, Hashable, Sendable, CaseIterable {
    case sha256 = "hmac-sha256"
    case sha512 = "hmac-sha512"
}

/// The name of a secret: of a file among the control plane's credentials.
public struct CredentialName: Slug {
    public let text: String
    public init(checked: String) { text = checked }
}

/// The name of an executable that the control plane may run: of a file among its commands. Whoever may use the API
/// chooses among those that whoever rules the machine has put there.
public struct CommandName: Slug {
    public let text: String
    public init(checked: String) { text = checked }
}

/// The name of a TSIG key, which is a domain name of one label or more.
public struct DomainLabelName: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) throws(InvalidValue) {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard isName, text.utf8.count <= DomainName.longest, labels.allSatisfy({ (1...63).contains($0.utf8.count) })
        else {
            throw InvalidValue(
                text, "is no name of a key", expected: "letters, digits, '-', '_' and '.', such as ddirect")
        }
        self.text = text.lowercased()
    }

    public var description: String { text }
}

/// One name that steers a service's traffic: a failover makes it lead to the standby.
public struct DNSBinding: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A CNAME to the host name of the active server.
        case cname
        /// The addresses of the active server as A and AAAA, where a CNAME cannot stand: at an apex, or for an endpoint
        /// by address.
        case addresses
    }

    /// The zone in which the name stands.
    public let zone: DomainName
    public let name: DomainName
    public let kind: Kind
    /// For how many seconds resolvers may keep the answer; as long as that, devices may go on calling a failed server.
    public let timeToLive: Int

    /// RFC 2181 section 8 allows more; who steers by a record does not want it kept for over a day.
    public static let timesToLive = 1...86_400
    /// Of a service.
    public static let most = 100

    public init(zone: DomainName, name: DomainName, kind: Kind, timeToLive: Int) throws(InvalidValue) {
        guard DNSBinding.timesToLive.contains(timeToLive) else {
            throw InvalidValue("\(timeToLive)", "is no TTL", expected: "1 to 86400 seconds")
        }
        guard name == zone || name.text.hasSuffix("." + zone.text) else {
            throw InvalidValue(name.text, "is not in the zone \(zone)", expected: "a name in that zone")
        }
        guard kind != .cname || name != zone else {
            // RFC 1034 section 3.6.2: beside a CNAME there is no other record, and an apex has SOA and NS.
            throw InvalidValue(
                name.text, "is the apex of its zone, where no CNAME can stand", expected: "the kind 'addresses' there")
        }
        self.zone = zone
        self.name = name
        self.kind = kind
        self.timeToLive = timeToLive
    }
}
