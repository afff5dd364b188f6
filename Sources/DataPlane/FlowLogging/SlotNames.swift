/// Whose a slot was when something was written about it. Pure.
///
/// A slot changes hands only when the last flow of its service has closed, and from one routing table to the next; so
/// what was written by an earlier table than the one that brought the new service is about the service before.
struct SlotNames: Sendable {
    private struct Former {
        let slot: Int32
        /// The first table in which the slot was another service's.
        let until: UInt64
        let name: String
    }

    /// Of the newest routing table that is known.
    private(set) var generation: UInt64 = 0
    private var names: [Int32: String] = [:]
    private var former: [Former] = []
    /// Records wait for a fraction of a second, and tables do not change hands of so many slots meanwhile.
    private static let remembered = 4096

    /// A routing table is in force. Services that it lacks keep their names here: their flows may go on.
    mutating func settle(_ tenants: [ServiceSlots.Tenant], generation: UInt64) {
        self.generation = generation
        for tenant in tenants {
            let before = names.updateValue(tenant.name, forKey: tenant.slot)
            guard let before, before != tenant.name else { continue }
            former.append(Former(slot: tenant.slot, until: generation, name: before))
        }
        if former.count > SlotNames.remembered { former.removeFirst(former.count - SlotNames.remembered) }
    }

    /// The service that had `slot` by the routing table of this generation; nil for none.
    func name(of slot: Int32, generation: UInt64) -> String? {
        // In the order in which they left: the first that left after that table.
        former.first { $0.slot == slot && $0.until > generation }?.name ?? names[slot]
    }
}
