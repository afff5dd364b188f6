import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `What is known of a name` {
    private let ipv4: NameAnswer = .addresses([Address(ipv4: 0xC000_0201)], seconds: 60)
    private let ipv6: NameAnswer = .addresses([Address(ipv6: 0x2001_0db8 << 96 | 1)], seconds: 60)
    private let nothing: NameAnswer = .nothing("no addresses")
    private let failed: NameAnswer = .failed(.serverFailure)

    /// A record that had an address of IPv4, and was told these about each family, one after the other until `until`.
    private func record(ipv4 answer: NameAnswer, ipv6 other: NameAnswer, until end: UInt64) -> NameRecord {
        var record = NameRecord()
        record.answered(.ipv4, ipv4, now: 0)
        record.answered(.ipv6, nothing, now: 0)
        for now in stride(from: 1000, through: end, by: max(1000, Int(end) / 100)) {
            record.answered(.ipv6, other, now: UInt64(now))
            record.answered(.ipv4, answer, now: UInt64(now))
        }
        return record
    }

    @Test func `a failure of one family beside nothing in the other keeps the good address`() {
        let record = record(ipv4: failed, ipv6: nothing, until: 3_600_000)
        #expect(record.status == .known)
        #expect(record.addresses.count == 1)
        #expect(record.isTroubled)
    }

    @Test func `nothing in one family beside a failure of the other keeps the good address`() {
        #expect(record(ipv4: nothing, ipv6: failed, until: 3_600_000).status == .known)
    }

    @Test func `nothing in both for half a minute is nothing`() {
        #expect(record(ipv4: nothing, ipv6: nothing, until: 29_000).status == .known)
        #expect(record(ipv4: nothing, ipv6: nothing, until: 32_000).status == .unresolved)
    }

    @Test func `nothing in one family beside addresses in the other is the end of the one`() {
        let record = record(ipv4: nothing, ipv6: ipv6, until: 32_000)
        #expect(record.addresses.map(\.family) == [.ipv6])
        #expect(!record.isTroubled)
    }

    @Test func `what nobody has confirmed for three days goes`() {
        #expect(record(ipv4: failed, ipv6: failed, until: NameRecord.longestStale - 10_000_000).status == .known)
        #expect(record(ipv4: failed, ipv6: failed, until: NameRecord.longestStale + 10_000_000).status == .unresolved)
    }

    @Test func `one family that has failed and one that has not been answered leave a name unknown`() {
        var record = NameRecord()
        record.answered(.ipv4, failed, now: 0)
        #expect(record.status == .unknown)
        record.answered(.ipv6, nothing, now: 0)
        #expect(record.status == .unresolved)
    }

    @Test func `64 addresses are kept of an answer that has more`() {
        var record = NameRecord()
        let many = (0..<1000).map { Address(ipv4: 0xC633_6400 + $0) }
        record.answered(.ipv4, .addresses(many.shuffled(), seconds: 1), now: 0)
        #expect(record.addresses == Array(many.prefix(64)))
    }
}
