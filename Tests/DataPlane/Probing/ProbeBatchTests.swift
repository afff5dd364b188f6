import Testing
import Wire

@testable import DataPlane

@Suite struct `Probes on their way to the control plane` {
    private func probe(_ server: String) -> WireProbe {
        var probe = WireProbe()
        probe.server = server
        return probe
    }

    private func servers(_ frame: WireFrame?) -> [String]? {
        guard case .observation(let observation)? = frame?.message,
            case .probes(let probes)? = observation.observation
        else { return nil }
        return probes.probes.map(\.server)
    }

    @Test func `wait for those that end in the same moment, and no longer`() {
        var batch = ProbeBatch()
        #expect(batch.nextFrame(now: 0) == nil)
        batch.add(probe("za1"), now: 1000)
        batch.add(probe("ie1"), now: 1090)
        #expect(batch.nextFrame(now: 1099) == nil)
        #expect(batch.due == 1100)
        #expect(servers(batch.nextFrame(now: 1100)) == ["za1", "ie1"])
        #expect(batch.due == nil)
    }

    @Test func `are sent in frames that are not too long, at once when there are many`() {
        var batch = ProbeBatch()
        for index in 0..<2500 { batch.add(probe("s\(index)"), now: 1000) }
        #expect(servers(batch.nextFrame(now: 1000))?.count == ProbeBatch.most)
        #expect(servers(batch.nextFrame(now: 1000))?.count == ProbeBatch.most)
        #expect(servers(batch.nextFrame(now: 1000))?.count == 500)
        #expect(batch.nextFrame(now: 5000) == nil)
    }

    @Test func `fit in a frame with the longest reasons`() throws {
        var batch = ProbeBatch()
        var longest = probe(String(repeating: "x", count: 63))
        longest.service = longest.server
        longest.error = String(repeating: "x", count: 500)
        longest.durationMicroseconds = .max
        for _ in 0..<ProbeBatch.most { batch.add(longest, now: 0) }
        let sent = batch.nextFrame(now: 0)
        let frame = try #require(sent)
        #expect(throws: Never.self) {
            try FrameEncoder(longestFrame: ChannelRules.longestFrameUp).encoded(frame)
        }
    }

    @Test func `are forgotten with the session`() {
        var batch = ProbeBatch()
        batch.add(probe("za1"), now: 1000)
        batch.drop()
        #expect(batch.due == nil)
        #expect(batch.nextFrame(now: 9000) == nil)
    }
}
