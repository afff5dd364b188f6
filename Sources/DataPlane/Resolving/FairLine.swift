/// Those that wait for their turn, in order within each owner, and the owners in turn: whoever has a thousand waiting
/// delays another owner's one by one of them.
struct FairLine<Element> {
    private var queues: [Int32: Fifo<Element>] = [:]
    private var turns = Fifo<Int32>()

    var isEmpty: Bool { turns.isEmpty }

    mutating func append(_ element: Element, of owner: Int32) {
        if queues[owner] == nil { turns.append(owner) }
        queues[owner, default: Fifo()].append(element)
    }

    mutating func popFirst() -> Element? {
        guard let owner = turns.popFirst() else { return nil }
        let element = queues[owner]?.popFirst()
        if queues[owner]?.isEmpty ?? true { queues[owner] = nil } else { turns.append(owner) }
        return element
    }
}

/// First in, first out.
struct Fifo<Element> {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        // Moved up when half of the room is behind the head, so each is moved once on average.
        if head >= 64, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
