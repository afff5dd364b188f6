/// What a loop does again and again: each item has a key by which it was asked for, a number, and one time at which its
/// turn comes. Pure; time is passed in, in milliseconds.
struct Rota<Key: Hashable, Item> {
    private struct Entry {
        let key: Key
        let item: Item
        /// For when it stands in the queue; it may stand there with other times, which mean nothing.
        var turn: UInt64
    }

    private var entries: [Int32: Entry] = [:]
    private var numbers: [Key: Int32] = [:]
    private var freeNumbers: [Int32] = []
    private var queue = DueQueue()

    var isEmpty: Bool { entries.isEmpty }
    var keys: some Collection<Key> { numbers.keys }

    subscript(_ number: Int32) -> Item? { entries[number]?.item }

    func number(of key: Key) -> Int32? { numbers[key] }

    /// When `takeDue` may have something.
    var next: UInt64? { queue.first }

    /// Puts an item down for the first time; there is none of that key.
    mutating func add(_ item: Item, for key: Key, at time: UInt64) {
        precondition(numbers[key] == nil)
        let number = freeNumbers.popLast() ?? Int32(entries.count)
        numbers[key] = number
        entries[number] = Entry(key: key, item: item, turn: time)
        queue.insert(number, at: time)
    }

    /// Takes an item out, and answers it.
    mutating func remove(_ key: Key) -> Item? {
        guard let number = numbers.removeValue(forKey: key) else { return nil }
        freeNumbers.append(number)
        return entries.removeValue(forKey: number)?.item
    }

    /// Its turn comes at `time`, and not when it would have come otherwise.
    mutating func setTurn(_ number: Int32, at time: UInt64) {
        guard let entry = entries[number], entry.turn != time else { return }
        entries[number]?.turn = time
        queue.insert(number, at: time)
    }

    /// The next whose turn has come. It has no other until one is set.
    mutating func takeDue(now: UInt64) -> Int32? {
        while let (number, time) = queue.popFirst(before: now) {
            guard entries[number]?.turn == time else { continue }
            entries[number]?.turn = .max
            return number
        }
        return nil
    }
}
