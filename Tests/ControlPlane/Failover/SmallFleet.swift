import Domain
import Foundation

@testable import DNS
@testable import Failover
@testable import Fleet

/// Values for tests without a store: three servers, services at za1 with ie1 as their standby, a zone.
struct SmallFleet {
    let za1: Server
    let ie1: Server
    let us1: Server
    let zone: Zone
    private(set) var services: [Service] = []
    var version: UInt64 = 1

    static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    init(_ services: String...) throws {
        func server(_ name: String, region: String) throws -> Server {
            try Server(
                name: ServerName(name), region: RegionName(region), hostname: DomainName("\(name).dfree.test"),
                addresses: [Address("192.0.2.1")])
        }
        za1 = try server("za1", region: "south")
        ie1 = try server("ie1", region: "north")
        us1 = try server("us1", region: "west")
        zone = try Zone(name: DomainName("acme.test"), provider: .command(CommandName("nowhere")))
        for name in services { try add(name) }
    }

    mutating func add(_ name: String, isSteered: Bool = true) throws {
        let domain = try DomainName("\(name).acme.test")
        services.append(
            try Service(
                name: ServiceName(name), customer: CustomerName("acme"),
                carriage: Carriage(
                    clientDomains: [ClientDomain(domain.text)],
                    endpoint: Endpoint(EndpointTarget(host: .name(DomainName("origin.acme.test"))))),
                primary: za1.name, standbys: [ie1.name],
                bindings: isSteered
                    ? [DNSBinding(zone: zone.name, name: domain, kind: .cname, timeToLive: 5)] : []))
        version += 1
    }

    mutating func remove(_ name: String) {
        services.removeAll { $0.name.text == name }
        version += 1
    }

    var state: FleetState {
        FleetState(
            incarnation: Incarnation(1), version: SnapshotVersion(version), servers: [za1, ie1, us1],
            services: services, zones: [zone])
    }

    func service(_ name: String) throws -> ServiceName { try ServiceName(name) }

    /// A failover that moves services, all by the one zone.
    func failover(
        _ number: Int64 = 1, _ services: String..., from: String = "za1", to: String = "ie1",
        kind: Failover.Kind = .automatic, returnsAt: Date? = nil
    ) throws -> Failover {
        let (from, to) = (try ServerName(from), try ServerName(to))
        let records = try services.map { name in
            Failover.SteeredRecord(
                service: try ServiceName(name),
                change: RecordChange(
                    name: try DomainName("\(name).acme.test"),
                    expected: [RecordSet(.cname, timeToLive: 5, values: ["\(from).dfree.test"])],
                    wanted: [RecordSet(.cname, timeToLive: 5, values: ["\(to).dfree.test"])]))
        }
        return Failover(
            id: FailoverID(number: number), kind: kind, server: kind == .failback ? to : from, reason: "a test",
            author: "ann", at: SmallFleet.noon, returnsAt: returnsAt, reverses: nil,
            moves: try services.map { Failover.Move(service: try ServiceName($0), from: from, to: to) },
            zones: [Failover.ZoneWork(zone: zone.name, records: records)])
    }
}

extension Placements {
    /// Carries a failover as far as its services have arrived.
    mutating func carryOut(_ failover: Failover, in fleet: SmallFleet, isFinished: Bool = true) {
        begin(failover)
        var ended = failover
        let settled = ended.endZone(0, as: .written, in: fleet.state.services)
        change(failover.id) { $0 = ended }
        settle(FailoverStep(placed: settled.placed, released: settled.moves.map(\.service)), of: failover.id)
        if isFinished { finish(failover.id) }
    }
}
