import Domain

/// Numbers the lists of targets of services that are checked: the same number for as long as the list is the same, else
/// one that no list had.
struct TargetEditions {
    private var editions: [ServiceName: (number: UInt32, targets: [EndpointTarget])] = [:]
    private var next: UInt32 = 1

    /// The number of a service's list; 0 for one that is not checked.
    subscript(_ name: ServiceName) -> UInt32 { editions[name]?.number ?? 0 }

    /// Has numbers for these lists and no others.
    mutating func settle(_ lists: [ServiceName: [EndpointTarget]]) {
        let before = editions
        editions = [:]
        for (name, targets) in lists {
            if let edition = before[name], edition.targets == targets {
                editions[name] = edition
                continue
            }
            editions[name] = (next, targets)
            // Wraps after four thousand million changes, and 0 is for what is not checked.
            next = max(1, next &+ 1)
        }
    }
}
