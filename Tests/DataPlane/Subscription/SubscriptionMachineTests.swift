import Domain
import Testing
import Wire

@testable import DataPlane

@Suite struct `The data plane's end of the channel` {
    private func snapshot(
        _ version: UInt64, of incarnation: UInt64 = 7, for name: String = "za1"
    ) throws -> Snapshot {
        let server = try Server(
            name: ServerName(name), region: RegionName("af-south-1"), hostname: DomainName("za1.dfree.test"),
            addresses: [Address("192.0.2.1")])
        return try Snapshot(
            incarnation: Incarnation(incarnation), version: SnapshotVersion(version),
            settings: ServerSettings(server: server, policy: EndpointPolicy()), services: [:])
    }

    private func subscribed() throws -> SubscriptionMachine {
        var machine = SubscriptionMachine(server: try ServerName("za1"), softwareVersion: "1", bootID: "b")
        #expect(machine.passed(now: 0, chance: 0) == [.connect])
        _ = machine.connected(now: 0)
        return machine
    }

    @Test func `a snapshot is applied, and said to be only when the workers route by it`() throws {
        var machine = try subscribed()
        let first = try snapshot(1)
        let actions = machine.received(.snapshot(WireSnapshot(first)), now: 10, chance: 0)
        #expect(actions == [.apply(first)])
        #expect(machine.held == nil)
        #expect(machine.applied(first, now: 20) == [.send(.applied(SnapshotVersion(1)))])
        #expect(machine.held == first)
    }

    @Test func `an older version, and another store's, are refused and change nothing`() throws {
        var machine = try subscribed()
        let held = try snapshot(5)
        _ = machine.applied(held, now: 10)
        for other in [try snapshot(4), try snapshot(9, of: 8)] {
            let actions = machine.received(.snapshot(WireSnapshot(other)), now: 20, chance: 0)
            guard case .reportRefusal(let version, let reasons) = actions.first else {
                Issue.record("not refused: \(actions)")
                continue
            }
            #expect(version == other.version)
            #expect(actions.last == .send(.refused(other.version, reasons: reasons)))
            #expect(machine.held == held)
        }
    }

    @Test func `another server's is refused by name, whole or as a difference, before the first as after it`() throws {
        var machine = try subscribed()
        let other = try snapshot(1, for: "ie1")
        let reason = "version 1 is of server ie1, but this is server za1"
        let refusal: [SubscriptionMachine.Action] = [
            .reportRefusal(other.version, [reason]), .send(.refused(other.version, reasons: [reason])),
        ]
        #expect(machine.received(.snapshot(WireSnapshot(other)), now: 10, chance: 0) == refusal)
        #expect(machine.held == nil)
        let held = try snapshot(0)
        _ = machine.applied(held, now: 20)
        let difference = WireSnapshot(
            other.difference(from: held), digest: other.digest, incarnation: other.incarnation)
        for message in [WireSnapshot(other), difference] {
            #expect(machine.received(.snapshot(message), now: 30, chance: 0) == refusal)
            #expect(machine.held == held)
        }
    }

    @Test func `silence for three heartbeats ends the session, and the configuration stays`() throws {
        var machine = try subscribed()
        let held = try snapshot(1)
        _ = machine.applied(held, now: 0)
        #expect(machine.passed(now: 1000, chance: 0) == [.send(.heartbeat)])
        _ = machine.passed(now: 2000, chance: 0)
        _ = machine.passed(now: 3000, chance: 0)
        guard case .disconnect = machine.passed(now: 3001, chance: 0).first else {
            Issue.record("still subscribed after three heartbeats were missed")
            return
        }
        #expect(!machine.isSubscribed)
        #expect(machine.held == held)
    }

    @Test func `attempts to connect come apart, up to five seconds, and begin anew after a good session`() throws {
        var machine = SubscriptionMachine(server: try ServerName("za1"), softwareVersion: "1", bootID: "b")
        var now: UInt64 = 0
        var waits: [UInt64] = []
        for _ in 0..<8 {
            #expect(machine.passed(now: now, chance: 1) == [.connect])
            _ = machine.disconnected("refused", now: now, chance: 1)
            waits.append(machine.nextEvent - now)
            now = machine.nextEvent
        }
        #expect(waits == waits.sorted())
        #expect(waits.last == SubscriptionMachine.longestBackoff + 20)
        #expect(machine.passed(now: now, chance: 1) == [.connect])
        // One that ends at once is no good session, whatever it brings: another server may go by the same name, and
        // take it back each time.
        _ = machine.connected(now: now)
        _ = machine.received(.snapshot(WireSnapshot(try snapshot(1))), now: now, chance: 1)
        _ = machine.disconnected("another has taken its place", now: now + 100, chance: 1)
        #expect(machine.nextEvent - now - 100 == SubscriptionMachine.longestBackoff + 20)
        now = machine.nextEvent
        #expect(machine.passed(now: now, chance: 1) == [.connect])
        _ = machine.connected(now: now)
        now += SubscriptionMachine.goodSession
        _ = machine.disconnected("gone", now: now, chance: 1)
        #expect(machine.nextEvent - now == SubscriptionMachine.shortestBackoff + 20)
    }

    @Test func `a frame that comes slowly is not silence`() throws {
        var machine = try subscribed()
        for second: UInt64 in 1...20 {
            machine.heard(now: second * 1000)
            _ = machine.passed(now: second * 1000, chance: 0)
            #expect(machine.isSubscribed)
        }
    }

    @Test func `a message that only a data plane sends ends the session`() throws {
        var machine = try subscribed()
        guard case .disconnect = machine.received(.applied(SnapshotVersion(1)), now: 5, chance: 0).first else {
            Issue.record("the session goes on")
            return
        }
    }
}
