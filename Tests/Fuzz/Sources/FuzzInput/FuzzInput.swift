/// What libFuzzer hands over, as an array. This is the one place where its pointer is read.
public func fuzzInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    guard let start = unsafe start else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
}

/// Places to cut an input of `count` bytes at: some near both ends, and one that the input itself chooses.
public func cuts(of input: [UInt8]) -> [Int] {
    let sum = input.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
    let places = [
        0, 1, 2, 5, 9, input.count / 2, sum % (input.count + 1), input.count - 2, input.count - 1, input.count,
    ]
    return places.filter { $0 >= 0 && $0 <= input.count }
}

/// Stops the fuzzer, which then keeps the input: a property does not hold.
public func require(_ condition: Bool, _ property: StaticString) {
    if !condition { fatalError("\(property)") }
}
