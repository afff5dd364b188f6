import Domain
import Foundation
import Outgoing
import Testing

@testable import DNS

/// The real servers that every provider has to get on with. Each is started once, when the first test asks for it.
enum Laboratory: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case bind = "BIND"
    case knot = "Knot"
    case powerDNS = "PowerDNS"
    case route53 = "Route 53"

    var testDescription: String { rawValue }

    /// Those whose conditions are theirs, so that of two writers at the same moment one is told of the other.
    static let conditional: [Laboratory] = [.bind, .knot, .route53]
    /// Those that are changed by dynamic updates.
    static let updated: [Laboratory] = [.bind, .knot]

    private static let servers = Servers()

    /// A zone that no other test has, without any of the names that tests use.
    func zone() async throws -> LaboratoryZone { try await Laboratory.servers.server(of: self).zone() }

    /// As the daemon has it, but that nothing here fails by being slow.
    static let http = OutgoingHTTP(connectTimeout: .seconds(60), readTimeout: .seconds(60))

    private actor Servers {
        private var starting: [Laboratory: Task<any LaboratoryServer, any Error>] = [:]

        func server(of laboratory: Laboratory) async throws -> any LaboratoryServer {
            let task = starting[laboratory] ?? Task { try await laboratory.start() }
            starting[laboratory] = task
            return try await task.value
        }
    }

    private func start() async throws -> any LaboratoryServer {
        switch self {
        case .bind: try await NameServer(.bind)
        case .knot: try await NameServer(.knot)
        case .powerDNS: try await PowerDNSServer()
        case .route53: try await Route53Server()
        }
    }
}

/// A zone, and providers that would change it.
struct LaboratoryZone: Sendable {
    enum Variation: Sendable {
        case right
        /// With another credential: `wrong` is one that the server does not accept, `absent` is not there.
        case credential(String)
        /// With another key of dynamic updates.
        case key(String)
        /// At another place, and with another limit.
        case elsewhere(TransportAddress, Duration)
    }

    let name: DomainName
    /// Where it answers DNS, if it does.
    let dns: TransportAddress?
    let make: @Sendable (Variation) throws -> any DNSProvider

    init(name: DomainName, dns: TransportAddress?, make: @escaping @Sendable (Variation) throws -> any DNSProvider) {
        self.name = name
        self.dns = dns
        self.make = make
    }

    func provider(_ variation: Variation = .right) throws -> any DNSProvider { try make(variation) }

    func named(_ label: String) throws -> DomainName { try DomainName("\(label).\(name)") }

    /// Writes names that say nothing yet.
    func write(_ records: [String: [RecordSet]]) async throws {
        let changes = try records.map { RecordChange(name: try named($0), expected: [], wanted: $1) }
        let outcome = try await provider().apply(changes)
        guard outcome == .done else { throw Failure("the zone is not as it should be: \(outcome)") }
    }

    func says(_ label: String) async throws -> [RecordSet] {
        let name = try named(label)
        return try await provider().present([name])[name] ?? []
    }

    /// As anybody is told.
    func answers(_ label: String, _ type: RecordType) async throws -> AuthorityAnswer? {
        guard let dns else { return nil }
        return await AuthorityCheck.patient.ask(
            AuthoritativeServer(address: dns), name: try named(label), type)
    }

    var serial: String? {
        get async throws {
            guard let dns else { return nil }
            let query = try LdnsCalls.query(1, name.text, "SOA")
            let octets = try await DNSTransport().exchange([query], with: dns, over: .tcp, within: patience)
            let soa = try LdnsCalls.read(octets[0], to: query).records.first { $0.type == "SOA" }
            return soa?.value.split(separator: " ").dropFirst(2).first.map(String.init)
        }
    }
}

extension AuthorityCheck {
    /// One to which a busy server is not a silent one.
    static var patient: AuthorityCheck { AuthorityCheck(limit: .seconds(20)) }
}

extension ProviderHTTP {
    static var patient: ProviderHTTP { ProviderHTTP(http: Laboratory.http, limit: patience) }
}

extension RecordSet {
    static func alias(_ target: String, ttl: Int = 5) -> RecordSet {
        RecordSet(.cname, timeToLive: ttl, values: [target])
    }
    static func ipv4(_ addresses: String..., ttl: Int = 5) -> RecordSet {
        RecordSet(.a, timeToLive: ttl, values: addresses)
    }
    static func ipv6(_ addresses: String..., ttl: Int = 5) -> RecordSet {
        RecordSet(.aaaa, timeToLive: ttl, values: addresses)
    }
}
