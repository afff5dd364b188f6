import Testing

@testable import DataPlane

@Suite struct `The pulse of the workers` {
    @Test func `a worker whose rounds stand still for longer than the patience is stuck`() {
        var pulse = WorkerPulse(patience: .seconds(5))
        pulse.observed([10, 20], at: .seconds(100))
        pulse.observed([11, 20], at: .seconds(105))
        #expect(pulse.stuck(at: .seconds(105)) == [])
        #expect(pulse.stuck(at: .milliseconds(105_001)) == [1])
    }

    @Test func `a worker that moves again is well`() {
        var pulse = WorkerPulse(patience: .seconds(5))
        pulse.observed([10], at: .seconds(0))
        pulse.observed([10], at: .seconds(9))
        #expect(pulse.stuck(at: .seconds(9)) == [0])
        pulse.observed([11], at: .seconds(10))
        #expect(pulse.stuck(at: .seconds(10)) == [])
    }

    @Test func `a worker that never began is stuck too`() {
        var pulse = WorkerPulse(patience: .seconds(5))
        pulse.observed([0], at: .seconds(50))
        #expect(pulse.stuck(at: .seconds(55)) == [])
        pulse.observed([0], at: .seconds(56))
        #expect(pulse.stuck(at: .seconds(56)) == [0])
    }

    @Test func `before anything was seen nobody is stuck`() {
        #expect(WorkerPulse(patience: .seconds(5)).stuck(at: .seconds(1000)) == [])
    }
}
