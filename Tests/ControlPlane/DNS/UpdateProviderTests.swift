import Domain
import Testing

@testable import DNS

/// What only dynamic updates have.
@Suite struct `Dynamic updates` {
    let za1 = RecordSet.alias("za1.dfree.test")
    let ie1 = RecordSet.alias("ie1.dfree.test")

    @Test(arguments: Laboratory.updated)
    func `a thousand names take more than one message`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let labels = (1...1000).map { "a-name-that-is-rather-long-as-names-go-\($0)" }
        try await zone.write(Dictionary(uniqueKeysWithValues: labels.map { ($0, [za1]) }))
        let changes = try labels.map { RecordChange(name: try zone.named($0), expected: [za1], wanted: [ie1]) }
        #expect(UpdateMessage.parts(of: changes).count > 1)
        #expect(try await zone.provider().apply(changes) == .done)
        let present = try await zone.provider().present(changes.map(\.name))
        #expect(present.count == 1000 && present.values.allSatisfy { $0 == [ie1] })
    }

    @Test(arguments: Laboratory.updated)
    func `a conflict in a later message is found before the first is made`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let labels = (1...600).map { "a-name-that-is-rather-long-as-names-go-\($0)" }
        try await zone.write(Dictionary(uniqueKeysWithValues: labels.map { ($0, [za1]) }))
        let changes = try labels.map { label in
            RecordChange(name: try zone.named(label), expected: [label == labels.last ? ie1 : za1], wanted: [ie1])
        }
        guard case .conflict(let present) = try await zone.provider().apply(changes) else {
            throw Failure("no conflict")
        }
        #expect(present.count == 600 && present.values.allSatisfy { $0 == [za1] })
    }

    @Test(arguments: Laboratory.updated)
    func `a rehearsal finds out that the key may not change a name`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let www = [RecordSet.ipv4("192.0.2.1")]
        try await zone.write(["app": [za1], "www": www])
        let narrow = try zone.provider(.key("narrow"))
        #expect(
            try await narrow.rehearse([RecordChange(name: zone.named("www"), expected: www, wanted: www)]) == .done)
        let app = RecordChange(name: try zone.named("app"), expected: [za1], wanted: [ie1])
        let failure = await caught { _ = try await narrow.rehearse([app]) }
        // BIND refuses; Knot says that it does not know the key for this.
        #expect([.refused, .unauthorized].contains(failure?.kind))
        #expect(failure?.reason.contains("narrow") == true)
        await #expect(throws: DNSFailure.self) { try await narrow.apply([app]) }
        #expect(try await zone.says("app") == [za1])
    }

    @Test(arguments: Laboratory.updated)
    func `a CNAME is not put beside other records, where it would leave the name empty`(_ laboratory: Laboratory)
        async throws
    {
        let zone = try await laboratory.zone()
        let there = RecordSet.ipv4("192.0.2.77")
        let change = RecordChange(name: try zone.named("beside"), expected: [there], wanted: [ie1])
        let failure = await caught { _ = try await zone.provider().apply([change]) }
        #expect(failure?.kind == .refused)
        #expect(failure?.reason.contains("TXT") == true)
        #expect(try await zone.says("beside") == [there])
    }

    @Test(arguments: Laboratory.updated)
    func `a server that does not have the zone says so`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        guard let provider = try zone.provider() as? UpdateProvider else { throw Failure("another provider") }
        let stranger = UpdateProvider(
            zone: try DomainName("stranger.test"), server: provider.server, keyName: provider.keyName,
            algorithm: provider.algorithm, credential: provider.credential, credentials: provider.credentials,
            limit: patience)
        let name = try DomainName("app.stranger.test")
        let failures = await [
            caught { _ = try await stranger.present([name]) },
            caught { _ = try await stranger.apply([RecordChange(name: name, expected: [za1], wanted: [ie1])]) },
        ]
        #expect(failures.allSatisfy { $0?.kind == .refused && $0?.mayHaveHappened == false })
    }

    @Test(arguments: Laboratory.updated)
    func `a key by SHA-512 does as well`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        guard let strong = try zone.provider(.key("strong")) as? UpdateProvider else {
            throw Failure("another provider")
        }
        #expect(try await strong.apply([RecordChange(name: zone.named("app"), expected: [], wanted: [za1])]) == .done)
    }

    @Test(arguments: Laboratory.updated)
    func `a key that is unknown there, or no base 64, is not accepted`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        for variation in [LaboratoryZone.Variation.key("nobody"), .credential("damaged")] {
            let provider = try zone.provider(variation)
            let failure = await caught { _ = try await provider.present([zone.named("app")]) }
            #expect(failure?.kind == .unauthorized)
            #expect(failure?.reason.contains("no base 64!") == false)
        }
    }
}

@Suite struct `An update message` {
    let app: RecordChange

    init() throws {
        app = RecordChange(
            name: try DomainName("app.acme.test"), expected: [.alias("za1.dfree.test", ttl: 60)],
            wanted: [.ipv4("192.0.2.1", "192.0.2.2"), .ipv6("2001:db8::1", ttl: 7)])
    }

    @Test func `wants exactly what is expected, and no other type`() {
        #expect(
            UpdateMessage(making: [app]).prerequisites == [
                "app.acme.test. 0 NONE A", "app.acme.test. 0 NONE AAAA",
                "app.acme.test. 0 IN CNAME za1.dfree.test.",
            ])
    }

    @Test func `deletes first and adds then`() {
        #expect(
            UpdateMessage(making: [app]).changes == [
                "app.acme.test. 0 ANY A", "app.acme.test. 0 ANY AAAA", "app.acme.test. 0 ANY CNAME",
                "app.acme.test. 5 IN A 192.0.2.1", "app.acme.test. 5 IN A 192.0.2.2",
                "app.acme.test. 7 IN AAAA 2001:db8::1",
            ])
    }

    @Test func `rehearses by deleting what nobody has`() {
        let rehearsal = UpdateMessage(rehearsing: [app])
        #expect(rehearsal.prerequisites == UpdateMessage(making: [app]).prerequisites)
        #expect(
            rehearsal.changes == [
                "app.acme.test. 0 NONE A 0.0.0.0", "app.acme.test. 0 NONE AAAA ::",
                "app.acme.test. 0 NONE CNAME rehearsal.invalid.",
            ])
    }

    @Test func `has room for some hundred names, and the rest comes in others`() throws {
        let changes = try (0..<1000).map {
            RecordChange(name: try DomainName("n\($0).acme.test"), expected: app.expected, wanted: app.wanted)
        }
        let parts = UpdateMessage.parts(of: changes)
        #expect(parts.count > 1)
        #expect(parts.flatMap(\.self) == changes)
        #expect(parts.dropLast().allSatisfy { $0.count > 100 })
        #expect(UpdateMessage.parts(of: []).isEmpty)
    }

    @Test func `within that room is one that ldns makes`() throws {
        let long = (0..<4).map { _ in String(repeating: "a", count: 60) }.joined(separator: ".")
        let changes = try (0..<500).map {
            RecordChange(
                name: try DomainName("n\($0).\(long)"), expected: [.alias("x\($0).\(long)")],
                wanted: [.alias("y\($0).\(long)")])
        }
        let key = TSIGKey(name: "ddirect", algorithm: .sha512, secret: "c2VjcmV0")
        for part in UpdateMessage.parts(of: changes) {
            let update = UpdateMessage(making: part)
            let message = try LdnsCalls.update(
                1, zone: DomainName("acme.test"), prerequisites: update.prerequisites, changes: update.changes, key: key
            )
            #expect(message.count < 60_000)
        }
    }
}

@Suite struct `An answer of a name server` {
    @Test func `is read from the shim's text`() throws {
        let answer = try #require(
            DNSAnswer(
                """
                0 1 0 good
                app.Acme.test. 30 A 192.0.2.2
                app.acme.test. 20 A 192.0.2.1
                app.acme.test. 20 TXT "some text"
                other.test. 20 AAAA 2001:DB8:0::1

                """))
        #expect(answer.code == .noError && answer.isAuthoritative && !answer.isTruncated && answer.signature == .good)
        #expect(answer.sets(of: try DomainName("app.acme.test")) == [.ipv4("192.0.2.1", "192.0.2.2", ttl: 20)])
        #expect(answer.sets(of: try DomainName("other.test")) == [.ipv6("2001:db8::1", ttl: 20)])
        #expect(answer.sets(of: try DomainName("none.test")) == [])
    }

    @Test(arguments: ["", "0", "0 1 0", "x 1 0 none", "0 1 0 what"])
    func `is not made of anything else`(_ text: String) { #expect(DNSAnswer(text) == nil) }

    @Test func `is one to the question that was asked`() throws {
        let query = try LdnsCalls.query(7, "app.acme.test", "A")
        var answer = query
        answer[2] |= 0x84
        #expect(try LdnsCalls.read(answer, to: query).isAuthoritative)
        let others = [
            try LdnsCalls.query(8, "app.acme.test", "A"), try LdnsCalls.query(7, "apx.acme.test", "A"),
            try LdnsCalls.query(7, "app.acme.test", "AAAA"),
        ]
        for other in others { #expect(throws: LdnsCalls.Failure.self) { try LdnsCalls.read(answer, to: other) } }
        #expect(throws: LdnsCalls.Failure.self) { try LdnsCalls.read(query, to: query) }
    }

    @Test func `may be garbage of any kind`() throws {
        let key = TSIGKey(name: "ddirect", algorithm: .sha256, secret: "c2VjcmV0")
        let query = try LdnsCalls.query(7, "app.acme.test", "A", key: key)
        var generator = SystemRandomNumberGenerator()
        for length in 0..<query.count { _ = try? LdnsCalls.read(Array(query.prefix(length)), to: query, key: key) }
        for _ in 0..<2000 {
            var answer = query
            answer[2] |= 0x84
            for _ in 0..<Int.random(in: 1...6) {
                answer[Int.random(in: 2..<answer.count, using: &generator)] = .random(in: 0 ... .max, using: &generator)
            }
            if let read = try? LdnsCalls.read(answer, to: query, key: key) { #expect(read.signature != .good) }
        }
    }
}
