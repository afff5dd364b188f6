import Domain

/// Gives the hosts of endpoints their places in the workers' tables of addresses. Each time that a place is given its
/// tenant has another number.
struct NameSlots {
    private var slots: [EndpointHost: NameSlot] = [:]
    private var free: [Int32] = []
    private var next: Int32 = 0
    private var nextTenant: UInt32 = 1

    subscript(_ host: EndpointHost) -> NameSlot? { slots[host] }

    /// Has places for these hosts and no others: no more than `Capacity.names`.
    mutating func settle(
        _ wanted: Set<EndpointHost>
    ) -> (added: [(slot: NameSlot, host: EndpointHost)], removed: [NameSlot]) {
        var removed: [NameSlot] = []
        for (host, slot) in slots where !wanted.contains(host) {
            slots[host] = nil
            free.append(slot.index)
            removed.append(slot)
        }
        var added: [(slot: NameSlot, host: EndpointHost)] = []
        for host in wanted where slots[host] == nil {
            let index = free.popLast() ?? next
            if index == next { next += 1 }
            let slot = NameSlot(index: index, tenant: nextTenant)
            nextTenant &+= 1
            slots[host] = slot
            added.append((slot, host))
        }
        return (added, removed)
    }
}
