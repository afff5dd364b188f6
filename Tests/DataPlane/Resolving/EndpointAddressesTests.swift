import Domain
import Testing

@testable import DataPlane

@Suite struct `The addresses of an endpoint` {
    private func judged(ipv6: Int, ipv4: Int, forbidding forbidden: Set<Int> = []) -> [JudgedAddress] {
        let addresses =
            (0..<ipv6).map { Address(ipv6: 0x2001_0db8 << 96 | UInt128($0)) }
            + (0..<ipv4).map { Address(ipv4: 0xC633_6400 + UInt32($0)) }
        let fleet = Set(forbidden.map { addresses[$0] })
        return addresses.map { JudgedAddress($0, policy: EndpointPolicy(fleet: fleet)) }
    }

    private func candidates(_ addresses: EndpointAddresses, rotation: UInt32 = 0) -> [JudgedAddress] {
        var all: [JudgedAddress] = []
        while let next = addresses.candidate(all.count, rotation: rotation) { all.append(next) }
        return all
    }

    @Test(arguments: [(0, 1), (1, 0), (3, 5), (0, 20), (0, 64), (16, 0), (8, 32), (5, 44)])
    func `are all tried, each once, with the verdict on each`(ipv6: Int, ipv4: Int) {
        let judged = judged(ipv6: ipv6, ipv4: ipv4, forbidding: [0, ipv6 + ipv4 - 1])
        let known = EndpointAddresses(tenant: 1, status: .known, addresses: judged)
        for rotation in [0, 1, 7, 63, 64, UInt32.max] {
            #expect(Set(candidates(known, rotation: rotation)) == Set(judged))
            #expect(candidates(known, rotation: rotation).count == judged.count)
        }
        #expect(EndpointAddresses.hasRoom(for: judged.map(\.address)))
    }

    @Test func `are of both families in turn, IPv6 first`() {
        let known = EndpointAddresses(tenant: 1, status: .known, addresses: judged(ipv6: 2, ipv4: 4))
        #expect(candidates(known).map(\.address.family) == [.ipv6, .ipv4, .ipv6, .ipv4, .ipv4, .ipv4])
    }

    @Test func `have each its turn to be the first, over as many flows as there are addresses`() {
        let judged = judged(ipv6: 0, ipv4: 20)
        let known = EndpointAddresses(tenant: 1, status: .known, addresses: judged)
        #expect(Set((0..<20).compactMap { known.candidate(0, rotation: $0) }) == Set(judged))
    }

    @Test(arguments: [(20, 20), (64, 0), (64, 64), (17, 0), (32, 1), (16, 33)])
    func `that have no room together have it one window after another`(ipv6: Int, ipv4: Int) {
        let judged = judged(ipv6: ipv6, ipv4: ipv4)
        #expect(!EndpointAddresses.hasRoom(for: judged.map(\.address)))
        var seen: Set<JudgedAddress> = []
        for window in stride(from: 0, to: 7 * 64, by: 7) {
            let known = EndpointAddresses(tenant: 1, status: .known, addresses: judged, window: window)
            let all = candidates(known)
            #expect(Set(all).count == all.count)
            #expect(Set(all.map(\.address.family)).count == (ipv4 > 0 ? 2 : 1))
            seen.formUnion(all)
        }
        #expect(seen == Set(judged))
    }

    @Test func `fit into a record of 272 octets, of which there are 100,000 in each worker`() {
        #expect(MemoryLayout<EndpointAddresses>.stride <= 272)
    }
}
