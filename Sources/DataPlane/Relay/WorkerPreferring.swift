/// Which of its targets a service's new connections go to first, as the checks of them have it.
struct TargetPreference: BitwiseCopyable, Hashable, Sendable {
    /// The list of targets that this is about, by `RoutingTable.Route.edition`.
    ///
    /// A preference for any other list means nothing. So one that is on its way while the endpoint is changed does no
    /// harm, and a list that is new begins with its first target, without anybody having to reset anything.
    var edition: UInt32 = 0
    var target: Int32 = 0
}

/// The order in which a service's targets are tried: the preferred one, and then the others in theirs.
extension Worker {
    /// The place of the target that new connections of a service go to first.
    func preferredTarget(_ service: Int32, _ route: RoutingTable.Route) -> Int32 {
        // Nothing is to be known of a service that is not checked, and memory that is not touched costs nothing.
        guard route.edition != 0 else { return 0 }
        let preference = preferences[service]
        return preference.edition == route.edition && preference.target < route.targetCount ? preference.target : 0
    }

    /// The place of the target that a dial tries now.
    @inline(__always) func place(_ index: DialIndex) -> Int32 {
        let (tried, first) = (dials[index].target, dials[index].first)
        if tried == 0 { return first }
        return tried <= first ? tried &- 1 : tried
    }
}
