import Syscalls
import Testing

@testable import DataPlane

@Suite struct `Accounts of buffers` {
    private func pool(_ limit: Int) throws -> BufferPool {
        BufferPool(accounts: try BufferAccounts(bytesLimit: limit, holders: 100))
    }

    @Test func `openings have a quarter to themselves, and a service a quarter of the rest`() throws {
        var pool = try pool(1 << 20)
        var services: [Buffer] = []
        for service in 1...4 as ClosedRange<Int32> {
            while true {
                let buffer = pool.lend(4096, for: service)
                guard buffer.exists else { break }
                services.append(buffer)
            }
            #expect(pool.accounts.bytes(lentTo: service) == 3 << 16)
        }
        #expect(!pool.lend(1, for: 5).exists)
        var opening = pool.lend(60_000, for: BufferAccounts.openings)
        #expect(opening.exists)
        #expect(pool.accounts.bytesLent == 3 << 18 + 69_632)
        for index in services.indices { pool.give(&services[index]) }
        pool.give(&opening)
        #expect(pool.accounts.bytesLent == 0)
    }

    @Test func `a buffer is no larger than what it is for`() throws {
        var pool = try pool(1 << 22)
        for (count, capacity) in [(1, 4096), (4096, 4096), (4097, 16384), (16385, 69632), (69633, 69633)] {
            var buffer = pool.lend(count, for: 3)
            #expect(Int(buffer.capacity) == capacity)
            pool.give(&buffer)
        }
    }

    @Test func `a buffer moves to another account, even to one that is full`() throws {
        var pool = try pool(1 << 16)
        var full = pool.lend(12_000, for: 2)
        #expect(!full.exists)
        full = pool.lend(4096, for: 2)
        var buffer = pool.lend(16_000, for: BufferAccounts.openings)
        #expect(buffer.exists && full.exists)
        pool.move(&buffer, to: 2)
        #expect(pool.accounts.bytes(lentTo: 2) == 4096 + 16384)
        #expect(pool.accounts.bytes(lentTo: BufferAccounts.openings) == 0)
        #expect(!pool.accounts.hasRoom(0, for: 2))
        #expect(pool.accounts.culprit(0, for: 2) == 2)
        pool.give(&buffer)
        pool.give(&full)
        #expect(pool.accounts.bytesLent == 0)
    }

    /// Compared with a plain sum, whatever is lent and given back in whatever order.
    @Test func `the largest holder is found`() throws {
        var pool = try pool(64 << 20)
        var random = SystemRandomNumberGenerator()
        var held = [Int32: [Buffer]]()
        for _ in 0..<20_000 {
            let holder = Int32.random(in: 1..<100, using: &random)
            if Bool.random(using: &random), var buffer = held[holder, default: []].popLast() {
                pool.give(&buffer)
            } else {
                held[holder, default: []].append(
                    pool.lend([100, 5000, 60_000].randomElement(using: &random) ?? 1, for: holder))
            }
            let most = held.values.map { $0.reduce(0) { $0 + Int($1.capacity) } }.max() ?? 0
            let found = pool.accounts.largest.map { pool.accounts.bytes(lentTo: $0) } ?? 0
            // Of many that hold about as much, not all are looked at.
            #expect(found <= most && found * 2 >= most, "\(found) of \(most)")
        }
    }

    @Test func `the flows of a service are listed in the order in which they came`() throws {
        let holding = try HoldingFlows(flows: 10, services: 4)
        func listed(_ service: Int32) -> [Int32] {
            var places: [Int32] = []
            var flow = holding.first(of: service)
            while flow.exists {
                places.append(flow.place)
                flow = holding.next(after: flow)
            }
            return places
        }
        for place in [3, 0, 7, 3] as [Int32] { holding.add(FlowIndex(place), of: 2) }
        #expect(listed(2) == [3, 0, 7])
        holding.add(FlowIndex(0), of: 3)
        #expect(listed(2) == [3, 7] && listed(3) == [0])
        holding.remove(FlowIndex(7))
        holding.remove(FlowIndex(7))
        holding.remove(FlowIndex(5))
        holding.add(FlowIndex(8), of: 2)
        #expect(listed(2) == [3, 8])
        for place in [3, 8, 0] as [Int32] { holding.remove(FlowIndex(place)) }
        #expect(listed(2).isEmpty && listed(3).isEmpty)
    }
}
