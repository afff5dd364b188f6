extension Array where Element: Hashable {
    /// The first element that is equal to an earlier one, or nil when all differ.
    ///
    /// Most lists that we check have one element or two, for which a set would cost more than all else that is checked.
    var firstDuplicate: Element? {
        guard count > 8 else {
            return indices.first { index in self[..<index].contains(self[index]) }.map { self[$0] }
        }
        var seen = Set<Element>(minimumCapacity: count)
        return first { !seen.insert($0).inserted }
    }
}
