import Domain

@testable import Fleet
@testable import Store

/// What the tests of the store say to it.
extension Store {
    func create(customer name: String) async throws {
        let customer = Customer(name: try CustomerName(name))
        try await propose([.customer(customer.name, before: nil, after: customer)])
    }

    func create(service name: String, domain: String, endpoint: String = "origin.test") async throws {
        let service = try Service.sample(name, domains: [domain], endpoint: endpoint)
        try await propose([.service(service.name, before: nil, after: service)])
    }

    /// Customer acme, server za1, and service app on it: versions 1 to 3.
    func furnish(endpoint: String = "origin.test") async throws {
        try await create(customer: "acme")
        let server = try Server.sample("za1", address: 1)
        try await propose([.server(server.name, before: nil, after: server)])
        try await create(service: "app", domain: "app.test", endpoint: endpoint)
    }

    func propose(_ edits: [Change.Edit]) async throws {
        let request = ChangeRequest(author: "test", action: "test", target: "")
        _ = try await change(request) { _ in Proposal(edits) }
    }

    /// One random change, or an attempt at one that the rules refuse.
    func changeSomething(using random: inout SplitMix) async {
        let state = state
        do {
            switch Int.random(in: 0..<13, using: &random) {
            case 0:
                let name = try CustomerName("c\(Int.random(in: 0..<4, using: &random))")
                let before = state.customers[name]
                try await propose([.customer(name, before: before, after: before == nil ? Customer(name: name) : nil)])
            case 1, 2:
                let number = Int.random(in: 0..<4, using: &random)
                let name = try ServerName("s\(number)")
                let before = state.servers[name]
                let deleted = before != nil && Bool.random(using: &random)
                let address = number * 10 + Int.random(in: 0..<3, using: &random)
                try await propose([
                    .server(name, before: before, after: deleted ? nil : try Server.sample(name.text, address: address))
                ])
            case 3, 4:
                let zone = try Zone.sample(
                    "z\(Int.random(in: 0..<3, using: &random)).test",
                    command: "command-\(Int.random(in: 0..<3, using: &random))")
                let before = state.zones[zone.name]
                let deleted = before != nil && Bool.random(using: &random)
                try await propose([.zone(zone.name, before: before, after: deleted ? nil : zone)])
            case 5:
                var settings = state.settings
                settings.holdDown = Int.random(in: 300..<303, using: &random)
                try await propose([.settings(before: state.settings, after: settings)])
            default:
                let name = try ServiceName("app\(Int.random(in: 0..<8, using: &random))")
                let before = state.services[name]
                var after: Service?
                if before == nil || Int.random(in: 0..<3, using: &random) > 0 {
                    // Domains come from one small pool, so that they move from service to service over time.
                    let domains = Set((0..<2).map { _ in "d\(Int.random(in: 0..<20, using: &random)).test" }).sorted()
                    let servers = (0..<4).shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)).map {
                        "s\($0)"
                    }
                    after = try Service.sample(
                        name.text, customer: "c\(Int.random(in: 0..<4, using: &random))", domains: domains,
                        endpoint: "o\(Int.random(in: 0..<9, using: &random)).test", servers: Array(servers),
                        names: (0..<Int.random(in: 0..<2, using: &random)).map { _ in
                            "n\(Int.random(in: 0..<4, using: &random)).z\(Int.random(in: 0..<3, using: &random)).test"
                        })
                }
                try await propose([.service(name, before: before, after: after)])
            }
        } catch {
            // Refused: the next attempt is another one.
        }
    }

    /// Lets the database grow no further than the pages that it has, or as far as it likes.
    func limitPages(toThoseInUse limited: Bool) async throws {
        _ = try await write { connection in
            let pages = try connection.rows("PRAGMA page_count").first?.integer(0) ?? 0
            _ = try connection.rows("PRAGMA max_page_count = \(limited ? pages : 1_000_000)")
            return true
        }
    }
}

extension FleetState {
    /// Whether the two have the same resources, whatever their versions.
    func holdsTheSame(as other: FleetState) -> Bool {
        customers == other.customers && servers == other.servers && services == other.services && owners == other.owners
            && zones == other.zones && settings == other.settings
    }
}

extension Service {
    static func sample(
        _ name: String, customer: String = "acme", domains: [String], endpoint: String = "origin.test",
        servers: [String] = ["za1"], names: [String] = []
    ) throws -> Service {
        try Service(
            name: try ServiceName(name), customer: try CustomerName(customer),
            carriage: try Carriage(
                clientDomains: try domains.map { try ClientDomain($0) },
                endpoint: try Endpoint(EndpointTarget(host: try EndpointHost(endpoint)))),
            primary: try ServerName(servers[0]), standbys: try servers.dropFirst().map { try ServerName($0) },
            bindings: try names.map { name in
                let name = try DomainName(name)
                // The zone is what follows the first label.
                return try DNSBinding(
                    zone: try DomainName(name.parent ?? ""), name: name, kind: .cname, timeToLive: 5)
            })
    }
}

extension Server {
    static func sample(
        _ name: String, hostname: String? = nil, address: Int, interval: Int? = nil, timeout: Int? = nil
    ) throws -> Server {
        var monitoring = MonitoringOverrides()
        monitoring.interval = interval
        monitoring.timeout = timeout
        return try Server(
            name: try ServerName(name), region: try RegionName("af-south-1"),
            hostname: try DomainName(hostname ?? "\(name).dfree.test"),
            addresses: [try Address("198.51.100.\(address)")], monitoring: monitoring)
    }
}

extension Zone {
    static func sample(_ name: String, command: String = "change-dns") throws -> Zone {
        try Zone(name: try DomainName(name), provider: .command(CommandName(command)))
    }
}
