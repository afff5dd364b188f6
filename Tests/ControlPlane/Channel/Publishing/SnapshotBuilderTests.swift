import Domain
import Testing

@testable import Channel
@testable import Fleet

@Suite struct `Snapshot builder` {
    /// Every server's snapshot, made from the fleet alone.
    static func rebuilt(_ fleet: FleetState) throws -> [ServerName: Snapshot] {
        let builder = SnapshotBuilder(fleet: fleet, exceptions: [])
        return try fleet.servers.mapValues { try #require(builder.draft(of: $0.name)).checked() }
    }

    @Test(arguments: 0..<12)
    func `brings every server forward to what a rebuild gives, from any earlier version`(seed: Int) throws {
        var history = try FleetHistory(seed: UInt64(seed))
        var builder = SnapshotBuilder(fleet: history.fleet, exceptions: [])
        var past: [SnapshotVersion: [ServerName: Snapshot]] = [
            history.fleet.version: try `Snapshot builder`.rebuilt(history.fleet)
        ]
        for _ in 0..<40 {
            builder.apply(try history.changeSomething())
            let now = try `Snapshot builder`.rebuilt(history.fleet)
            for (server, expected) in now {
                let draft = try #require(builder.draft(of: server))
                #expect(try draft.checked() == expected)
                #expect(draft.digest == expected.digest)
                #expect(builder.digest(of: server) == expected.digest)
                for (base, snapshots) in past {
                    guard let before = snapshots[server] else { continue }
                    // A server that was removed and made again in between may be given everything instead.
                    guard let step = builder.step(of: server, from: base) else { continue }
                    #expect(step.digestBefore == before.digest)
                    #expect(try before.applying(step.difference) == expected)
                }
            }
            if history.fleet.version.number % 6 == 0 { past[history.fleet.version] = now }
        }
    }

    @Test func `gives a server its own services only, as primary or as standby`() throws {
        let history = try FleetHistory(services: 8)
        let builder = SnapshotBuilder(fleet: history.fleet, exceptions: [try Prefix("127.0.0.0/8")])
        let za1 = try ServerName("za1")
        let snapshot = try #require(builder.draft(of: za1)).checked()
        #expect(snapshot.services.count == 4)
        #expect(snapshot.services.keys.allSatisfy { history.fleet.services[$0]?.servers.contains(za1) == true })
        #expect(snapshot.settings.policy.exceptions == [try Prefix("127.0.0.0/8")])
        #expect(snapshot.settings.policy.fleet.count == 8)
    }

    @Test func `zones, settings and monitoring are in no snapshot, and move the version of every server`() throws {
        var history = try FleetHistory(services: 8)
        var builder = SnapshotBuilder(fleet: history.fleet, exceptions: [])
        let before = try `Snapshot builder`.rebuilt(history.fleet)
        let zone = try Zone.sample("acme.test")
        let server = try #require(history.fleet.servers.values.first)
        var monitoring = MonitoringOverrides()
        monitoring.interval = 60
        let watched = try Server(
            name: server.name, region: server.region, hostname: server.hostname, addresses: server.addresses,
            monitoring: monitoring)
        builder.apply(
            history.commit([
                .zone(zone.name, before: nil, after: zone), .settings(before: FleetSettings(), after: .every(60)),
                .server(server.name, before: server, after: watched),
            ]))
        #expect(builder.fleet.zones == [zone.name: zone] && builder.fleet.settings == .every(60))
        for (name, snapshot) in before {
            let step = try #require(builder.step(of: name, from: snapshot.version))
            #expect(step.difference.version == SnapshotVersion(2))
            #expect(step.difference.carried.isEmpty && step.difference.removed.isEmpty)
            #expect(step.difference.settings == nil)
            #expect(step.digest == snapshot.digest)
        }
    }

    @Test func `makes an empty difference for a server that a change does not touch`() throws {
        var history = try FleetHistory(services: 8)
        var builder = SnapshotBuilder(fleet: history.fleet, exceptions: [])
        builder.apply(try history.cutOver(0, toOrigin: 9))
        let untouched = try #require(builder.step(of: ServerName("us1"), from: SnapshotVersion(1)))
        #expect(untouched.difference.carried.isEmpty && untouched.difference.removed.isEmpty)
        #expect(untouched.difference.settings == nil)
        #expect(untouched.digest == untouched.digestBefore)
        let touched = try #require(builder.step(of: ServerName("za1"), from: SnapshotVersion(1)))
        #expect(touched.difference.carried.count == 1)
    }

    @Test func `makes nothing of a change that was taken back`() throws {
        var history = try FleetHistory(services: 8)
        var builder = SnapshotBuilder(fleet: history.fleet, exceptions: [])
        builder.apply(try history.cutOver(0, toOrigin: 9))
        builder.apply(try history.cutOver(0, toOrigin: 0))
        let step = try #require(builder.step(of: ServerName("za1"), from: SnapshotVersion(1)))
        #expect(step.difference.carried.isEmpty)
        #expect(step.digest == step.digestBefore)
    }

    @Test func `goes on from the changes that the store still has`() throws {
        var history = try FleetHistory(seed: 3)
        let before = try `Snapshot builder`.rebuilt(history.fleet)
        var recent: [Change] = []
        for _ in 0..<10 { recent.append(try history.changeSomething()) }
        let builder = SnapshotBuilder(fleet: history.fleet, recent: recent, exceptions: [])
        let after = try `Snapshot builder`.rebuilt(history.fleet)
        for (server, snapshot) in before {
            let step = try #require(builder.step(of: server, from: SnapshotVersion(1)))
            #expect(try snapshot.applying(step.difference) == after[server])
        }
        #expect(builder.step(of: try ServerName("za1"), from: SnapshotVersion(0)) == nil)
    }

    @Test func `knows no way from a version that is forgotten, unknown or yet to come`() throws {
        var history = try FleetHistory()
        var builder = SnapshotBuilder(fleet: history.fleet, exceptions: [], log: ChangeLog(mostChanges: 3))
        for origin in 1...5 { builder.apply(try history.cutOver(0, toOrigin: origin)) }
        let za1 = try ServerName("za1")
        #expect(builder.version == SnapshotVersion(6))
        for version in 0...2 { #expect(builder.step(of: za1, from: SnapshotVersion(UInt64(version))) == nil) }
        for version in 3...6 { #expect(builder.step(of: za1, from: SnapshotVersion(UInt64(version))) != nil) }
        #expect(builder.step(of: za1, from: SnapshotVersion(7)) == nil)
        #expect(builder.step(of: try ServerName("xx9"), from: SnapshotVersion(6)) == nil)
        #expect(builder.draft(of: try ServerName("xx9")) == nil)
    }
}

@Suite struct `Change log` {
    static func change(_ version: UInt64, edits: Int = 1) throws -> Change {
        let name = try CustomerName("acme")
        let edit = Change.Edit.customer(name, before: nil, after: Customer(name: name))
        return Change(version: SnapshotVersion(version), edits: Array(repeating: edit, count: edits))
    }

    @Test func `forgets the oldest changes when it has too many`() throws {
        var log = ChangeLog(mostChanges: 10)
        for version in 1...1000 { log.append(try `Change log`.change(UInt64(version))) }
        let newest = SnapshotVersion(1000)
        #expect(log.changes(from: SnapshotVersion(989), to: newest) == nil)
        #expect(log.changes(from: SnapshotVersion(990), to: newest)?.map(\.version.number) == Array(991...1000))
        #expect(log.changes(from: newest, to: newest) == [])
        #expect(log.changes(from: SnapshotVersion(1001), to: newest) == nil)
    }

    @Test func `forgets everything when one change has too many edits`() throws {
        var log = ChangeLog(mostEdits: 5)
        log.append(try `Change log`.change(1))
        log.append(try `Change log`.change(2, edits: 6))
        #expect(log.changes(from: SnapshotVersion(1), to: SnapshotVersion(2)) == nil)
        log.append(try `Change log`.change(3))
        #expect(log.changes(from: SnapshotVersion(2), to: SnapshotVersion(3))?.count == 1)
    }

    @Test func `forgets what came before a gap`() throws {
        var log = ChangeLog()
        log.append(try `Change log`.change(1))
        log.append(try `Change log`.change(3))
        #expect(log.changes(from: SnapshotVersion(0), to: SnapshotVersion(3)) == nil)
        #expect(log.changes(from: SnapshotVersion(2), to: SnapshotVersion(3))?.count == 1)
    }
}
