import Testing

@testable import DataPlane

@Suite struct `A check of one target` {
    private func round(_ count: Int, timeout: UInt64 = 2000) -> CheckRound {
        CheckRound(addresses: (0..<count).map { "192.0.2.\($0):443" }, timeout: timeout, now: 0)
    }

    @Test func `asks one address, and is over when that answers`() {
        var round = round(3)
        #expect(round.takeDue(now: 0) == 0)
        #expect(round.takeDue(now: 0) == nil)
        #expect(round.outcome(now: 10) == nil)
        round.ended(0, .answered, now: 10)
        #expect(round.outcome(now: 10) == .well)
    }

    @Test func `asks the next address beside one that is silent, and is well when any answers`() {
        var round = round(3)
        #expect(round.takeDue(now: 0) == 0)
        #expect(round.nextEvent == 250)
        #expect(round.takeDue(now: 249) == nil)
        #expect(round.takeDue(now: 250) == 1)
        #expect(round.takeDue(now: 500) == 2)
        #expect(round.nextEvent == 2000)
        round.ended(1, .answered, now: 600)
        #expect(round.outcome(now: 600) == .well)
    }

    @Test func `asks the next address at once when one fails`() {
        var round = round(2)
        #expect(round.takeDue(now: 0) == 0)
        round.ended(0, .failed("refused"), now: 3)
        #expect(round.outcome(now: 3) == nil)
        #expect(round.takeDue(now: 3) == 1)
        round.ended(1, .failed("status 503"), now: 9)
        #expect(round.outcome(now: 9) == .failed("192.0.2.0:443: refused; 192.0.2.1:443: status 503"))
    }

    @Test func `gives each address its turn, however many there are and however short its time`() {
        for timeout in [1, 8, 100, 1000] as [UInt64] {
            var round = round(8, timeout: timeout)
            var begun: [Int] = []
            for now in 0..<timeout { while let index = round.takeDue(now: now) { begun.append(index) } }
            #expect(timeout < 8 || begun == Array(0..<8), "in \(timeout) ms")
        }
    }

    @Test func `fails at its deadline, and says who was silent and who was not`() {
        var round = round(2)
        _ = round.takeDue(now: 0)
        _ = round.takeDue(now: 250)
        round.ended(0, .failed("reset"), now: 300)
        #expect(round.outcome(now: 1999) == nil)
        #expect(round.outcome(now: 2000) == .failed("192.0.2.0:443: reset; 192.0.2.1:443: no answer in 2000 ms"))
    }

    @Test func `tells nothing when this process could not ask`() {
        var hindered = round(2)
        _ = hindered.takeDue(now: 0)
        hindered.ended(0, .notMade("Too many open files"), now: 0)
        #expect(hindered.outcome(now: 0) == nil)
        _ = hindered.takeDue(now: 0)
        hindered.ended(1, .failed("refused"), now: 1)
        #expect(hindered.outcome(now: 1) == .untold("Too many open files"))
        var heldUp = round(2)
        _ = heldUp.takeDue(now: 0)
        #expect(heldUp.outcome(now: 60_000) == .untold("this process was held up"))
    }

    @Test func `an answer counts although something of ours went wrong`() {
        var round = round(2)
        _ = round.takeDue(now: 0)
        round.ended(0, .notMade("Too many open files"), now: 0)
        _ = round.takeDue(now: 0)
        round.ended(1, .answered, now: 5)
        #expect(round.outcome(now: 5) == .well)
    }

    @Test func `its reason is of bounded length`() throws {
        var round = CheckRound(
            addresses: (0..<8).map { "[2001:db8::\($0)]:443" }, timeout: 100, now: 0)
        while let index = round.takeDue(now: 0) {
            round.ended(index, .failed(String(repeating: "x", count: 5000)), now: 0)
        }
        guard case .failed(let reason)? = round.outcome(now: 0) else {
            Issue.record("not failed")
            return
        }
        #expect(reason.count <= 300)
    }
}
