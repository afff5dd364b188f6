import Domain
import Testing

@Suite struct `A round of a probe` {
    private let http = "192.0.2.1:80"
    private let https = "192.0.2.1:443"

    private func round(_ doors: [String], timeout: UInt64 = 1000) -> ProbeRound {
        ProbeRound(doors: doors, timeout: timeout, now: 5000)
    }

    /// The moments, from the beginning on, at which attempts are made when none of them ends.
    private func attempts(_ round: inout ProbeRound, until end: UInt64) -> [UInt64] {
        var moments: [UInt64] = []
        var now: UInt64 = 5000
        while now < 5000 + end {
            if !round.takeDue(now: now).isEmpty { moments.append(now - 5000) }
            guard round.nextEvent > now else { break }
            now = round.nextEvent
        }
        return moments
    }

    @Test func `is answered once every address and port has answered`() {
        var round = round([http, https])
        #expect(round.takeDue(now: 5000) == [0, 1])
        round.ended(0, .answered)
        #expect(round.outcome(now: 5010) == nil)
        round.ended(1, .answered)
        #expect(round.outcome(now: 5020) == .answered)
    }

    @Test func `is missed when one of them is silent, which is named`() {
        var round = round([http, https])
        _ = round.takeDue(now: 5000)
        round.ended(0, .answered)
        #expect(attempts(&round, until: 1000) == [100, 200, 300, 400, 500, 600, 700, 800, 900])
        #expect(round.outcome(now: 5999) == nil)
        #expect(round.outcome(now: 6000) == .missed("192.0.2.1:443: no answer in 1000 ms", accepted: false))
    }

    @Test func `makes ten attempts in its time, and no more`() {
        var round = round([https])
        #expect(attempts(&round, until: 1000).count == 10)
        #expect(round.takeDue(now: 5999) == [])
        #expect(round.nextEvent == 6000)
    }

    @Test func `is answered by the last attempt when a lossy network has swallowed the others`() {
        var round = round([https])
        #expect(attempts(&round, until: 1000).last == 900)
        round.ended(0, .answered)
        #expect(round.outcome(now: 5999) == .answered)
    }

    @Test func `asks nobody again who has answered`() {
        var round = round([http, https])
        _ = round.takeDue(now: 5000)
        round.ended(1, .answered)
        #expect(round.takeDue(now: 5100) == [0])
    }

    @Test func `survives one refusal, as of a process that restarts`() {
        var round = round([http])
        _ = round.takeDue(now: 5000)
        round.ended(0, .refused("refused"))
        #expect(round.outcome(now: 5001) == nil)
        #expect(round.takeDue(now: 5100) == [0])
        round.ended(0, .answered)
        #expect(round.outcome(now: 5103) == .answered)
    }

    @Test func `is missed at the second refusal, without waiting for anyone`() {
        var round = round([http, https])
        for moment: UInt64 in [5000, 5100] {
            _ = round.takeDue(now: moment)
            round.ended(0, .refused("refused"))
        }
        #expect(round.outcome(now: 5101) == .missed("192.0.2.1:80: refused", accepted: false))
    }

    @Test func `is missed at the second wrong answer, and says which it was`() {
        var round = round([https])
        for moment: UInt64 in [5000, 5100] {
            _ = round.takeDue(now: moment)
            round.ended(0, .refused("is server ie1, not za1"))
        }
        #expect(round.outcome(now: 5101) == .missed("192.0.2.1:443: is server ie1, not za1", accepted: false))
    }

    @Test func `goes on to its deadline when ways fail, since the next attempt may find another`() {
        var round = round([https])
        for moment in stride(from: UInt64(5000), to: 6000, by: 100) {
            #expect(round.takeDue(now: moment) == [0])
            round.ended(0, .failed("No route to host"))
            #expect(round.outcome(now: moment) == nil)
        }
        #expect(
            round.outcome(now: 6000)
                == .missed("192.0.2.1:443: no answer in 1000 ms, and once: No route to host", accepted: false))
    }

    @Test func `names some of many, and counts the rest`() {
        var round = round((1...6).map { "192.0.2.\($0):443" })
        _ = attempts(&round, until: 1000)
        let silence = "no answer in 1000 ms"
        #expect(
            round.outcome(now: 6000)
                == .missed(
                    (1...4).map { "192.0.2.\($0):443: \(silence)" }.joined(separator: "; ") + "; and 2 more",
                    accepted: false))
    }

    @Test func `that is missed says whether connections were taken, and only answers are missing`() {
        var round = round([http, https])
        _ = round.takeDue(now: 5000)
        round.accepted(1)
        round.ended(0, .answered)
        _ = attempts(&round, until: 1000)
        #expect(
            round.outcome(now: 6000)
                == .missed("192.0.2.1:443: accepted, but no answer in 1000 ms", accepted: true))
    }

    @Test func `is not accepted when one of the doors that were missed takes no connections`() {
        var round = round([http, https])
        _ = round.takeDue(now: 5000)
        round.accepted(1)
        _ = attempts(&round, until: 1000)
        let reason = "192.0.2.1:80: no answer in 1000 ms; 192.0.2.1:443: accepted, but no answer in 1000 ms"
        #expect(round.outcome(now: 6000) == .missed(reason, accepted: false))
    }

    @Test func `goes on when it is turned away, since the next attempt may be let in`() {
        var round = round([https])
        for moment in stride(from: UInt64(5000), to: 5900, by: 100) {
            #expect(round.takeDue(now: moment) == [0])
            round.ended(0, .turnedAway("reset"))
            #expect(round.outcome(now: moment) == nil)
        }
        #expect(round.takeDue(now: 5900) == [0])
        #expect(
            round.outcome(now: 6000)
                == .missed("192.0.2.1:443: accepted, but no answer in 1000 ms, and once: reset", accepted: true))
        round.ended(0, .answered)
        #expect(round.outcome(now: 6000) == .answered)
    }

    @Test func `is no miss of a crowded endpoint when it was refused or given a wrong answer once as well`() {
        for refusal in ["refused", "is server ie1, not za1"] {
            var round = round([https])
            _ = round.takeDue(now: 5000)
            round.accepted(0)
            round.ended(0, .refused(refusal))
            _ = attempts(&round, until: 1000)
            #expect(
                round.outcome(now: 6000)
                    == .missed("192.0.2.1:443: no answer in 1000 ms, and once: \(refusal)", accepted: false))
        }
    }

    @Test func `takes the relay's word that its endpoint is busy for no answer, and the endpoint's own for one`() throws
    {
        let server = try ServerName("za1")
        func end(_ status: Int, _ answering: String?) -> ProbeRound.End {
            .ofMonitor(status: status, answering: answering, server: server)
        }
        #expect(end(200, "za1") == .answered)
        #expect(end(200, "ie1") == .refused("is server ie1, not za1"))
        #expect(end(200, nil) == .refused("an answer that is not of a monitor endpoint"))
        for status in [429, 502, 503, 504] { #expect(end(status, nil) == .turnedAway("status \(status)")) }
        #expect(end(503, "za1") == .refused("status 503"))
        #expect(end(404, nil) == .refused("status 404"))
        for status in [200, 301, 404, 499] { #expect(ProbeRound.End.ofService(status: status) == .answered) }
        for status in [421, 500, 503] {
            #expect(ProbeRound.End.ofService(status: status) == .refused("status \(status)"))
        }
    }

    @Test func `leaves out an address to which there is no way from here`() {
        var round = round([https, "[2001:db8::1]:443"])
        _ = round.takeDue(now: 5000)
        round.ended(1, .unreachable("Network is unreachable"))
        round.ended(0, .answered)
        #expect(round.outcome(now: 5005) == .answered)
    }

    @Test func `tells nothing when there is no way to any address, as it is this machine that is cut off`() {
        var round = round([http, https])
        _ = round.takeDue(now: 5000)
        round.ended(0, .unreachable("Network is unreachable"))
        round.ended(1, .unreachable("Network is unreachable"))
        guard case .untold(let reason) = round.outcome(now: 5000) else {
            Issue.record("something is told of it")
            return
        }
        #expect(reason.contains("Network is unreachable"))
    }

    @Test func `tells nothing when its own attempts could not be made`() {
        var round = round([https])
        for moment in stride(from: UInt64(5000), to: 6000, by: 100) where !round.takeDue(now: moment).isEmpty {
            round.ended(0, .notMade("Too many open files"))
        }
        #expect(round.outcome(now: 6000) == .untold("192.0.2.1:443: Too many open files"))
    }

    @Test func `tells nothing when the thread was held up for most of it`() {
        var round = round([https])
        _ = round.takeDue(now: 5000)
        #expect(round.outcome(now: 9000) == .untold("192.0.2.1:443: this process was held up"))
    }

    @Test func `a thread that is late makes one attempt, and not those that it has missed`() {
        var round = round([https])
        _ = round.takeDue(now: 5000)
        #expect(round.takeDue(now: 5350) == [0])
        #expect(round.nextEvent == 5400)
    }

    @Test func `is not changed by attempts that end after their door, or that it never asked for`() {
        var round = round([https])
        _ = round.takeDue(now: 5000)
        round.ended(7, .answered)
        round.ended(-1, .answered)
        #expect(round.outcome(now: 5001) == nil)
        round.ended(0, .answered)
        round.ended(0, .refused("refused"))
        round.ended(0, .refused("refused"))
        #expect(round.outcome(now: 5002) == .answered)
    }

    @Test func `is as good with the shortest timeout there can be`() {
        var round = round([https], timeout: 1)
        #expect(round.takeDue(now: 5000) == [0])
        #expect(round.nextEvent == 5001)
        #expect(round.outcome(now: 5001) != nil)
    }
}

/// Loss that hits each packet by itself, with TCP's patience on the way: what hedging is for.
@Suite struct `A round through a lossy network` {
    /// Milliseconds until an attempt has its answer, over a way of 50 ms there and back that loses three of ten packets
    /// each way.
    private func duration(of attempt: inout SystemRandomNumberGenerator, roundTrips: Int) -> UInt64 {
        var total: UInt64 = 0
        for trip in 0..<roundTrips {
            // The first packet waits a second before it is sent again, the others 250 ms; each time twice as long.
            var patience: UInt64 = trip == 0 ? 1000 : 250
            while Double.random(in: 0..<1, using: &attempt) > 0.49 {
                total += patience
                patience *= 2
            }
            total += 50
        }
        return total
    }

    @Test func `is answered nearly always by TLS, where one attempt alone nearly never is`() {
        var chance = SystemRandomNumberGenerator()
        var answered = 0
        var alone = 0
        for _ in 0..<1000 {
            var round = ProbeRound(doors: ["192.0.2.1:443"], timeout: 1000, now: 0)
            var arrivals: [UInt64] = []
            var now: UInt64 = 0
            var outcome: ProbeRound.Outcome?
            while outcome == nil {
                if arrivals.contains(where: { $0 <= now }) { round.ended(0, .answered) }
                outcome = round.outcome(now: now)
                for _ in round.takeDue(now: now) { arrivals.append(now + duration(of: &chance, roundTrips: 3)) }
                now = min(round.nextEvent, max(arrivals.min() ?? .max, now + 1))
            }
            if outcome == .answered { answered += 1 }
            if let first = arrivals.first, first <= 1000 { alone += 1 }
        }
        #expect(answered > 850, "\(answered) of 1000 rounds were answered")
        #expect(answered > 2 * alone, "\(alone) of 1000 first attempts were")
    }
}
