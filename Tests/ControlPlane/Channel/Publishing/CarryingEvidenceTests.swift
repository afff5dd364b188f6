import Testing
import Wire

@testable import Channel

@Suite struct `Evidence that a server carries traffic` {
    private let noon = ContinuousClock.now

    private func load(bytes: UInt64, opened: UInt64 = 0) -> WireLoad {
        var load = WireLoad()
        load.bytesTotal = bytes
        if opened > 0 {
            var connections = WireServiceConnections()
            connections.service = "acme-app"
            connections.opened = opened
            load.connections = [connections]
        }
        return load
    }

    /// An hour after its session has begun.
    private func settled(bytes: UInt64) -> CarryingEvidence {
        var evidence = CarryingEvidence()
        evidence.sessionBegan(at: noon - .seconds(3600))
        for second in [3598, 3600] { evidence.observed(load(bytes: bytes), at: noon - .seconds(3600 - second)) }
        return evidence
    }

    @Test func `is bytes that have moved between two reports, or connections that have come`() {
        for report in [load(bytes: 8001), load(bytes: 8000, opened: 1)] {
            var evidence = settled(bytes: 8000)
            #expect(!evidence.isCarrying(heard: noon, at: noon))
            evidence.observed(report, at: noon + .seconds(2))
            #expect(evidence.isCarrying(heard: noon + .seconds(2), at: noon + .seconds(2)))
        }
    }

    @Test func `is none when nothing moves`() {
        var evidence = settled(bytes: 8000)
        evidence.observed(load(bytes: 8000), at: noon + .seconds(2))
        #expect(!evidence.isCarrying(heard: noon + .seconds(2), at: noon + .seconds(2)))
    }

    @Test func `lasts for two reports, and no longer`() {
        var evidence = settled(bytes: 8000)
        evidence.observed(load(bytes: 9000), at: noon)
        for second in 0...5 {
            #expect(evidence.isCarrying(heard: noon + .seconds(second), at: noon + .seconds(second)))
        }
        #expect(!evidence.isCarrying(heard: noon + .seconds(6), at: noon + .seconds(6)))
    }

    @Test func `ends with the heartbeats, as of a process that is stopped while its kernel takes connections`() {
        var evidence = settled(bytes: 8000)
        evidence.observed(load(bytes: 9000), at: noon)
        #expect(evidence.isCarrying(heard: noon, at: noon + .milliseconds(1500)))
        #expect(!evidence.isCarrying(heard: noon, at: noon + .milliseconds(1501)))
    }

    @Test func `is presumed of a session that has had no time to tell, and of no other`() {
        var evidence = CarryingEvidence()
        #expect(!evidence.isCarrying(heard: noon, at: noon))
        evidence.sessionBegan(at: noon)
        #expect(evidence.isCarrying(heard: noon, at: noon))
        evidence.observed(load(bytes: 8000), at: noon + .seconds(1))
        #expect(evidence.isCarrying(heard: noon + .seconds(2), at: noon + .seconds(2)))
        evidence.observed(load(bytes: 8000), at: noon + .seconds(3))
        #expect(!evidence.isCarrying(heard: noon + .seconds(3), at: noon + .seconds(3)))
        var silent = CarryingEvidence()
        silent.sessionBegan(at: noon)
        #expect(!silent.isCarrying(heard: noon + .seconds(6), at: noon + .seconds(6)))
    }

    @Test func `what an earlier process has carried is not compared with what this one has`() {
        var evidence = settled(bytes: 8000)
        evidence.sessionBegan(at: noon)
        evidence.observed(load(bytes: 9000), at: noon + .seconds(1))
        evidence.observed(load(bytes: 9000), at: noon + .seconds(3))
        #expect(!evidence.isCarrying(heard: noon + .seconds(3), at: noon + .seconds(3)))
    }
}
