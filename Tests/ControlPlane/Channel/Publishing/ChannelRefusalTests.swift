import Testing

@testable import Channel

@Suite struct `Refusals of the channel` {
    @Test func `are all counted, and said once a minute for each address and kind`() {
        var log = RefusalLog()
        let noon = ContinuousClock.now
        #expect(log.refused(.handshake, host: "192.0.2.1", at: noon) == 0)
        #expect(log.refused(.handshake, host: "192.0.2.1", at: noon + .seconds(1)) == nil)
        #expect(log.refused(.handshake, host: "192.0.2.1", at: noon + .seconds(59)) == nil)
        #expect(log.refused(.handshake, host: "192.0.2.2", at: noon + .seconds(59)) == 0)
        #expect(log.refused(.revoked, host: "192.0.2.1", at: noon + .seconds(59)) == 0)
        #expect(log.refused(.handshake, host: "192.0.2.1", at: noon + .seconds(60)) == 2)
        #expect(log.counts == [.handshake: 5, .revoked: 1])
    }

    @Test func `of a million addresses take no more memory than those of a thousand`() {
        var log = RefusalLog()
        let noon = ContinuousClock.now
        for number in 0..<10_000 { _ = log.refused(.handshake, host: "\(number)", at: noon) }
        #expect(log.remembered <= RefusalLog.mostEntries)
        #expect(log.counts[.handshake] == 10_000)
    }
}
