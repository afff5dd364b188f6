/// Whose a slot was when something was written about it. Pure.
///
/// A slot changes hands only when the last flow of its service has closed, and from one routing table to the next; so
/// what was written by an earlier table than the one that brought the new service is about the service before.
struct SlotNames: Sendable {
    private struct Former {
        let slot: Int32
        /// The first table in which the slot was another service's.
        let until: UInt64
        /// When that table came.
        let moment: UInt64
        let name: String
    }

    /// Of the newest routing table that is known.
    private(set) var generation: UInt64 = 0
    private var names: [Int32: String] = [:]
    /// In the order in which they left, and so of `until`.
    private var former: [Former] = []
    /// While a reader sleeps, records wait for hours; slots that changed hands before so many others are without a name
    /// of their own then.
    private static let remembered = 4096

    /// A routing table is in force. Services that it lacks keep their names here: their flows may go on.
    mutating func settle(_ tenants: [ServiceSlots.Tenant], generation: UInt64, at now: UInt64) {
        self.generation = generation
        for tenant in tenants {
            let before = names.updateValue(tenant.name, forKey: tenant.slot)
            guard let before, before != tenant.name else { continue }
            former.append(Former(slot: tenant.slot, until: generation, moment: now, name: before))
        }
        if former.count > SlotNames.remembered { former.removeFirst(former.count - SlotNames.remembered) }
    }

    /// The service that had `slot` by the routing table of this generation; nil for none.
    func name(of slot: Int32, generation: UInt64) -> String? {
        // The first that left after that table. Of the newest table, and so of nearly every record, there is none.
        former[firstFormer(after: generation)...].first { $0.slot == slot }?.name ?? names[slot]
    }

    /// Nothing that is still to be named was written by a table of an earlier moment.
    mutating func forget(settledBefore moment: UInt64) {
        former.removeFirst(former.firstIndex { $0.moment >= moment } ?? former.count)
    }

    private func firstFormer(after generation: UInt64) -> Int {
        var (low, high) = (0, former.count)
        while low < high {
            let middle = (low + high) / 2
            if former[middle].until > generation { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
