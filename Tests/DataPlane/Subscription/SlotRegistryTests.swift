import Domain
import Testing

@testable import DataPlane

@Suite struct `Slots of services` {
    private func snapshot(_ names: [String], version: UInt64) throws -> Snapshot {
        let server = try Server(
            name: ServerName("za1"), region: RegionName("af-south-1"), hostname: DomainName("za1.dfree.test"),
            addresses: [Address("127.0.0.1")], trustedSenders: [], defaultServices: [:])
        return try Snapshot(
            incarnation: Incarnation(1), version: SnapshotVersion(version),
            settings: ServerSettings(server: server, policy: EndpointPolicy()),
            services: Dictionary(
                uniqueKeysWithValues: try names.map {
                    (try ServiceName($0), try carriage(["\($0).acme.test"], to: [("\($0).example", 80)]))
                }))
    }

    @Test func `a slot that becomes free is not another's in the same snapshot, but in the next`() throws {
        var registry = SlotRegistry(monitor: (1, 1), seed: 1)
        _ = try registry.build(try snapshot(["old"], version: 1)) { _ in true }
        let slot = registry.slot(of: try ServiceName("old"))
        let second = try registry.build(try snapshot(["new"], version: 2)) { _ in true }
        // A worker that has not taken the second table yet still sends the old service's clients to this slot.
        #expect(registry.slot(of: try ServiceName("new")) != slot)
        #expect(second.moved.isEmpty)
        let third = try registry.build(try snapshot(["new", "newer"], version: 3)) { _ in true }
        #expect(registry.slot(of: try ServiceName("newer")) == slot)
        #expect(third.moved == [slot])
    }

    @Test func `a slot with open flows waits until they have closed`() throws {
        var registry = SlotRegistry(monitor: (1, 1), seed: 1)
        _ = try registry.build(try snapshot(["old"], version: 1)) { _ in false }
        let slot = registry.slot(of: try ServiceName("old"))
        _ = try registry.build(try snapshot([], version: 2)) { _ in false }
        _ = try registry.build(try snapshot(["a"], version: 3)) { _ in false }
        #expect(registry.slot(of: try ServiceName("a")) != slot)
        let last = try registry.build(try snapshot(["a", "b"], version: 4)) { $0 == slot }
        #expect(registry.slot(of: try ServiceName("b")) == slot)
        #expect(last.moved == [slot])
    }

    @Test func `a name that comes back is another tenant of its place`() throws {
        var registry = SlotRegistry(monitor: (1, 1), seed: 1)
        let first = try registry.build(try snapshot(["a"], version: 1)) { _ in true }
        let second = try registry.build(try snapshot([], version: 2)) { _ in true }
        let third = try registry.build(try snapshot(["a"], version: 3)) { _ in true }
        #expect(second.removed == first.added.map(\.slot))
        #expect(third.added.map(\.slot.index) == first.added.map(\.slot.index))
        #expect(third.added.map(\.slot.tenant) != first.added.map(\.slot.tenant))
    }
}
