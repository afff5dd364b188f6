import Testing

@testable import DataPlane

@Suite struct `A queue by time` {
    @Test func `gives what is due in the order of its times, whatever the order of its coming`() {
        var queue = DueQueue()
        // A permutation without any order to it.
        let times = (0..<1000 as Range<UInt64>).map { $0 * 389 % 1000 }
        for time in times { queue.insert(Int32(time), at: time) }
        #expect(queue.first == 0)
        var taken: [UInt64] = []
        while let (index, time) = queue.popFirst(before: 499) {
            #expect(UInt64(index) == time)
            taken.append(time)
        }
        #expect(taken == Array(0...499))
        #expect(queue.first == 500)
    }

    @Test func `has nothing when it is empty`() {
        var queue = DueQueue()
        #expect(queue.first == nil)
        #expect(queue.popFirst(before: .max) == nil)
    }
}
