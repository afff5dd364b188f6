import Domain
import Testing

@Suite struct `Server and service` {
    @Test(arguments: ["a", "acme-app", "0", "a--b", String(repeating: "x", count: 63)])
    func `names are slugs`(text: String) throws {
        #expect(try ServiceName(text).text == text)
    }

    @Test(arguments: [
        "", "-a", "a-", "A", "a_b", "a.b", "a b", "é", String(repeating: "x", count: 64), "a/b", "a\u{0}",
    ])
    func `names that are no slugs are refused`(text: String) {
        #expect(throws: InvalidValue.self) { try ServiceName(text) }
        #expect(throws: InvalidValue.self) { try ServerName(text) }
    }

    @Test func `a long value is shown shortened`() {
        let error = #expect(throws: InvalidValue.self) { try ServiceName(String(repeating: "X", count: 10_000)) }
        #expect((error?.description.utf8.count ?? .max) < 300)
    }

    @Test func `a server has addresses, each once, and default services for its own only`() throws {
        func server(_ addresses: [String], defaults: [String] = []) throws {
            var services: [Address: ServiceName] = [:]
            for address in defaults { services[try Address(address)] = try ServiceName("a") }
            _ = try Server(
                name: ServerName("za1"), region: RegionName("r"), hostname: DomainName("za1.test.example"),
                addresses: addresses.map { try Address($0) }, defaultServices: services)
        }
        try server(["192.0.2.1", "2001:db8::1"], defaults: ["192.0.2.1"])
        #expect(throws: InvalidValue.self) { try server([]) }
        #expect(throws: InvalidValue.self) { try server(["192.0.2.1", "::ffff:192.0.2.1"]) }
        #expect(throws: InvalidValue.self) { try server((1...65).map { "192.0.2.\($0)" }) }
        #expect(throws: InvalidValue.self) { try server(["192.0.2.1"], defaults: ["192.0.2.2"]) }
    }

    @Test func `a service is carried by servers that differ`() throws {
        func service(_ primary: String, _ standbys: [String]) throws -> [ServerName] {
            let carriage = try Carriage(
                clientDomains: [ClientDomain("a.test.example")],
                endpoint: Endpoint(EndpointTarget(host: EndpointHost("192.0.2.1"))))
            return try Service(
                name: ServiceName("a"), customer: CustomerName("c"), carriage: carriage, primary: ServerName(primary),
                standbys: standbys.map { try ServerName($0) }
            ).servers
        }
        #expect(try service("a", ["b", "c"]).map(\.text) == ["a", "b", "c"])
        #expect(throws: InvalidValue.self) { try service("a", ["a"]) }
        #expect(throws: InvalidValue.self) { try service("a", ["b", "b"]) }
    }
}
