import Testing

@testable import Domain

@Suite struct `Endpoint policy` {
    @Test func `reads every prefix that it reserves`() {
        #expect(EndpointPolicy.reserved.count == EndpointPolicy.reservedText.count)
        #expect(EndpointPolicy.reserved.map(\.description) == EndpointPolicy.reservedText)
    }

    @Test(arguments: [
        "127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "198.19.0.1", "::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001::1", "fe80::1", "fec0::1", "fd00::1", "ff02::1",
        // The inner addresses of clouds: Azure, Alibaba, Oracle, AWS, Google (four), IBM (two).
        "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "199.36.153.5",
        "199.36.153.11", "2600:2d00:2:2000::1", "161.26.0.10", "166.9.1.1", "::ffff:168.63.129.16",
        // Documentation, and what has no machine behind it.
        "192.0.2.1", "198.51.100.1", "203.0.113.255", "192.88.99.1", "2001:db8::1", "3fff:fff::1", "100::1",
        "2001:2::1", "2001:10::1", "2001:1ff:ffff::", "5f00::1", "4000::1", "9000::1", "1fff::1",
        "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1",
    ])
    func `keeps endpoints out of our insides`(address: String) throws {
        guard case .reserved? = EndpointPolicy().refusal(of: try Address(address)) else {
            Issue.record("\(address) was let through")
            return
        }
    }

    @Test(arguments: [
        "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1", "168.63.129.15", "168.63.129.17", "161.27.0.1",
        "166.12.0.1", "192.0.3.1", "198.51.101.1", "203.0.112.255", "2001:200::1", "2001:db7::1", "2001:db9::1",
        "2000::1", "3fff:1000::1", "2003::1",
    ])
    func `lets the rest through`(address: String) throws {
        #expect(EndpointPolicy().refusal(of: try Address(address)) == nil)
    }

    @Test func `lets excepted prefixes through, but not the fleet in them`() throws {
        let own = try Address("127.0.0.11")
        let wide = EndpointPolicy(exceptions: [try Prefix("127.0.0.0/8")], fleet: [own])
        #expect(wide.refusal(of: try Address("127.0.0.1")) == nil)
        #expect(wide.refusal(of: own) == .fleet)
        #expect(wide.refusal(of: try Address("10.0.0.1")) != nil)
        let exact = EndpointPolicy(exceptions: [try Prefix("127.0.0.11/32")], fleet: [own])
        #expect(exact.refusal(of: own) == nil)
    }
}

@Suite struct `Endpoint values` {
    static func target(_ host: String, http: Int = 80) throws -> EndpointTarget {
        EndpointTarget(host: try EndpointHost(host), httpPort: try Port(http))
    }

    @Test func `has ports from 1 to 65535`() throws {
        for number in [Int.min, -1, 0, 65_536, Int.max] { #expect(throws: InvalidValue.self) { try Port(number) } }
        for number in [1, 65_535] { #expect(try Port(number).number == UInt16(number)) }
    }

    @Test func `is a name or an address`() throws {
        #expect(try EndpointHost("192.0.2.1") == .address(Address("192.0.2.1")))
        #expect(try EndpointHost("2001:DB8::1").description == "2001:db8::1")
        #expect(try EndpointHost("Origin.Acme.Example") == .name(DomainName("origin.acme.example")))
        for text in ["", "*.acme.example", "http://acme.example", "acme.example:80", "[::1]", "192.0.2.300", "127.1"] {
            #expect(throws: InvalidValue.self) { try EndpointHost(text) }
        }
    }

    @Test func `has at most four fallbacks, each different`() throws {
        let targets = try (1...6).map { try `Endpoint values`.target("192.0.2.\($0)") }
        #expect(try Endpoint(targets[0], fallbacks: Array(targets[1...4])).targets == Array(targets[0...4]))
        #expect(throws: InvalidValue.self) { try Endpoint(targets[0], fallbacks: Array(targets[1...5])) }
        #expect(throws: InvalidValue.self) { try Endpoint(targets[0], fallbacks: [targets[0]]) }
        #expect(throws: InvalidValue.self) { try Endpoint(targets[0], fallbacks: [targets[1], targets[1]]) }
        let otherPort = try `Endpoint values`.target("192.0.2.1", http: 8080)
        #expect(try Endpoint(targets[0], fallbacks: [otherPort]).fallbacks == [otherPort])
    }
}

@Suite struct `Carriage values` {
    static func carriage(_ domains: [String], to hosts: String...) throws -> Carriage {
        let targets = try hosts.map { EndpointTarget(host: try EndpointHost($0)) }
        return try Carriage(
            clientDomains: domains.map { try ClientDomain($0) },
            endpoint: Endpoint(targets[0], fallbacks: Array(targets.dropFirst())))
    }

    @Test(arguments: [
        (["app.acme.example"], "app.acme.example"), (["*.acme.example"], "origin.acme.example"),
        (["a.example", "b.example"], "b.example"), (["APP.acme.example"], "app.acme.EXAMPLE."),
    ])
    func `whose endpoint is its own client domain would be a loop`(domains: [String], host: String) {
        let error = #expect(throws: InvalidValue.self) { try `Carriage values`.carriage(domains, to: host) }
        #expect(error?.problem.contains("loop") == true)
    }

    @Test func `whose fallback is its own client domain would be a loop too`() {
        #expect(throws: InvalidValue.self) {
            try `Carriage values`.carriage(["app.acme.example"], to: "origin.acme.example", "app.acme.example")
        }
    }

    @Test(arguments: [
        (["*.acme.example"], "acme.example"), (["*.acme.example"], "a.b.acme.example"),
        (["app.acme.example"], "acme.example"),
        (["app.acme.example"], "192.0.2.1"),
    ])
    func `whose endpoint only resembles its client domain is none`(domains: [String], host: String) throws {
        #expect(try `Carriage values`.carriage(domains, to: host).clientDomains.count == 1)
    }

    @Test func `has 1 to 1000 client domains, each once`() throws {
        let domains = (0..<1001).map { "app\($0).acme.example" }
        #expect(throws: InvalidValue.self) { try `Carriage values`.carriage([], to: "192.0.2.1") }
        #expect(throws: InvalidValue.self) { try `Carriage values`.carriage(domains, to: "192.0.2.1") }
        #expect(throws: InvalidValue.self) {
            try `Carriage values`.carriage(["a.example", "A.example."], to: "192.0.2.1")
        }
        let twiceInMany = Array(domains[..<500]) + [domains[20]]
        #expect(throws: InvalidValue.self) { try `Carriage values`.carriage(twiceInMany, to: "192.0.2.1") }
        #expect(try `Carriage values`.carriage(Array(domains[..<1000]), to: "192.0.2.1").clientDomains.count == 1000)
    }

    @Test func `is equal to another of the same content`() throws {
        let one = try `Carriage values`.carriage(["app.acme.example"], to: "192.0.2.1")
        let same = try `Carriage values`.carriage(["app.acme.example"], to: "192.0.2.1")
        let other = try `Carriage values`.carriage(["app.acme.example"], to: "192.0.2.2")
        #expect(one == same && one.hashValue == same.hashValue)
        #expect(one != other)
    }
}
