import Domain
import Testing

@testable import DataPlane

@Suite struct `Slots of services` {
    private func names(_ names: String...) throws -> Set<ServiceName> { Set(try names.map { try ServiceName($0) }) }

    @Test func `begin behind those of no service, and stay as long as the service does`() throws {
        var slots = ServiceSlots()
        let moved = slots.settle(try names("a"), { _ in true })
        #expect(moved.isEmpty)
        let slot = slots[try ServiceName("a")]
        #expect(slot == ServiceSlot.firstFree)
        _ = slots.settle(try names("a", "b", "c"), { _ in true })
        let kept = slots[try ServiceName("a")]
        #expect(kept == slot)
        #expect(Set(slots.tenants.map(\.slot)).count == 3)
        #expect(slots.count == Int(ServiceSlot.firstFree) + 3)
    }

    @Test func `are another's in the next snapshot at the earliest, and when their flows have closed`() throws {
        var slots = ServiceSlots()
        _ = slots.settle(try names("old"), { _ in true })
        let slot = try #require(slots[try ServiceName("old")])
        // Workers that have not taken the new table yet still send the old service's clients there.
        #expect(try slots.settle(names("new"), { _ in true }).isEmpty)
        #expect(try slots.settle(names("new", "newer"), { _ in false }).isEmpty)
        #expect(try slots.settle(names("new", "newer", "newest"), { $0 == slot }) == [slot])
        let newest = slots[try ServiceName("newest")]
        #expect(newest == slot)
    }
}

@Suite struct `Slots of names` {
    @Test func `are given to other hosts, as another tenant's`() throws {
        var slots = NameSlots()
        let (old, new) = (try EndpointHost("old.example"), try EndpointHost("192.0.2.1"))
        let first = slots.settle([old])
        #expect(first.removed.isEmpty)
        let slot = try #require(slots[old])
        #expect(first.added.map(\.slot) == [slot])
        #expect(slots.settle([old]).added.isEmpty)
        let second = slots.settle([new])
        #expect(second.removed == [slot])
        #expect(slots[old] == nil)
        #expect(slots[new]?.index == slot.index)
        #expect(slots[new]?.tenant != slot.tenant)
    }
}

@Suite struct `Numbers of lists of targets` {
    @Test func `stay with a list, and are no other's`() throws {
        var editions = TargetEditions()
        let name = try ServiceName("a")
        let targets = try ["192.0.2.1", "192.0.2.2"].map {
            EndpointTarget(host: try EndpointHost($0), httpPort: .http, httpsPort: .https)
        }
        #expect(editions[name] == 0)
        editions.settle([name: targets])
        let first = editions[name]
        editions.settle([name: targets, try ServiceName("b"): targets])
        #expect(editions[name] == first)
        let other = editions[try ServiceName("b")]
        #expect(first != 0 && other != 0 && other != first)
        editions.settle([name: targets.reversed()])
        let second = editions[name]
        #expect(second != first && second != 0)
        editions.settle([:])
        #expect(editions[name] == 0)
        editions.settle([name: targets.reversed()])
        let third = editions[name]
        #expect(third != 0 && third != first && third != second)
    }
}
