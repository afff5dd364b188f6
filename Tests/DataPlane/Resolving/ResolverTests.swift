import Domain
import Glibc
import Synchronization
import Syscalls
import Testing

@testable import DataPlane

/// What a resolver has told.
private final class Told: Sendable {
    private let addresses = Mutex<[Int32: EndpointAddresses]>([:])

    func take(_ updates: Resolver.Addresses) {
        addresses.withLock { known in for update in updates { known[update.index] = update.addresses } }
    }

    /// How many names have addresses.
    var known: Int { addresses.withLock { all in all.values.count { $0.status == .known } } }

    func status(_ slot: NameSlot) -> EndpointAddresses.Status {
        addresses.withLock { $0[slot.index]?.status ?? .unknown }
    }

    func candidates(_ slot: NameSlot) -> [String] {
        guard let known = addresses.withLock({ $0[slot.index] }) else { return [] }
        var all: [String] = []
        while let next = known.candidate(all.count, rotation: 0) { all.append("\(next.address)") }
        return all
    }
}

/// Names kept resolved by a real resolver on a thread of its own.
private func withResolver(
    asking servers: NameServers, names: [String], _ body: (Resolver, Told, [NameSlot]) throws -> Void
) throws {
    let told = Told()
    let resolver = try Resolver(servers: servers) { told.take($0) }
    let slots = names.indices.map { NameSlot(index: Int32($0), tenant: 1) }
    resolver.mailbox.post(
        .change(
            add: try zip(slots, names).map { slot, name in
                ResolverMessage.Addition(slot: slot, host: .name(try DomainName(name)), owner: slot.index)
            }, remove: []))
    let problem = Mutex("")
    let thread = try JoinableThread(named: "resolver") {
        do { try resolver.run() } catch { problem.withLock { $0 = "\(error)" } }
    }
    defer {
        resolver.mailbox.post(.stop)
        thread.join()
    }
    try body(resolver, told, slots)
    #expect(problem.withLock { $0 } == "")
}

private func withResolver(
    asking server: OddNameServer, names: [String], _ body: (Resolver, Told, [NameSlot]) throws -> Void
) throws {
    defer { server.stop() }
    try withResolver(asking: NameServers(given: [server.place]), names: names, body)
}

/// Long enough for a debug build on a machine that does three other things.
private let patience = Duration.seconds(60)

@Suite(.serialized) struct `A resolver whose name server misbehaves` {
    private let old = Address(ipv4: 0xC000_0201)
    private let new = Address(ipv4: 0xC000_0202)

    @Test func `keeps a good address while one family fails and the other has nothing`() throws {
        let good = OddNameServer.Reply.addresses([old], ttl: 1)
        let server = try OddNameServer { _, family in family == .ipv4 ? good : .nothing }
        try withResolver(asking: server, names: ["origin.example"]) { resolver, told, slots in
            try eventually("the address is known", within: patience) { told.status(slots[0]) == .known }
            server.change { _, family in family == .ipv4 ? .failure : .nothing }
            let asked = server.questions(about: "origin.example")
            try eventually("it has been asked for again, twice", within: patience) {
                server.questions(about: "origin.example") >= asked + 2
            }
            try eventually("the failure is counted", within: patience) {
                (resolver.statistics.counts.failures[.serverFailure] ?? 0) >= 1
            }
            #expect(told.candidates(slots[0]) == ["192.0.2.1"])
            try eventually("it is among the troubled names", within: patience) {
                resolver.statistics.worst.contains { $0.name == "origin.example" && $0.isServing }
            }
        }
    }

    @Test(arguments: [OddNameServer.Reply.referral, .aliasLoop, .cutOff, .longAddress])
    func `keeps good addresses while it answers neither yes nor no`(reply: OddNameServer.Reply) throws {
        let addresses = [old, try Address("2001:db8::1")]
        let server = try OddNameServer { _, _ in .addresses(addresses, ttl: 1) }
        try withResolver(asking: server, names: ["origin.example"]) { resolver, told, slots in
            let known: Set = ["192.0.2.1", "2001:db8::1"]
            try eventually("the addresses are known") { Set(told.candidates(slots[0])) == known }
            server.change { _, _ in reply }
            try eventually("failures are counted") {
                (resolver.statistics.counts.failures[.malformed] ?? 0) >= 4
            }
            #expect(resolver.statistics.counts.nothing == 0)
            #expect(Set(told.candidates(slots[0])) == known)
            try eventually("it is among the troubled names") {
                resolver.statistics.worst.contains {
                    $0.name == "origin.example" && $0.isServing && $0.failure == .malformed
                }
            }
        }
    }

    @Test func `tells addresses of one family although nobody answers for the other`() throws {
        let good = OddNameServer.Reply.addresses([old], ttl: 1)
        let server = try OddNameServer { _, family in family == .ipv4 ? good : .silence }
        try withResolver(asking: server, names: ["origin.example"]) { resolver, told, slots in
            try eventually("the address is known", within: patience) { told.status(slots[0]) == .known }
            // The question about the other family is still open: it was not waited for.
            #expect(resolver.statistics.underWay > 0)
        }
    }

    @Test func `knows 20 live names among 10,000 that nobody answers for within two seconds`() throws {
        let good = OddNameServer.Reply.addresses([old], ttl: 1)
        let server = try OddNameServer { name, _ in name.hasPrefix("live") ? good : .silence }
        let names = (0..<10_000).map { "dead\($0).example" } + (0..<20).map { "live\($0).example" }
        let start = ContinuousClock.now
        try withResolver(asking: server, names: names.shuffled()) { _, told, _ in
            try eventually("20 names are known", within: patience) { told.known == 20 }
            print("20 live names among 10,000 dead ones were known after \(ContinuousClock.now - start)")
        }
    }

    @Test func `follows a name of TTL 1 beside 1,500 that nobody answers for`() throws {
        let server = try OddNameServer { [old] name, family in
            name != "live.example" ? .silence : family == .ipv4 ? .addresses([old], ttl: 1) : .nothing
        }
        let names = ["live.example"] + (0..<1500).map { "dead\($0).example" }
        try withResolver(asking: server, names: names) { resolver, told, slots in
            try eventually("the address is known", within: patience) { told.status(slots[0]) == .known }
            // By then each of the dead ones has failed.
            try eventually("all others have failed", within: patience) { resolver.statistics.troubled == 1500 }
            server.change { [new] name, family in
                name != "live.example" ? .silence : family == .ipv4 ? .addresses([new], ttl: 1) : .nothing
            }
            let changed = ContinuousClock.now
            try eventually("the new address is known", within: patience) { told.candidates(slots[0]) == ["192.0.2.2"] }
            print("A name of TTL 1 beside 1,500 dead ones has moved after \(ContinuousClock.now - changed)")
        }
    }

    @Test func `asks all names at once when the server is back`() throws {
        let good = OddNameServer.Reply.addresses([old], ttl: 1)
        let names = (0..<200).map { "live\($0).example" }
        let server = try OddNameServer { _, _ in .silence }
        try withResolver(asking: server, names: names) { resolver, told, slots in
            try eventually("all have failed", within: patience) { resolver.statistics.troubled == 200 }
            server.change { _, _ in good }
            let back = ContinuousClock.now
            try eventually("all are known", within: patience) { slots.allSatisfy { told.status($0) == .known } }
            print("200 names were known \(ContinuousClock.now - back) after the name server was back")
        }
    }

    @Test func `asks the server that answers first, when the one before it is silent`() throws {
        let good = OddNameServer.Reply.addresses([old], ttl: 1)
        let dead = try OddNameServer { _, _ in .silence }
        let live = try OddNameServer { _, _ in good }
        defer {
            dead.stop()
            live.stop()
        }
        let servers = NameServers(given: [dead.place, live.place])
        try withResolver(asking: servers, names: (0..<20).map { "live\($0).example" }) { _, told, slots in
            try eventually("all are known", within: patience) { slots.allSatisfy { told.status($0) == .known } }
            let asked = live.questions(about: "live0.example")
            try eventually("the live one is asked", within: patience) {
                live.questions(about: "live0.example") >= asked + 4
            }
            let missed = dead.questions(about: "live0.example")
            let more = live.questions(about: "live0.example")
            try eventually("the live one is asked more", within: patience) {
                live.questions(about: "live0.example") >= more + 6
            }
            #expect(dead.questions(about: "live0.example") == missed)
        }
    }
}

@Suite struct `A name that is looked up once` {
    @Test(arguments: [
        (OddNameServer.Reply.referral, "the answer makes no sense"), (.cutOff, "the answer makes no sense"),
        (.failure, "the name server failed"), (.nothing, "no addresses"), (.noSuchName, "no such name"),
    ])
    func `comes with the reason why it has no addresses`(reply: OddNameServer.Reply, reason: String) throws {
        // That one family has nothing does not hide that the other is in doubt.
        let server = try OddNameServer { _, family in
            family == .ipv4 || reply == .noSuchName ? reply : .nothing
        }
        defer { server.stop() }
        let lookup = try NameLookup(DomainName("origin.example"), servers: [server.place])
        var outcome: NameLookup.Outcome?
        try eventually("an outcome", within: patience) {
            var set = PollSet()
            lookup.add(to: &set)
            set.wait(milliseconds: lookup.patience(atMost: 100))
            lookup.process(set)
            outcome = lookup.takeOutcome()
            return outcome != nil
        }
        guard case .problem(let problem) = outcome else {
            Issue.record("the name has addresses")
            return
        }
        #expect(problem == reason)
    }
}

@Suite struct `The name servers of resolv.conf` {
    @Test func `are seen when an empty file is filled later, and again when it names others`() throws {
        // Not 127.0.0.1, which is asked while the file names none.
        let first = try OddNameServer(at: "127.0.0.71") { _, _ in .addresses([Address(ipv4: 0xC000_0201)], ttl: 1) }
        let second = try OddNameServer(at: "127.0.0.72", port: first.place.port) { _, _ in
            .addresses([Address(ipv4: 0xC000_0202)], ttl: 1)
        }
        defer {
            first.stop()
            second.stop()
        }
        let path = "/tmp/dd-resolv-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try File.replace(path, by: [])
        defer { unsafe _ = unlink(path) }
        let servers = NameServers(given: [], path: path, port: first.place.port)
        try withResolver(asking: servers, names: ["origin.example"]) { _, told, slots in
            try eventually("nobody can be asked", within: patience) { told.status(slots[0]) == .unresolved }
            try File.replace(path, by: Array("# eth0\nnameserver 127.0.0.71\n".utf8))
            try eventually("the name is known", within: patience) { told.candidates(slots[0]) == ["192.0.2.1"] }
            try File.replace(path, by: [])
            let asked = first.questions(about: "origin.example")
            try eventually("the same server is asked on", within: patience) {
                first.questions(about: "origin.example") >= asked + 4
            }
            try File.replace(path, by: Array("nameserver 127.0.0.72\n".utf8))
            try eventually("the other is asked", within: patience) { told.candidates(slots[0]) == ["192.0.2.2"] }
        }
    }

    @Test func `are the first three that can be asked`() throws {
        let text = """
            ; a comment
            search example.net
            nameserver\t192.0.2.1
              nameserver 2001:db8::1  # indented
            nameserver fe80::1%eth0
            nameserver
            nameserver 192.0.2.300
            options timeout:1
            nameserver 192.0.2.2
            nameserver 192.0.2.3
            """
        #expect(
            NameServers.named(in: Array(text.utf8)).map(\.description)
                == ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"])
    }

    @Test func `are not looked for when the settings have some`() {
        let given = TransportAddress(Address(ipv4: 0xC000_0201), port: 5353)
        var servers = NameServers(given: [given], path: "/etc/passwd")
        let hasOthers = servers.reread()
        #expect(!hasOthers)
        #expect(servers.addresses == [given])
    }
}
