import Domain
import NIOCore
import NIOPosix
import Testing

@testable import DNS

@Suite struct `A check of authoritative servers` {
    private func zone(_ text: String, _ authorities: [TransportAddress] = []) throws -> Zone {
        try Zone(name: DomainName(text), provider: .command(CommandName("false")), authorities: authorities)
    }

    @Test(arguments: [Laboratory.bind, .knot, .powerDNS])
    func `hears what each says, and that a name says nothing`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [.alias("za1.dfree.test")], "www": [.ipv4("192.0.2.1")]])
        #expect(try await zone.answers("www", .a) == .records([.ipv4("192.0.2.1")]))
        #expect(try await zone.answers("www", .aaaa) == .records([]))
        #expect(try await zone.answers("none", .a) == .records([]))
        // Whoever asks for addresses is told the CNAME, which is what stands in their place.
        #expect(try await zone.answers("app", .a) == .records([.alias("za1.dfree.test")]))
    }

    @Test func `asks by TCP for what does not fit a datagram`() async throws {
        let zone = try await Laboratory.bind.zone()
        // BIND keeps 100 records of a type by default.
        let addresses = (1...90).map { "192.0.2.\($0)" }
        try await zone.write(["many": [RecordSet(.a, timeToLive: 5, values: addresses)]])
        #expect(try await zone.answers("many", .a) == .records([RecordSet(.a, timeToLive: 5, values: addresses)]))
    }

    @Test func `says why there is no answer`() async throws {
        let zone = try await Laboratory.bind.zone()
        let server = AuthoritativeServer(address: try #require(zone.dns))
        let stranger = await AuthorityCheck.patient.ask(server, name: try DomainName("app.stranger.test"), .a)
        #expect(stranger == .failure("it answers REFUSED"))
        let nobody = AuthoritativeServer(address: try await .free())
        let refused = await AuthorityCheck.patient.ask(nobody, name: try zone.named("app"), .a)
        #expect(refused == .failure("\(nobody.address) cannot be connected to: refused"))
    }

    @Test func `does not wait for a silent server for ever`() async throws {
        let silence = try await SilentServer()
        let check = AuthorityCheck(limit: .milliseconds(100))
        let server = AuthoritativeServer(address: silence.address)
        guard case .failure = await check.ask(server, name: try DomainName("app.acme.test"), .a) else {
            throw Failure("an answer")
        }
        await silence.close()
    }

    @Test func `asks those that the zone names`() async throws {
        let places = [try TransportAddress("192.0.2.1:53"), try TransportAddress("[2001:db8::1]:5353")]
        let servers = try await AuthorityCheck().servers(of: zone("acme.test", places))
        #expect(servers.map(\.description) == ["192.0.2.1:53", "[2001:db8::1]:5353"])
    }

    @Test func `else those of the NS records, which a resolver tells`() async throws {
        let zone = try await Laboratory.knot.zone()
        let dns = try #require(zone.dns)
        let check = AuthorityCheck(limit: .seconds(20), resolvers: { [dns] })
        let servers = try await check.servers(of: self.zone(zone.name.text))
        #expect(servers.map(\.description) == ["ns1.\(zone.name) (127.0.0.1:53)"])
    }

    @Test func `goes on to the next resolver, and says what is wrong with all`() async throws {
        let zone = try await Laboratory.knot.zone()
        let dns = try #require(zone.dns)
        let nobody = try await TransportAddress.free()
        let both = AuthorityCheck(limit: .seconds(20), resolvers: { [nobody, dns] })
        #expect(try await both.servers(of: self.zone(zone.name.text)).count == 1)
        let none = AuthorityCheck(limit: .seconds(20), resolvers: { [nobody] })
        let failure = await caught { _ = try await none.servers(of: self.zone(zone.name.text)) }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.reason.contains("\(nobody)") == true)
    }
}

@Suite struct `The settings of the resolver` {
    @Test func `name up to three servers`() throws {
        let text =
            "# nameserver 192.0.2.9\nsearch test\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\nnameserver fe80::1%eth0\n"
        let expected = [try TransportAddress("192.0.2.1:53"), try TransportAddress("[2001:db8::1]:53")]
        #expect(ResolverSettings(text).servers == expected)
        let four = (1...4).map { "nameserver 192.0.2.\($0)\n" }.joined()
        #expect(ResolverSettings(four).servers.count == 3)
    }

    @Test func `mean this machine when there are none`() throws {
        #expect(ResolverSettings("").servers == [try TransportAddress("127.0.0.1:53")])
    }
}
