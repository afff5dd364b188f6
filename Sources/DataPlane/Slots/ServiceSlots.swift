import Domain

/// Gives services their slots.
///
/// A slot is a service's for as long as a snapshot names it, and until its last flow has closed; then, from the next
/// snapshot on, another service may have it.
struct ServiceSlots {
    /// A service that has a slot now.
    struct Tenant: Sendable, Equatable {
        let slot: Int32
        let name: String
    }

    private var slots: [ServiceName: Int32] = [:]
    /// Slots of services that are gone, whose flows may still be open.
    private var retired: [Int32] = []
    private var next = ServiceSlot.firstFree

    /// How many slots there are, with those of no service and the retired ones.
    var count: Int { Int(next) }

    subscript(_ name: ServiceName) -> Int32? { slots[name] }

    var tenants: [Tenant] { slots.map { Tenant(slot: $0.value, name: $0.key.text) } }

    /// Whether all these can have slots. `isIdle` says whether a slot has no open flow.
    func hasRoom(for names: some Collection<ServiceName>, _ isIdle: (Int32) -> Bool) -> Bool {
        let arrivals = names.count { slots[$0] == nil }
        return arrivals <= Capacity.services - Int(next) + retired.count(where: isIdle)
    }

    /// Retires the slots of services that are gone and gives the new ones theirs, for which there is room. Answers the
    /// slots that changed hands.
    mutating func settle(_ names: Set<ServiceName>, _ isIdle: (Int32) -> Bool) -> [Int32] {
        // Workers route by the table before until they have this one, so the slots of those that go now are for the
        // next to take.
        let leaving = slots.filter { !names.contains($0.key) }
        for name in leaving.keys { slots[name] = nil }
        var moved: [Int32] = []
        var busy: [Int32] = []
        for name in names where slots[name] == nil {
            var slot: Int32?
            while slot == nil, let candidate = retired.popLast() {
                if isIdle(candidate) { slot = candidate } else { busy.append(candidate) }
            }
            if let slot { moved.append(slot) }
            slots[name] = slot ?? next
            if slot == nil { next += 1 }
        }
        retired += busy
        retired += leaving.values
        return moved
    }
}
