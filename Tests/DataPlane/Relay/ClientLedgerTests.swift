import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The ledger of clients` {
    private let ledger: ClientLedger

    init() throws { ledger = try ClientLedger(flows: 16, services: 8, seed: 7) }

    private func key(_ address: String) throws -> UInt64 { ledger.key(try Address(address)) }

    @Test func `a client's connections are counted as they come and go`() throws {
        let client = try key("192.0.2.1")
        let first = try #require(ledger.enter(client, second: 5, isOpening: true))
        let second = try #require(ledger.enter(client, second: 5, isOpening: true))
        #expect((first.open, first.openings, first.new) == (1, 1, 1))
        #expect((second.open, second.openings, second.new) == (2, 2, 2))
        ledger.endOpening(first.place)
        ledger.leave(second.place)
        let third = try #require(ledger.enter(client, second: 5, isOpening: false))
        #expect((third.open, third.openings, third.new) == (2, 1, 3))
    }

    @Test func `what is new counts for its second only, and what comes from an earlier process is not new`() throws {
        let client = try key("192.0.2.1")
        for _ in 0..<3 { _ = ledger.enter(client, second: 5, isOpening: false) }
        #expect(ledger.enter(client, second: 5, isOpening: false, isNew: false)?.new == 3)
        #expect(ledger.enter(client, second: 6, isOpening: false)?.new == 1)
        #expect(ledger.enter(client, second: 6, isOpening: false)?.open == 6)
    }

    @Test func `an address of IPv4 and a 64 of IPv6 are one client each`() throws {
        #expect(try key("192.0.2.1") != key("192.0.2.2"))
        #expect(try key("2001:db8:0:1::1") == key("2001:db8:0:1:ffff::2"))
        #expect(try key("2001:db8:0:1::1") != key("2001:db8:0:2::1"))
        let client = try key("192.0.2.1")
        #expect(ledger.key(client, service: 2) != ledger.key(client, service: 3))
    }

    @Test func `a place is another client's when nothing is counted there any more`() throws {
        // Many more clients than places, one after the other.
        for number in 0..<100_000 {
            let client = ledger.key(Address(ipv4: UInt32(number)))
            let entry = try #require(ledger.enter(client, second: UInt64(number / 10), isOpening: true))
            #expect(entry.open == 1 && entry.openings == 1 && entry.new == 1)
            ledger.endOpening(entry.place)
            ledger.leave(entry.place)
        }
    }

    @Test func `with more clients than places the rest is not counted, and those that are stay right`() throws {
        var places: [Int32] = []
        var untracked = 0
        for number in 0..<10_000 {
            guard let entry = ledger.enter(ledger.key(Address(ipv4: UInt32(number))), second: 5, isOpening: false)
            else {
                untracked += 1
                continue
            }
            #expect(entry.open == 1)
            places.append(entry.place)
        }
        #expect(untracked > 0 && places.count + untracked == 10_000)
        #expect(Set(places).count == places.count)
        for place in places { ledger.leave(place) }
        // Every place is free again in the next second.
        let entry = try #require(ledger.enter(try key("198.51.100.1"), second: 6, isOpening: false))
        #expect((entry.open, entry.new) == (1, 1))
    }

    @Test func `many threads lose no count`() throws {
        let ledger = ledger
        let clients = (0..<50).map { ledger.key(Address(ipv4: UInt32($0))) }
        let threads = try (0..<4).map { thread in
            try JoinableThread(named: "ledger-\(thread)") {
                for round in 0..<20_000 {
                    let client = clients[(round &* 7 &+ thread) % clients.count]
                    guard let entry = ledger.enter(client, second: UInt64(round / 100), isOpening: true) else {
                        continue
                    }
                    ledger.endOpening(entry.place)
                    ledger.leave(entry.place)
                }
            }
        }
        for thread in threads { thread.join() }
        for client in clients {
            let entry = try #require(ledger.enter(client, second: 60_000, isOpening: true))
            #expect((entry.open, entry.openings, entry.new) == (1, 1, 1))
        }
    }

    @Test func `new connections of a service are counted by the second`() {
        #expect(ledger.arrived(at: 2, second: 5) == 1)
        #expect(ledger.arrived(at: 2, second: 5) == 2)
        #expect(ledger.arrived(at: 3, second: 5) == 1)
        #expect(ledger.arrived(at: 2, second: 6) == 1)
    }

    @Test(.timeLimit(.minutes(1))) func `a connection is counted in little time`() {
        let ledger = ledger
        let start = ContinuousClock.now
        let rounds = 200_000
        for round in 0..<rounds {
            let client = ledger.key(Address(ipv4: UInt32(truncatingIfNeeded: round & 1023)))
            guard let arrival = ledger.enter(client, second: 5, isOpening: true) else { continue }
            ledger.endOpening(arrival.place)
            let member = ledger.enter(ledger.key(client, service: 3), second: 5, isOpening: false)
            if let member { ledger.leave(member.place) }
            ledger.leave(arrival.place)
        }
        let each = (ContinuousClock.now - start) / rounds
        print("a connection in the ledger, from its arrival to its end: \(each)")
    }
}
