import Domain
import Foundation
import Testing

@testable import Failover
@testable import Probing

/// The machine, driven by hand: a fleet, a clock, and what the vantages see.
private struct Watch {
    var machine = FailoverMachine()
    var circumstances = FailoverMachine.Circumstances()
    var now = ContinuousClock.now
    var actions: [FailoverMachine.Action] = []
    let servers: [ServerName]
    var vantages: [Vantage]
    /// Between two rounds, in seconds.
    let interval: Int

    init(
        _ names: String..., vantages: [String] = ["control", "us1", "jp1"], interval: Int = 1, threshold: Int = 3
    ) throws {
        self.interval = interval
        servers = try names.map { try ServerName($0) }
        self.vantages = try vantages.map { $0 == "control" ? .control : .server(try ServerName($0)) }
        let monitoring = try Monitoring(
            interval: interval, timeout: 1, threshold: threshold, recoveryThreshold: 3)
        circumstances.settings.holdDown = 10
        for server in servers { circumstances.monitoring[server] = monitoring }
        circumstances.active = [servers[0]]
        step()
    }

    mutating func step() { actions += machine.step(circumstances, at: now) }

    /// A round of every vantage: those in `missing` miss those of their servers.
    mutating func round(missing: [String: [String]] = [:], silent: Set<String> = []) {
        now += .seconds(interval)
        for vantage in vantages where !silent.contains(vantage.description) {
            for server in servers {
                let isMissed = missing[vantage.description]?.contains(server.text) ?? false
                machine.receive(
                    ProbeOutcome(
                        server: server, service: nil, vantage: vantage, error: isMissed ? "no answer in 1000 ms" : nil,
                        duration: .milliseconds(1), at: now))
            }
        }
        step()
    }

    /// Rounds in which every vantage misses these servers.
    mutating func rounds(_ count: Int, all missed: String...) {
        for _ in 0..<count {
            round(missing: Dictionary(uniqueKeysWithValues: vantages.map { ($0.description, missed) }))
        }
    }

    /// A round in which every vantage's connections are taken, and none has its answer from the first server.
    mutating func crowdedRound(isCarrying: Bool) {
        now += .seconds(interval)
        for vantage in vantages {
            for server in servers {
                let isCrowded = server == servers[0]
                machine.receive(
                    ProbeOutcome(
                        server: server, service: nil, vantage: vantage,
                        error: isCrowded ? "accepted, but no answer in 1000 ms" : nil, accepted: isCrowded,
                        duration: .milliseconds(1), at: now), isCarrying: isCarrying)
            }
        }
        step()
    }

    mutating func told() -> [FailoverMachine.Action] {
        defer { actions = [] }
        return actions
    }

    var phase: FailoverMachine.Phase? { machine.servers[servers[0]]?.phase }
    var failsOver: Bool { actions.contains(.failOver(servers[0])) }
    var held: [String] {
        actions.compactMap { if case .held(_, let reason) = $0 { reason } else { nil } }
    }
}

@Suite struct `The failover machine` {
    @Test func `a server that answers is healthy, and nothing is done`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        for _ in 0..<20 { watch.round() }
        #expect(watch.phase == .up)
        #expect(watch.told().isEmpty)
    }

    @Test func `the threshold of misses at a majority makes it failed, and not one round sooner`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(5)
        watch.rounds(2, all: "za1")
        #expect(watch.phase == .suspect)
        #expect(!watch.failsOver)
        watch.rounds(1, all: "za1")
        #expect(watch.phase == .down)
        #expect(watch.failsOver)
    }

    @Test func `a miss that is followed by answers is only a suspicion`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        watch.rounds(2, all: "za1")
        watch.rounds(1)
        #expect(watch.phase == .up)
        let told = watch.told()
        #expect(told.count == 1)
        guard case .suspected? = told.first else { throw Failure("it was told \(told)") }
    }

    @Test func `one vantage of three that does not see it changes nothing, however long`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        for _ in 0..<50 { watch.round(missing: ["control": ["za1"]]) }
        #expect(watch.phase == .suspect)
        #expect(!watch.failsOver)
    }

    @Test func `with two vantages both have to miss it`() throws {
        var watch = try Watch("za1", "ie1", "us1", vantages: ["control", "us1"])
        for _ in 0..<10 { watch.round(missing: ["control": ["za1"]]) }
        #expect(!watch.failsOver)
        watch.rounds(3, all: "za1")
        #expect(watch.failsOver)
    }

    @Test func `answers that are missing while traffic flows move nothing, and are told as what they are`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        for _ in 0..<50 { watch.crowdedRound(isCarrying: true) }
        #expect(watch.phase == .up)
        let told = watch.told()
        #expect(told.count == 1, "\(told)")
        guard case .answersMissing(let server, let words)? = told.first else { throw Failure("it was told \(told)") }
        #expect(server == watch.servers[0])
        #expect(
            words.hasPrefix("answers missing though traffic flows: is the monitor endpoint being flooded? control: "))
        watch.rounds(5)
        #expect(watch.told() == [.answersBack(watch.servers[0])])
    }

    @Test func `missing answers of a server without traffic make it fail as any silence does`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        for _ in 0..<2 { watch.crowdedRound(isCarrying: false) }
        #expect(watch.phase == .suspect)
        watch.crowdedRound(isCarrying: false)
        #expect(watch.failsOver)
    }

    @Test func `a server that takes no connections fails, whatever its session tells of traffic`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        for _ in 0..<3 {
            watch.now += .seconds(1)
            for vantage in watch.vantages {
                watch.machine.receive(
                    ProbeOutcome(
                        server: watch.servers[0], service: nil, vantage: vantage, error: "refused",
                        duration: .milliseconds(1), at: watch.now), isCarrying: true)
            }
            watch.step()
        }
        #expect(watch.failsOver)
    }

    @Test func `when traffic ends while answers are missing the threshold counts from there`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        for _ in 0..<20 { watch.crowdedRound(isCarrying: true) }
        for _ in 0..<2 { watch.crowdedRound(isCarrying: false) }
        #expect(watch.phase == .suspect)
        #expect(!watch.failsOver)
        watch.crowdedRound(isCarrying: false)
        #expect(watch.failsOver)
        // It is told that the other matter is over.
        #expect(watch.told().contains(.answersBack(watch.servers[0])))
    }

    @Test func `a server that is down is not well again because traffic flows, but when it answers`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        watch.rounds(3, all: "za1")
        #expect(watch.phase == .down)
        for _ in 0..<10 { watch.crowdedRound(isCarrying: true) }
        #expect(watch.phase == .down)
        watch.rounds(3)
        #expect(watch.phase == .up)
    }

    @Test func `services that have lost their way fail a server whose own answers are only missing`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        let service = try ServiceName("acme-app")
        for _ in 0..<6 {
            watch.crowdedRound(isCarrying: true)
            for vantage in watch.vantages {
                for server in watch.servers {
                    watch.machine.receive(
                        ProbeOutcome(
                            server: server, service: service, vantage: vantage,
                            error: server == watch.servers[0] ? "status 502" : nil, accepted: true,
                            duration: .milliseconds(1), at: watch.now), isCarrying: true)
                }
            }
            watch.step()
        }
        #expect(watch.failsOver)
    }

    @Test func `a quorum that is set holds against a majority`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.monitoring[watch.servers[0]] = try Monitoring(
            interval: 1, timeout: 1, threshold: 3, recoveryThreshold: 3, quorum: 3)
        for _ in 0..<10 { watch.round(missing: ["control": ["za1"], "us1": ["za1"]]) }
        #expect(!watch.failsOver)
        watch.rounds(3, all: "za1")
        #expect(watch.failsOver)
    }

    @Test func `a vantage that has fallen silent counts on neither side`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        // jp1 goes away having seen it well; the two that are left decide.
        for _ in 0..<6 { watch.round(missing: ["control": ["za1"], "us1": ["za1"]], silent: ["jp1"]) }
        #expect(watch.failsOver)
    }

    @Test func `without any report nothing is known to have changed`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        for _ in 0..<30 { watch.round(silent: ["control", "us1", "jp1"]) }
        #expect(watch.phase == .up)
        #expect(watch.told().isEmpty)
    }

    @Test func `when most servers stop answering at once the machine suspects itself and says why`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        watch.rounds(10, all: "za1", "ie1", "us1")
        #expect(!watch.failsOver)
        #expect(watch.machine.holding?.contains("3 of 3 servers stopped answering at once") == true)
        #expect(watch.held.count == 1, "it is said once: \(watch.held)")
        watch.rounds(8)
        #expect(watch.machine.holding == nil)
        #expect(watch.phase == .up)
        #expect(!watch.failsOver)
    }

    @Test func `when its network is back, the server that answers last is not taken for the only one that is down`()
        throws
    {
        var watch = try Watch("za1", "ie1", "us1", vantages: ["control"])
        watch.rounds(3)
        watch.rounds(10, all: "za1", "ie1", "us1")
        watch.rounds(3, all: "za1")
        #expect(!watch.failsOver)
        watch.rounds(10)
        #expect(watch.machine.holding == nil)
        #expect(!watch.failsOver)
    }

    @Test func `a server that has not come back when the others have is down indeed`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3)
        watch.rounds(10, all: "za1", "ie1", "us1")
        watch.rounds(12, all: "za1")
        #expect(watch.failsOver)
    }

    @Test
    func
        `its own network is gone: the other vantages fall silent while it misses everybody, one server a moment after the other`()
        throws
    {
        var watch = try Watch("za1", "ie1", "us1", vantages: ["control", "ie1", "us1"])
        watch.rounds(5)
        for round in 0..<12 {
            watch.round(missing: ["control": round == 0 ? ["za1"] : ["za1", "ie1", "us1"]], silent: ["ie1", "us1"])
            #expect(!watch.failsOver, "in round \(round)")
        }
        #expect(watch.machine.holding != nil)
    }

    @Test func `vantages that are lost one by one leave no majority to the last of them`() throws {
        var watch = try Watch("za1", "ie1", "us1", vantages: ["control", "ie1", "us1"])
        watch.rounds(5)
        // The data planes' last reports were good and grow old at different moments, while the control plane misses za1
        // first of all.
        watch.round(missing: ["control": ["za1"]], silent: ["ie1"])
        for _ in 0..<4 {
            watch.round(missing: ["control": ["za1"]], silent: ["ie1", "us1"])
            #expect(!watch.failsOver)
        }
    }

    @Test(arguments: [(1, 3), (2, 3), (30, 5), (60, 3), (60, 5)])
    func `its own network is gone, at whatever pace it probes: it holds, then and when it is back`(
        interval: Int, threshold: Int
    ) throws {
        var watch = try Watch(
            "za1", "ie1", "us1", vantages: ["control", "ie1", "us1"], interval: interval, threshold: threshold)
        for _ in 0..<5 { watch.round() }
        // The data planes cannot tell what they see, and one server is missed a round before the others.
        for round in 0..<30 {
            let missed = round == 0 ? ["za1"] : ["za1", "ie1", "us1"]
            watch.round(missing: ["control": missed], silent: ["ie1", "us1"])
            #expect(!watch.failsOver, "in round \(round)")
        }
        #expect(watch.machine.holding != nil)
        watch.round(missing: ["control": ["za1"]])
        for _ in 0..<30 { watch.round() }
        #expect(!watch.failsOver)
        #expect(watch.machine.holding == nil)
    }

    @Test func `with 60 s and 5 misses it is down at the fifth, as documented`() throws {
        var watch = try Watch("za1", "ie1", "us1", interval: 60, threshold: 5)
        watch.rounds(5)
        watch.rounds(4, all: "za1")
        #expect(!watch.failsOver)
        watch.rounds(1, all: "za1")
        #expect(watch.failsOver)
    }

    @Test func `a server that answers again is not left, though it is not trusted yet`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        // Nobody could take over until now.
        watch.rounds(5, all: "za1")
        _ = watch.told()
        watch.rounds(1)
        #expect(watch.phase == .down)
        #expect(!watch.failsOver)
        _ = watch.told()
        watch.rounds(3, all: "za1")
        #expect(watch.failsOver)
    }

    @Test func `a server that has been down for long does not make the failure of another look like our own`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.active = [watch.servers[1]]
        watch.rounds(90, all: "za1")
        _ = watch.told()
        watch.rounds(3, all: "za1", "ie1")
        #expect(watch.actions.contains(.failOver(watch.servers[1])))
    }

    @Test func `a server that leads nowhere is reported and not failed over`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.active = []
        watch.rounds(5, all: "za1")
        #expect(watch.phase == .down)
        #expect(!watch.failsOver)
    }

    @Test func `while a failover of it is carried out nothing more is decided`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.busy = [watch.servers[0]]
        watch.rounds(5, all: "za1")
        #expect(!watch.failsOver)
    }

    @Test func `a frozen fleet holds and says by whom; once thawed it moves`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.freeze = Freeze(since: Date(), until: Date() + 60, reason: "maintenance", author: "ann")
        watch.rounds(5, all: "za1")
        #expect(!watch.failsOver)
        #expect(watch.held == ["the fleet is frozen by ann: maintenance"])
        watch.circumstances.freeze = nil
        watch.rounds(1, all: "za1")
        #expect(watch.failsOver)
    }

    @Test func `where failover is not automatic it says how it is done`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.settings.failsOver = false
        watch.rounds(5, all: "za1")
        #expect(!watch.failsOver)
        #expect(watch.held.first?.contains("ddirect failover run") == true)
    }

    @Test func `forced up it stays up whatever probes say; forced down it fails over at once`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.overrides[watch.servers[0]] = ServerOverride(
            server: watch.servers[0], state: .up, until: Date() + 60, reason: "a known fault", author: "ann")
        watch.rounds(10, all: "za1")
        #expect(watch.phase == .up)
        watch.circumstances.overrides[watch.servers[0]] = ServerOverride(
            server: watch.servers[0], state: .down, until: Date() + 60, reason: "it is on fire", author: "ann")
        watch.rounds(1)
        #expect(watch.failsOver)
        watch.circumstances.overrides = [:]
        watch.rounds(2)
        #expect(watch.phase == .up, "it has answered three times by now")
    }

    @Test func `recovery takes its own threshold, and failback the hold-down`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3, all: "za1")
        watch.circumstances.active = [watch.servers[1]]
        watch.circumstances.movedAway = [watch.servers[0]]
        _ = watch.told()
        watch.rounds(2)
        #expect(watch.phase == .down)
        watch.rounds(1)
        #expect(watch.told() == [.recovered(watch.servers[0])])
        watch.rounds(9)
        #expect(watch.told().isEmpty)
        watch.rounds(2)
        #expect(watch.told() == [.mayFailBack(watch.servers[0])])
        watch.circumstances.settings.failsBack = true
        watch.rounds(1)
        #expect(watch.told() == [.failBack(watch.servers[0])])
    }

    @Test func `each fall doubles the hold-down, so that one that comes and goes does not take traffic back and forth`()
        throws
    {
        var watch = try Watch("za1", "ie1", "us1")
        watch.circumstances.settings.failsBack = true
        watch.circumstances.movedAway = [watch.servers[0]]
        watch.circumstances.active = [watch.servers[1]]
        for _ in 0..<3 {
            watch.rounds(4, all: "za1")
            watch.rounds(4)
        }
        #expect(watch.machine.isFlapping(watch.servers[0], at: watch.now, holdDown: 10))
        _ = watch.told()
        watch.rounds(35)
        #expect(!watch.told().contains(.failBack(watch.servers[0])), "40 s after three falls")
        watch.rounds(6)
        #expect(watch.told().contains(.failBack(watch.servers[0])))
    }

    @Test func `what no standby could be found for is said once for each reason`() throws {
        var watch = try Watch("za1", "ie1", "us1")
        watch.rounds(3, all: "za1")
        let server = watch.servers[0]
        #expect(watch.machine.hold(server, because: "ie1 is down") == .held(server, "ie1 is down"))
        #expect(watch.machine.hold(server, because: "ie1 is down") == nil)
        #expect(watch.machine.hold(server, because: "ie1 is draining") != nil)
    }
}

@Suite struct `A service's own check` {
    private func check(_ watch: inout Watch, _ missed: [String], rounds: Int) throws {
        let service = try ServiceName("acme-app")
        for _ in 0..<rounds {
            watch.now += .seconds(1)
            for vantage in watch.vantages {
                for server in watch.servers {
                    watch.machine.receive(
                        ProbeOutcome(
                            server: server, service: nil, vantage: vantage, error: nil, duration: .zero, at: watch.now))
                    watch.machine.receive(
                        ProbeOutcome(
                            server: server, service: service, vantage: vantage,
                            error: missed.contains(server.text) ? "status 502" : nil, duration: .zero, at: watch.now))
                }
            }
            watch.step()
        }
    }

    @Test func `a server that has lost its way to the endpoint is down, though it answers itself`() throws {
        var watch = try Watch("za1", "ie1")
        try check(&watch, ["za1"], rounds: 3)
        #expect(watch.failsOver)
    }

    @Test func `an endpoint that answers nobody is no fault of the server`() throws {
        var watch = try Watch("za1", "ie1")
        try check(&watch, ["za1", "ie1"], rounds: 10)
        #expect(watch.phase == .up)
    }
}

private struct Failure: Error {
    let text: String
    init(_ text: String) { self.text = text }
}
