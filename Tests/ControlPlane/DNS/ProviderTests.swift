import Testing

@testable import DNS

/// What is promised of every provider, kept by the real servers.
@Suite struct `A provider of a zone` {
    let za1 = RecordSet.alias("za1.dfree.test")
    let ie1 = RecordSet.alias("ie1.dfree.test")

    func change(_ zone: LaboratoryZone, _ label: String, _ expected: [RecordSet], _ wanted: [RecordSet]) throws
        -> RecordChange
    {
        RecordChange(name: try zone.named(label), expected: expected, wanted: wanted)
    }

    @Test(arguments: Laboratory.allCases)
    func `tells what each name says, and nothing of one that says nothing`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let addresses = [RecordSet.ipv4("192.0.2.1", "192.0.2.2"), .ipv6("2001:db8::1")]
        try await zone.write(["app": [za1], "www": addresses])
        let names = try ["app", "www", "none"].map(zone.named)
        let present = try await zone.provider().present(names)
        #expect(present[names[0]] == [za1])
        #expect(present[names[1]] == addresses)
        #expect(present[names[2]] == [])
    }

    @Test(arguments: Laboratory.allCases)
    func `replaces what it expects, and the new TTL is in force`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [za1]])
        let new = RecordSet.alias("ie1.dfree.test", ttl: 30)
        #expect(try await zone.provider().apply([change(zone, "app", [za1], [new])]) == .done)
        #expect(try await zone.says("app") == [new])
        if let answer = try await zone.answers("app", .cname) { #expect(answer == .records([new])) }
    }

    @Test(arguments: Laboratory.allCases)
    func `expects values, whatever their TTL is`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [.alias("za1.dfree.test", ttl: 3600)]])
        #expect(try await zone.provider().apply([change(zone, "app", [za1], [ie1])]) == .done)
        #expect(try await zone.says("app") == [ie1])
    }

    @Test(arguments: Laboratory.allCases)
    func `changes nothing when something else is there, and says what`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let other = RecordSet.alias("elsewhere.test", ttl: 60)
        try await zone.write(["app": [other], "www": [za1]])
        let outcome = try await zone.provider().apply([
            change(zone, "www", [za1], [ie1]), change(zone, "app", [za1], [ie1]),
        ])
        #expect(outcome == .conflict(present: [try zone.named("app"): [other], try zone.named("www"): [za1]]))
        #expect(try await zone.says("app") == [other])
        #expect(try await zone.says("www") == [za1])
    }

    @Test(arguments: Laboratory.allCases)
    func `takes one address more than expected for something else`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let there = RecordSet.ipv4("192.0.2.1", "192.0.2.2")
        try await zone.write(["www": [there]])
        let outcome = try await zone.provider().apply([
            change(zone, "www", [.ipv4("192.0.2.1")], [.ipv4("192.0.2.9")])
        ])
        #expect(outcome == .conflict(present: [try zone.named("www"): [there]]))
        #expect(try await zone.says("www") == [there])
    }

    @Test(arguments: Laboratory.allCases)
    func `takes a type that is not expected for something else`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let there = [RecordSet.ipv4("192.0.2.1"), .ipv6("2001:db8::1")]
        try await zone.write(["www": there])
        let outcome = try await zone.provider().apply([
            change(zone, "www", [.ipv4("192.0.2.1")], [.ipv4("192.0.2.9")])
        ])
        #expect(outcome == .conflict(present: [try zone.named("www"): there]))
        #expect(try await zone.says("www") == there)
    }

    @Test(arguments: Laboratory.allCases)
    func `takes a name that has gone for something else`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let outcome = try await zone.provider().apply([change(zone, "app", [za1], [ie1])])
        #expect(outcome == .conflict(present: [try zone.named("app"): []]))
        #expect(try await zone.says("app") == [])
    }

    @Test(arguments: Laboratory.allCases)
    func `makes addresses of a CNAME, and a CNAME of addresses`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let addresses = [RecordSet.ipv4("192.0.2.1"), .ipv6("2001:db8::1")]
        try await zone.write(["app": [za1]])
        #expect(try await zone.provider().apply([change(zone, "app", [za1], addresses)]) == .done)
        #expect(try await zone.says("app") == addresses)
        #expect(try await zone.provider().apply([change(zone, "app", addresses, [ie1])]) == .done)
        #expect(try await zone.says("app") == [ie1])
    }

    @Test(arguments: Laboratory.allCases)
    func `takes a type away that the standby does not have, and gives one that it has`(_ laboratory: Laboratory)
        async throws
    {
        let zone = try await laboratory.zone()
        let both = [RecordSet.ipv4("192.0.2.1"), .ipv6("2001:db8::1")]
        let single = [RecordSet.ipv4("192.0.2.2", "192.0.2.3")]
        try await zone.write(["www": both])
        #expect(try await zone.provider().apply([change(zone, "www", both, single)]) == .done)
        #expect(try await zone.says("www") == single)
        #expect(try await zone.provider().apply([change(zone, "www", single, both)]) == .done)
        #expect(try await zone.says("www") == both)
    }

    @Test(arguments: Laboratory.allCases)
    func `writes what is there already`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [za1]])
        #expect(try await zone.provider().apply([change(zone, "app", [za1], [za1])]) == .done)
        #expect(try await zone.says("app") == [za1])
    }

    @Test(arguments: Laboratory.allCases)
    func `changes fifty names together`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let labels = (1...50).map { "n\($0)" }
        try await zone.write(Dictionary(uniqueKeysWithValues: labels.map { ($0, [za1]) }))
        var changes = try labels.map { try change(zone, $0, [za1], [ie1]) }
        #expect(try await zone.provider().apply(changes) == .done)
        var present = try await zone.provider().present(changes.map(\.name))
        #expect(present.count == 50 && present.values.allSatisfy { $0 == [ie1] })
        // And none of them, when one is not as it was.
        changes = try labels.map { try change(zone, $0, [$0 == "n50" ? za1 : ie1], [za1]) }
        guard case .conflict = try await zone.provider().apply(changes) else { throw Failure("no conflict") }
        present = try await zone.provider().present(changes.map(\.name))
        #expect(present.values.allSatisfy { $0 == [ie1] })
    }

    @Test(arguments: Laboratory.allCases)
    func `rehearses, and changes nothing, not even the serial`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let addresses = [RecordSet.ipv4("192.0.2.1"), .ipv6("2001:db8::1")]
        try await zone.write(["app": [.alias("za1.dfree.test", ttl: 60)], "www": addresses])
        let serial = try await zone.serial
        let changes = [try change(zone, "app", [za1], [za1]), try change(zone, "www", addresses, addresses)]
        #expect(try await zone.provider().rehearse(changes) == .done)
        #expect(try await zone.provider().rehearse([change(zone, "app", [za1], [ie1])]) == .done)
        #expect(try await zone.says("app") == [.alias("za1.dfree.test", ttl: 60)])
        #expect(try await zone.says("www") == addresses)
        #expect(try await zone.serial == serial)
    }

    @Test(arguments: Laboratory.allCases)
    func `rehearses, and says what is not as expected`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [ie1]])
        let outcome = try await zone.provider().rehearse([change(zone, "app", [za1], [za1])])
        #expect(outcome == .conflict(present: [try zone.named("app"): [ie1]]))
    }

    @Test(arguments: Laboratory.conditional)
    func `lets one of many writers at the same moment through`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [za1]])
        let provider = try zone.provider()
        let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
            for writer in 1...12 {
                let wanted = try change(zone, "app", [za1], [.alias("w\(writer).dfree.test")])
                group.addTask { try await provider.apply([wanted]) == .done ? writer : nil }
            }
            return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
        }
        #expect(winners.count == 1)
        #expect(try await zone.says("app") == [.alias("w\(winners.first ?? 0).dfree.test")])
    }

    // MARK: Failures

    @Test(arguments: Laboratory.allCases)
    func `is told that its credential is not accepted`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        try await zone.write(["app": [za1]])
        let provider = try zone.provider(.credential("wrong"))
        let changes = [try change(zone, "app", [za1], [ie1])]
        for failure in await [
            caught { _ = try await provider.apply(changes) }, caught { _ = try await provider.rehearse(changes) },
            caught { _ = try await provider.present([zone.named("app")]) },
        ] {
            #expect(failure?.kind == .unauthorized)
            #expect(failure?.mayHaveHappened == false)
            #expect(failure?.reason.contains("wrong") == true)
        }
        #expect(try await zone.says("app") == [za1])
    }

    @Test(arguments: Laboratory.allCases)
    func `names the file of a credential that is not there`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let provider = try zone.provider(.credential("absent"))
        let failure = await caught { _ = try await provider.rehearse([change(zone, "app", [za1], [ie1])]) }
        #expect(failure?.kind == .unauthorized)
        #expect(failure?.reason.contains("/absent is not there") == true)
    }

    @Test(arguments: Laboratory.allCases)
    func `says of a server that is down that nothing has happened`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let provider = try zone.provider(.elsewhere(try await .free(), patience))
        let failure = await caught { _ = try await provider.apply([change(zone, "app", [za1], [ie1])]) }
        #expect(failure?.kind == .unreachable)
        #expect(failure?.mayHaveHappened == false)
    }

    @Test(arguments: Laboratory.allCases)
    func `does not wait for a silent server for ever`(_ laboratory: Laboratory) async throws {
        let zone = try await laboratory.zone()
        let silence = try await SilentServer()
        let provider = try zone.provider(.elsewhere(silence.address, .milliseconds(300)))
        let failure = await caught { _ = try await provider.apply([change(zone, "app", [za1], [ie1])]) }
        #expect(failure?.kind == .unreachable)
        // The others read before they write, and were not told anything.
        #expect(failure?.mayHaveHappened == Laboratory.updated.contains(laboratory))
        await silence.close()
    }
}

/// What an operation fails with; nil when it does not, or with something else.
func caught(_ operation: () async throws -> Void) async -> DNSFailure? {
    do {
        try await operation()
        return nil
    } catch {
        return error as? DNSFailure
    }
}
