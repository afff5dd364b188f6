import Testing

@testable import DataPlane

@Suite struct `Names of slots` {
    private func tenants(_ names: [Int32: String]) -> [ServiceSlots.Tenant] {
        names.map { ServiceSlots.Tenant(slot: $0.key, name: $0.value) }
    }

    @Test func `a slot that has changed hands is whose it was by the table of that time`() {
        var names = SlotNames()
        names.settle(tenants([2: "one", 3: "two"]), generation: 1, at: 100)
        names.settle(tenants([3: "two"]), generation: 2, at: 200)
        #expect(names.name(of: 2, generation: 2) == "one", "its last flow may go on")
        names.settle(tenants([2: "three", 3: "two"]), generation: 5, at: 500)
        #expect(names.name(of: 2, generation: 4) == "one")
        #expect(names.name(of: 2, generation: 5) == "three")
        names.settle(tenants([2: "four", 3: "two"]), generation: 9, at: 900)
        #expect(names.name(of: 2, generation: 3) == "one")
        #expect(names.name(of: 2, generation: 8) == "three")
        #expect(names.name(of: 2, generation: 9) == "four")
        #expect(names.name(of: 3, generation: 1) == "two")
        #expect(names.name(of: 0, generation: 9) == nil)
    }

    @Test func `a name is forgotten once no record can be of its time`() {
        var names = SlotNames()
        names.settle(tenants([2: "one", 3: "two"]), generation: 1, at: 100)
        names.settle(tenants([2: "three", 3: "two"]), generation: 2, at: 200)
        names.settle(tenants([2: "three", 3: "four"]), generation: 3, at: 300)
        names.forget(settledBefore: 200)
        #expect(names.name(of: 2, generation: 1) == "one" && names.name(of: 3, generation: 2) == "two")
        names.forget(settledBefore: 201)
        #expect(names.name(of: 2, generation: 1) == "three")
        #expect(names.name(of: 3, generation: 2) == "two")
        names.forget(settledBefore: 1000)
        #expect(names.name(of: 3, generation: 2) == "four")
    }
}
