import Domain

@testable import Fleet

/// A fleet that changes at random, but in the same way in every run with the same seed.
struct FleetHistory {
    private(set) var fleet: FleetState
    private var random: RepeatableGenerator

    static let incarnation = Incarnation(0xABCD)
    static let serverNames = ["za1", "ie1", "us1", "in1"]

    init(seed: UInt64 = 0, services: Int = 10, servers: [String] = FleetHistory.serverNames) throws {
        random = RepeatableGenerator(seed: seed)
        var made: [Service] = []
        for number in 0..<services { made.append(try FleetHistory.service(number, on: servers)) }
        fleet = FleetState(
            incarnation: FleetHistory.incarnation, version: SnapshotVersion(1),
            customers: [Customer(name: try CustomerName("acme"))],
            servers: try servers.enumerated().map { try FleetHistory.server($1, address: $0) }, services: made)
    }

    static func server(_ name: String, address: Int) throws -> Server {
        try Server(
            name: ServerName(name), region: RegionName("region"), hostname: DomainName("\(name).dfree.test"),
            addresses: [Address("203.0.113.\(address % 250)"), Address("2001:db8::\(String(address, radix: 16))")])
    }

    /// A service on the `number`th server and the one after it; `origin` makes its endpoint differ.
    static func service(_ number: Int, on servers: [String], origin: Int = 0) throws -> Service {
        let primary = servers[number % servers.count]
        let standbys = servers.count > 1 ? [servers[(number + 1) % servers.count]] : []
        return try Service(
            name: ServiceName("service-\(number)"), customer: CustomerName("acme"),
            carriage: Carriage(
                clientDomains: [
                    ClientDomain("app\(number).acme.example"), ClientDomain("*.app\(number).acme.example"),
                ],
                endpoint: Endpoint(EndpointTarget(host: EndpointHost("origin\(origin).acme.example")))),
            primary: ServerName(primary), standbys: standbys.map { try ServerName($0) })
    }

    /// Makes the edits of one change, and moves on to its version.
    mutating func commit(_ edits: [Change.Edit]) -> Change {
        let change = Change(version: SnapshotVersion(fleet.version.number + 1), edits: edits)
        fleet.apply(change)
        return change
    }

    /// Moves the endpoint of a service.
    mutating func cutOver(_ number: Int, toOrigin origin: Int) throws -> Change {
        let name = try ServiceName("service-\(number)")
        let before = fleet.services[name]
        let servers = before?.servers.map(\.text) ?? FleetHistory.serverNames
        let moved = try FleetHistory.service(number, on: servers, origin: origin)
        let after = try Service(
            name: name, customer: moved.customer, carriage: moved.carriage,
            primary: before?.primary ?? moved.primary, standbys: before?.standbys ?? moved.standbys)
        return commit([.service(name, before: before, after: after)])
    }

    /// Makes, moves, changes and removes services and servers, or does nothing at all.
    mutating func changeSomething() throws -> Change {
        var edits: [Change.Edit] = []
        var touched: Set<ServiceName> = []
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let number = Int.random(in: 0..<40, using: &random)
            let name = try ServiceName("service-\(number)")
            guard touched.insert(name).inserted else { continue }
            let before = fleet.services[name]
            let isRemoved = before != nil && Int.random(in: 0..<3, using: &random) == 0
            let servers = Array(fleet.servers.keys.map(\.text).sorted().shuffled(using: &random).prefix(2))
            let origin = Int.random(in: 0..<50, using: &random)
            let after = isRemoved ? nil : try FleetHistory.service(number, on: servers, origin: origin)
            guard before != nil || after != nil else { continue }
            edits.append(.service(name, before: before, after: after))
        }
        if Int.random(in: 0..<4, using: &random) == 0 { edits.append(contentsOf: try changeServer()) }
        return commit(edits)
    }

    private mutating func changeServer() throws -> [Change.Edit] {
        let text = (FleetHistory.serverNames + ["br1", "jp1"]).randomElement(using: &random) ?? "za1"
        let name = try ServerName(text)
        let before = fleet.servers[name]
        let isIdle = !fleet.services.values.contains { $0.servers.contains(name) }
        if before != nil, isIdle, !FleetHistory.serverNames.contains(text) {
            return [.server(name, before: before, after: nil)]
        }
        let after = try FleetHistory.server(text, address: Int.random(in: 0..<250, using: &random))
        return [.server(name, before: before, after: after)]
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct RepeatableGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
