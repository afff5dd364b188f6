import Testing

@testable import ControlPlane

@Suite struct `Probe round` {
    let noon = ContinuousClock.now

    func round(_ doors: [String] = ["a:80", "a:443"]) -> ProbeRound {
        ProbeRound(doors: doors, timeout: .seconds(1), at: noon)
    }

    func at(_ milliseconds: Int) -> ContinuousClock.Instant { noon + .milliseconds(milliseconds) }

    @Test func `is answered when every door is`() {
        var round = round()
        #expect(round.takeDue(at: noon) == [0, 1])
        round.ended(0, .answered)
        #expect(round.outcome(at: at(5)) == nil)
        round.ended(1, .answered)
        #expect(round.outcome(at: at(6)) == .answered)
    }

    @Test func `begins another attempt every tenth of the timeout, where there is no answer yet`() {
        var round = round()
        #expect(round.takeDue(at: noon) == [0, 1])
        #expect(round.nextEvent == at(100))
        #expect(round.takeDue(at: at(50)) == [])
        round.ended(0, .answered)
        for tenth in 1...9 { #expect(round.takeDue(at: at(100 * tenth)) == [1]) }
        #expect(round.nextEvent == at(1000))
        #expect(round.takeDue(at: at(999)) == [])
    }

    @Test func `does not make up for attempts whose time has passed`() {
        var round = round()
        _ = round.takeDue(at: noon)
        #expect(round.takeDue(at: at(450)) == [0, 1])
        #expect(round.nextEvent == at(500))
    }

    @Test func `is missed at its deadline, and says who was silent for how long`() {
        var round = round()
        for tenth in 0...9 { _ = round.takeDue(at: at(100 * tenth)) }
        round.ended(0, .answered)
        round.ended(1, .failed("Connection timed out"))
        #expect(round.outcome(at: at(999)) == nil)
        #expect(
            round.outcome(at: at(1000)) == .missed("a:443: no answer in 1000 ms, and once: Connection timed out"))
    }

    @Test func `is missed at once when a door is refused twice`() {
        var round = round()
        _ = round.takeDue(at: noon)
        round.ended(1, .refused("refused"))
        #expect(round.outcome(at: at(1)) == nil)
        _ = round.takeDue(at: at(100))
        round.ended(1, .refused("status 503"))
        #expect(round.outcome(at: at(101)) == .missed("a:443: status 503"))
    }

    @Test func `one refusal and then an answer is an answer`() {
        var round = round(["a:80"])
        _ = round.takeDue(at: noon)
        round.ended(0, .refused("refused"))
        _ = round.takeDue(at: at(100))
        round.ended(0, .answered)
        #expect(round.outcome(at: at(110)) == .answered)
    }

    @Test func `a door to which this machine has no way says nothing of who is there`() {
        var round = round(["a:80", "[2001:db8::1]:80"])
        _ = round.takeDue(at: noon)
        round.ended(1, .unreachable("Network is unreachable"))
        #expect(round.outcome(at: at(1)) == nil)
        round.ended(0, .answered)
        #expect(round.outcome(at: at(2)) == .answered)
    }

    @Test func `nothing is told when there is no way to any door`() {
        var round = round()
        _ = round.takeDue(at: noon)
        round.ended(0, .unreachable("Network is unreachable"))
        round.ended(1, .unreachable("Network is unreachable"))
        #expect(
            round.outcome(at: at(1)) == .untold("a:80: Network is unreachable; a:443: Network is unreachable"))
    }

    @Test func `nothing is told when attempts could not be made`() {
        var round = round(["a:80"])
        for tenth in 0...9 {
            _ = round.takeDue(at: at(100 * tenth))
            if tenth > 3 { round.ended(0, .notMade("Too many open files")) }
        }
        #expect(round.outcome(at: at(1000)) == .untold("a:80: Too many open files"))
    }

    @Test func `nothing is told by one who slept through its deadline`() {
        var round = round(["a:80"])
        for tenth in 0...9 { _ = round.takeDue(at: at(100 * tenth)) }
        #expect(round.outcome(at: at(1600)) == .untold("this process was held up for 0.6 seconds"))
    }

    @Test func `of many doors a few are named`() {
        var round = round((1...6).map { "a:\($0)" })
        for tenth in 0...9 { _ = round.takeDue(at: at(100 * tenth)) }
        let silence = "no answer in 1000 ms"
        #expect(
            round.outcome(at: at(1000))
                == .missed("a:1: \(silence); a:2: \(silence); a:3: \(silence); a:4: \(silence); and 2 more"))
    }

    @Test func `what ends late, twice or nowhere changes nothing`() {
        var round = round(["a:80"])
        _ = round.takeDue(at: noon)
        round.ended(7, .answered)
        round.ended(0, .answered)
        round.ended(0, .refused("refused"))
        round.ended(0, .refused("refused"))
        #expect(round.outcome(at: at(1)) == .answered)
        #expect(round.takeDue(at: at(100)) == [])
    }
}
