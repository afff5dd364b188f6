import Domain
import Testing

@testable import DataPlane

/// What a worker remembers of failures and of log lines: of fixed size, and for a while.
@Suite struct `Memories of a worker` {
    @Test func `a failed address is remembered for half a minute, and no longer once it has been connected to`() throws
    {
        let memory = try AddressMemory(seed: 7)
        let peers = try ["192.0.2.1:443", "192.0.2.1:80", "[2001:db8::1]:443"].map { try TransportAddress($0) }
        memory.failed(peers[0], now: 1000)
        #expect(memory.hasFailed(peers[0], now: 1000))
        #expect(memory.hasFailed(peers[0], now: 30_999))
        #expect(!memory.hasFailed(peers[0], now: 31_000))
        #expect(!memory.hasFailed(peers[1], now: 1000), "another port is another place")
        #expect(!memory.hasFailed(peers[2], now: 1000))
        memory.failed(peers[2], now: 1000)
        memory.connected(peers[2])
        #expect(!memory.hasFailed(peers[2], now: 1001))
    }

    @Test func `a flow is 80 bytes beside its halves of 64 each, since idle ones come by the hundred thousand`() {
        #expect(MemoryLayout<Flow>.stride == 80)
        #expect(MemoryLayout<Half>.stride == 64)
    }

    @Test func `a noisy service hides no line of another, nor of another kind`() throws {
        let memory = try IncidentMemory()
        #expect(memory.admit(.endpointUnreachable, service: 5, now: 1000) == 0)
        for moment in 1001..<1500 as Range<UInt64> {
            #expect(memory.admit(.endpointUnreachable, service: 5, now: moment) == nil)
        }
        #expect(memory.admit(.endpointUnreachable, service: 6, now: 1400) == 0)
        #expect(memory.admit(.endpointReset, service: 5, now: 1400) == 0)
        #expect(memory.admit(.endpointUnreachable, service: 5, now: 2000) == 499, "so many were left out")
    }

    @Test func `more noisy services than there is memory for are logged all the same`() throws {
        let memory = try IncidentMemory()
        for service in 2..<20_000 as Range<Int32> {
            #expect(memory.admit(.clientReset, service: service, now: 1000) != nil, "service \(service)")
        }
    }
}
