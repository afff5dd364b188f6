import Domain
import Testing

@Suite struct `Limits` {
    @Test func `are a number, the standard one, or none, of which a counter reaches none`() throws {
        let standard = try Limit(4096)
        #expect(Limit.standard.inForce(standard: standard) == 4096)
        #expect(Limit.unlimited.inForce(standard: standard) == .max)
        #expect(try Limit(7).inForce(standard: standard) == 7)
        #expect(Limit.standard.inForce(standard: .unlimited) == .max)
        #expect(Limit.standard.number == nil && Limit.unlimited.number == nil)
        #expect(try Limit(1_000_000_000).number == 1_000_000_000)
    }

    @Test(arguments: [0, -1, 1_000_000_001, Int.max, Int.min])
    func `of no connections, or of more than there can be, are refused`(number: Int) {
        #expect(throws: InvalidValue.self) { try Limit(number) }
    }

    @Test func `of a rate are in bytes a second, and 0 asks for none`() throws {
        #expect(try ServiceLimits(minimumRate: 0).minimumRate == 0)
        #expect(try ServerLimits(minimumRate: 1_000_000).minimumRate == 1_000_000)
        #expect(throws: InvalidValue.self) { try ServiceLimits(minimumRate: 1_000_001) }
        #expect(throws: InvalidValue.self) { try ServerLimits(minimumRate: .max) }
    }

    @Test func `let thousands of phones behind one address through unless somebody says otherwise`() {
        #expect(ServiceLimits.standardConnections == .unlimited)
        #expect(ServiceLimits.standardNewConnections == .unlimited)
        #expect(ServiceLimits.standardClientConnections.inForce(standard: .standard) == 4096)
        #expect(ServiceLimits.standardNewClientConnections.inForce(standard: .standard) == 1000)
        #expect(ServerLimits.standardClientConnections.inForce(standard: .standard) == 8192)
        #expect(ServerLimits.standardNewClientConnections.inForce(standard: .standard) == 2000)
        #expect(ServerLimits.standardClientOpenings.inForce(standard: .standard) == 1024)
    }

    @Test func `count an IPv4 address as one client, and a /64 of IPv6`() throws {
        #expect(try Address("203.0.113.7").client == Prefix("203.0.113.7/32"))
        #expect(try Address("2001:db8:1:2:3:4:5:6").client == Prefix("2001:db8:1:2::/64"))
        #expect(try Address("::ffff:203.0.113.7").client == Prefix("203.0.113.7/32"))
    }
}

@Suite struct `Client access` {
    @Test func `is denied first, and then allowed only to what is named, if anything is`() throws {
        let access = try ClientAccess(
            allow: [Prefix("10.0.0.0/8"), Prefix("2001:db8::/32")], deny: [Prefix("10.1.0.0/16")])
        let verdicts = [
            "10.0.0.1": true, "10.1.0.1": false, "11.0.0.1": false, "2001:db8::1": true, "2001:db9::1": false,
        ]
        for (client, verdict) in verdicts {
            let address = try Address(client)
            #expect(access.admits(address) == verdict, "\(client)")
        }
        let denying = try ClientAccess(deny: [Prefix("0.0.0.0/0")])
        let (old, new) = (try Address("192.0.2.1"), try Address("2001:db8::1"))
        #expect(denying.admits(new) && !denying.admits(old))
        #expect(ClientAccess.open.isOpen && !denying.isOpen)
    }

    @Test func `has 1000 prefixes of each kind at most, each once`() throws {
        let prefixes = (0...1000).map { Prefix(covering: Address(ipv4: UInt32($0 << 8)), length: 24) }
        #expect(
            try ClientAccess(allow: Array(prefixes.dropLast()), deny: Array(prefixes.dropLast())).allow.count == 1000)
        #expect(throws: InvalidValue.self) { try ClientAccess(allow: prefixes) }
        #expect(throws: InvalidValue.self) { try ClientAccess(deny: prefixes) }
        #expect(throws: InvalidValue.self) { try ClientAccess(allow: [prefixes[1], prefixes[1]]) }
    }
}

@Suite struct `A flow log` {
    @Test func `of a service counts before its server's, and nothing said is nothing written`() throws {
        let nothing = FlowLog.standard.resolved(over: .standard)
        #expect(nothing.oneIn == 0 && nothing.interval == 300)
        let server = try FlowLog(oneIn: 100, interval: 60)
        let followed = FlowLog.standard.resolved(over: server)
        #expect(followed.oneIn == 100 && followed.interval == 60)
        let own = try FlowLog(oneIn: 0).resolved(over: server)
        #expect(own.oneIn == 0 && own.interval == 60)
        let every = try FlowLog(oneIn: 1, interval: 0).resolved(over: server)
        #expect(every.oneIn == 1 && every.interval == 0)
    }

    @Test func `is of one flow in a million at least, and of a line a day`() {
        #expect(throws: InvalidValue.self) { try FlowLog(oneIn: 1_000_001) }
        #expect(throws: InvalidValue.self) { try FlowLog(interval: 86_401) }
    }
}

@Suite struct `Forwarded fields` {
    private func carriage(_ forwardedFor: ForwardedFor, _ fields: ForwardedFields?) throws -> Carriage {
        try Carriage(
            clientDomains: [ClientDomain("app.acme.example")],
            endpoint: Endpoint(EndpointTarget(host: EndpointHost("origin.acme.example"))), forwardedFor: forwardedFor,
            forwardedFields: fields)
    }

    @Test func `are stripped where the device's X-Forwarded-For is replaced, unless somebody says otherwise`() throws {
        #expect(try carriage(.replace, nil).forwardedFieldsInForce == .strip)
        #expect(try carriage(.append, nil).forwardedFieldsInForce == .keep)
        #expect(try carriage(.off, nil).forwardedFieldsInForce == .keep)
        for fields in ForwardedFields.allCases {
            #expect(try carriage(.replace, fields).forwardedFieldsInForce == fields)
        }
    }
}
