import Domain
import Testing

@testable import DataPlane

@Suite struct `The gate of the monitor endpoint` {
    private let second: UInt64 = 1000

    private func gate(
        workers: Int = 1, strangers: MonitorGate.Limits = .strangers, known: MonitorGate.Limits = .known
    ) throws -> MonitorGate {
        try MonitorGate(workers: workers, strangers: strangers, known: known, seed: 7)
    }

    private func address(_ number: UInt32) -> Address { Address(ipv4: 0xCB00_7100 &+ number) }

    private func isAdmitted(_ verdict: MonitorGate.Verdict) -> Bool {
        if case .admitted = verdict { true } else { false }
    }

    /// Lets somebody call and leave at once; whether it was let in.
    private func call(_ gate: inout MonitorGate, _ address: Address, isFleet: Bool = false, at now: UInt64) -> Bool {
        guard case .admitted(let pass) = gate.admit(address, isFleet: isFleet, now: now) else { return false }
        gate.left(pass)
        return true
    }

    @Test func `lets a stranger in who asks every second, for ever`() throws {
        var gate = try gate()
        for round: UInt64 in 0..<10_000 { #expect(call(&gate, address(1), at: round * second)) }
    }

    @Test func `holds one address to its rate, whatever it does`() throws {
        var gate = try gate()
        var admitted = 0
        for round: UInt64 in 0..<10_000 where call(&gate, address(1), at: round) { admitted += 1 }
        // Ten seconds, and what may come at once.
        #expect((200...220).contains(admitted), "\(admitted)")
        #expect(call(&gate, address(2), at: 10_000))
    }

    @Test func `holds one address to its connections at a time, and counts those that end`() throws {
        var gate = try gate()
        var passes: [MonitorGate.Pass] = []
        for _ in 0..<16 {
            guard case .admitted(let pass) = gate.admit(address(1), isFleet: false, now: 0) else { continue }
            passes.append(pass)
        }
        #expect(passes.count == 16)
        #expect(gate.admit(address(1), isFleet: false, now: second) == .refused(.address))
        gate.left(passes[0])
        #expect(isAdmitted(gate.admit(address(1), isFleet: false, now: 2 * second)))
    }

    @Test func `takes the addresses of a line of IPv6 for one, and those of IPv4 for many`() throws {
        var gate = try gate()
        let line: UInt128 = 0x2001_0DB8_0000_0001 << 64
        var admitted = 0
        for host: UInt128 in 0..<1000 where call(&gate, Address(ipv6: line | host), at: 0) { admitted += 1 }
        #expect(admitted == 20)
        admitted = 0
        for host: UInt32 in 0..<150 where call(&gate, address(host), at: 0) { admitted += 1 }
        #expect(admitted == 150)
    }

    @Test func `a flood from any number of addresses leaves the room of the fleet's probes as it is`() throws {
        var gate = try gate()
        let prober = address(1_000_000)
        var admitted = 0
        for moment: UInt64 in 0..<10_000 {
            // Twenty thousand a second, each from an address that has not been seen, none of which leaves.
            for number in 0..<20
            where isAdmitted(
                gate.admit(address(UInt32(moment) * 20 + UInt32(number)), isFleet: false, now: moment))
            {
                admitted += 1
            }
            if moment % 100 == 0 { #expect(call(&gate, prober, isFleet: true, at: moment)) }
        }
        #expect(admitted == 192)
    }

    @Test func `a flood of calls that leave at once is held to the rate of all strangers together`() throws {
        var gate = try gate()
        var admitted = 0
        for moment: UInt64 in 0..<10_000 {
            for number in 0..<20 where call(&gate, address(UInt32(moment) * 20 + UInt32(number)), at: moment) {
                admitted += 1
            }
        }
        #expect((2000...2200).contains(admitted), "\(admitted)")
    }

    @Test func `workers share what strangers may have, and none of them is left with nothing`() throws {
        for workers in [1, 2, 8, 64] {
            var gate = try gate(workers: workers)
            var admitted = 0
            for number: UInt32 in 0..<1000 where isAdmitted(gate.admit(address(number), isFleet: false, now: 0)) {
                admitted += 1
            }
            #expect(admitted == max(24, 192 / workers), "\(workers) workers")
        }
    }

    @Test func `an address that has proved itself is known for hours, and then a stranger's again`() throws {
        var gate = try gate(strangers: MonitorGate.Limits(openPerAddress: 0, ratePerAddress: 1, open: 0, rate: 1))
        #expect(!call(&gate, address(1), at: 0))
        gate.proved(address(1), now: 0)
        #expect(call(&gate, address(1), at: 0))
        #expect(!call(&gate, address(2), at: 0))
        #expect(call(&gate, address(1), at: MonitorGate.knownFor - 1))
        #expect(!call(&gate, address(1), at: MonitorGate.knownFor))
    }

    @Test func `who has proved one address of a line has not proved the line`() throws {
        var gate = try gate(strangers: MonitorGate.Limits(openPerAddress: 0, ratePerAddress: 1, open: 0, rate: 1))
        let line: UInt128 = 0x2001_0DB8_0000_0001 << 64
        gate.proved(Address(ipv6: line | 1), now: 0)
        #expect(call(&gate, Address(ipv6: line | 1), at: 0))
        #expect(!call(&gate, Address(ipv6: line | 2), at: 0))
    }

    @Test func `a known address has a limit of its own, and takes nothing from the others`() throws {
        var gate = try gate()
        var admitted = 0
        for _ in 0..<2000 where isAdmitted(gate.admit(address(1), isFleet: true, now: 0)) { admitted += 1 }
        #expect(admitted == 256)
        #expect(call(&gate, address(2), isFleet: true, at: 0))
        #expect(call(&gate, address(3), at: 0))
    }

    @Test func `however many prove themselves, the memory stays as it is and the newest are known`() throws {
        var gate = try gate(strangers: MonitorGate.Limits(openPerAddress: 0, ratePerAddress: 1, open: 0, rate: 1))
        for number: UInt32 in 0..<100_000 { gate.proved(address(number), now: UInt64(number)) }
        #expect(call(&gate, address(99_999), at: 100_000))
        var known = 0
        for number: UInt32 in 0..<100_000 where call(&gate, address(number), at: 100_000) { known += 1 }
        #expect((1...1024).contains(known), "\(known)")
    }

    @Test func `a place with connections open is nobody else's, however many call`() throws {
        var gate = try gate()
        guard case .admitted(let pass) = gate.admit(address(7), isFleet: false, now: 0) else {
            Issue.record("it was refused")
            return
        }
        for number: UInt32 in 1000..<60_000 { _ = call(&gate, address(number), at: UInt64(number)) }
        // Its own connections are counted still.
        for _ in 0..<15 { _ = gate.admit(address(7), isFleet: false, now: 100_000) }
        #expect(gate.admit(address(7), isFleet: false, now: 200_000) == .refused(.address))
        gate.left(pass)
        #expect(isAdmitted(gate.admit(address(7), isFleet: false, now: 300_000)))
    }

    @Test func `explains a few refusals a second, and not a flood of them`() throws {
        var gate = try gate()
        var explained = 0
        for moment: UInt64 in 0..<1000 { for _ in 0..<20 where gate.explains(now: moment) { explained += 1 } }
        #expect((20...40).contains(explained), "\(explained)")
    }
}
