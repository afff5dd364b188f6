import Domain
import Testing
import Wire

@testable import Channel

@Suite struct `Session machine` {
    let noon = ContinuousClock.now
    let incarnation = Incarnation(1)

    func version(_ number: UInt64) -> SnapshotVersion { SnapshotVersion(number) }

    func holding(_ number: UInt64, of incarnation: Incarnation = Incarnation(1)) -> Hello.Holding {
        Hello.Holding(incarnation: incarnation, version: version(number), digest: Digest(bits: UInt128(number)))
    }

    func hello(_ holding: Hello.Holding?) throws -> Hello {
        Hello(server: try ServerName("za1"), softwareVersion: "1", holding: holding, bootID: "b")
    }

    /// A machine whose data plane said that it has `holding` when `newest` was the newest version.
    func known(_ holding: Hello.Holding?, newest: UInt64) throws -> SessionMachine {
        var machine = SessionMachine(limits: SessionLimits(), at: noon)
        let hello = try hello(holding)
        #expect(machine.received(.hello(hello), at: noon) == [.identify(hello)])
        #expect(machine.accepted(incarnation: incarnation, newest: version(newest)) == [.sendSnapshot])
        return machine
    }

    func ending(_ actions: [SessionMachine.Action]) throws -> SessionMachine.Ending {
        guard case .end(let ending) = try #require(actions.first), actions.count == 1 else {
            throw NoEnding(actions: actions)
        }
        return ending
    }

    struct NoEnding: Error { let actions: [SessionMachine.Action] }

    @Test func `sends everything to a data plane that has nothing`() throws {
        #expect(try known(nil, newest: 5).need(newest: version(5)) == .whole)
    }

    @Test func `sends a difference to a data plane that has a version of ours, even the newest`() throws {
        for number: UInt64 in [3, 5] {
            let machine = try known(holding(number), newest: 5)
            #expect(machine.need(newest: version(5)) == .difference(from: holding(number)))
        }
    }

    @Test func `has one snapshot on its way at a time, and then the newest`() throws {
        var machine = try known(holding(3), newest: 5)
        machine.sending(version(5), digest: Digest(bits: 55), isWhole: true)
        #expect(machine.published(version(6)) == [])
        #expect(machine.published(version(7)) == [])
        #expect(machine.received(.applied(version(5)), at: noon) == [.reportApplied(version(5))])
        #expect(machine.published(version(7)) == [.sendSnapshot])
        let base = Hello.Holding(incarnation: incarnation, version: version(5), digest: Digest(bits: 55))
        #expect(machine.need(newest: version(7)) == .difference(from: base))
        machine.sending(version(7), digest: Digest(bits: 77), isWhole: true)
        _ = machine.received(.applied(version(7)), at: noon)
        #expect(machine.published(version(7)) == [])
    }

    @Test func `sends everything once after a refused difference, in case that it was that which did not fit`() throws {
        var machine = try known(holding(3), newest: 5)
        machine.sending(version(5), digest: Digest(bits: 55), isWhole: false)
        let refusal = machine.received(.refused(version(5), reasons: ["no"]), at: noon)
        #expect(refusal == [.retryWhole(version(5), reasons: ["no"])], "it does not count yet")
        #expect(machine.published(version(5)) == [.sendSnapshot])
        #expect(machine.need(newest: version(5)) == .whole)
        machine.sending(version(5), digest: Digest(bits: 55), isWhole: true)
        let last = machine.received(.refused(version(5), reasons: ["no"]), at: noon)
        #expect(last == [.reportRefused(version(5), reasons: ["no"])])
        // That was the last word on this version, and what the data plane has is as good a base for the next as before.
        #expect(machine.published(version(5)) == [])
        #expect(machine.published(version(6)) == [.sendSnapshot])
        #expect(machine.need(newest: version(6)) == .difference(from: holding(3)))
    }

    @Test func `ends when a snapshot is not answered, however often the data plane beats`() throws {
        var machine = try known(holding(4), newest: 5)
        machine.sending(version(5), digest: .zero, isWhole: false)
        machine.made(octets: 100, at: noon)
        for second in 1..<60 {
            _ = machine.received(.heartbeat, at: noon + .seconds(second))
            #expect(machine.tick(at: noon + .seconds(second)) == [.heartbeat])
        }
        _ = machine.received(.heartbeat, at: noon + .seconds(60))
        #expect(try ending(machine.tick(at: noon + .seconds(60))).reason.contains("not answered"))
    }

    @Test func `keeps of a refusal what can be shown: not too much, and on one line`() throws {
        var machine = try known(holding(4), newest: 5)
        machine.sending(version(5), digest: .zero, isWhole: true)
        let reasons = [String](repeating: "bad\nline" + String(repeating: "x", count: 1000), count: 200)
        let actions = machine.received(.refused(version(5), reasons: reasons), at: noon)
        guard case .reportRefused(_, let kept)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(kept.count == 100)
        #expect(kept.allSatisfy { $0.count == 500 && $0.hasPrefix("bad line") })
    }

    @Test(arguments: [Incarnation(2), Incarnation(1)])
    func `asks once whether a configuration of another store or of our future may go`(store: Incarnation) throws {
        var machine = try known(holding(9, of: store), newest: 5)
        #expect(machine.need(newest: version(5)) == .whole)
        machine.sending(version(5), digest: .zero, isWhole: true)
        _ = machine.received(.refused(version(5), reasons: ["foreign"]), at: noon)
        #expect(machine.published(version(6)) == [.reportRefused(version(6), reasons: ["foreign"])])
        #expect(machine.published(version(6)) == [])
        // Once our versions have passed that of our future, it may take a difference, if the digests agree.
        let expected: Subscription.Need =
            store == incarnation ? .difference(from: holding(9)) : .standingRefusal(reasons: ["foreign"])
        #expect(machine.need(newest: version(9)) == expected)
    }

    @Test func `counts a snapshot that could not be made as refused`() throws {
        var machine = try known(nil, newest: 5)
        machine.sending(version(5), digest: .zero, isWhole: true)
        #expect(machine.notMade(reasons: ["big"]) == [.reportRefused(version(5), reasons: ["big"])])
        #expect(machine.published(version(6)) == [.sendSnapshot])
    }

    @Test func `ends when no Hello comes within five seconds, whatever else does not come`() throws {
        var machine = SessionMachine(limits: SessionLimits(), at: noon)
        #expect(machine.tick(at: noon + .seconds(4.9)) == [])
        #expect(try ending(machine.tick(at: noon + .seconds(5))).saysGoodbye)
        #expect(machine.tick(at: noon + .seconds(6)) == [])
    }

    @Test func `sends a heartbeat every interval and ends after three without a sound`() throws {
        var machine = try known(holding(5), newest: 5)
        #expect(machine.tick(at: noon + .seconds(1)) == [.heartbeat])
        #expect(machine.received(.heartbeat, at: noon + .seconds(2)) == [])
        #expect(machine.tick(at: noon + .seconds(4.9)) == [.heartbeat])
        #expect(try ending(machine.tick(at: noon + .seconds(5))).reason.contains("nothing was heard"))
    }

    @Test func `is patient with a data plane that applies a big snapshot`() throws {
        var machine = try known(nil, newest: 5)
        machine.sending(version(5), digest: .zero, isWhole: true)
        machine.made(octets: 10 << 20, at: noon)
        #expect(machine.tick(at: noon + .seconds(29)) == [.heartbeat])
        #expect(try ending(machine.tick(at: noon + .seconds(30))).reason.contains("nothing was heard"))
    }

    @Test func `ends when what it sends is not read`() throws {
        var machine = try known(holding(5), newest: 5)
        machine.beganSending(at: noon)
        for second in 1..<30 {
            _ = machine.received(.heartbeat, at: noon + .seconds(second))
            #expect(machine.tick(at: noon + .seconds(second)) == [.heartbeat])
        }
        #expect(try ending(machine.tick(at: noon + .seconds(30))).saysGoodbye == false)
    }

    @Test func `ends at another protocol version, and names both`() throws {
        var message = WireHello(try hello(nil))
        message.protocolVersion = 2
        var frame = WireFrame()
        frame.hello = message
        var machine = SessionMachine(limits: SessionLimits(), at: noon)
        #expect(try ending(machine.received(frame, at: noon)).reason == "it speaks protocol version 2; expected 1")
    }

    @Test func `ends at an invalid Hello`() throws {
        var frame = WireFrame()
        frame.hello.protocolVersion = 1
        var machine = SessionMachine(limits: SessionLimits(), at: noon)
        #expect(try ending(machine.received(frame, at: noon)).reason.contains("invalid Hello"))
    }

    @Test func `ends at frames that are out of order`() throws {
        var early = SessionMachine(limits: SessionLimits(), at: noon)
        #expect(try ending(early.received(.heartbeat, at: noon)).reason.contains("first frame"))

        let outOfOrder: [WireFrame] = [
            .hello(try hello(nil)), .applied(version(5)), .refused(version(5), reasons: []),
            .snapshot(WireSnapshot()), .command(WireCommand()),
        ]
        for frame in outOfOrder {
            var machine = try known(holding(5), newest: 5)
            #expect(try ending(machine.received(frame, at: noon)).saysGoodbye)
        }

        var machine = try known(holding(4), newest: 5)
        machine.sending(version(5), digest: .zero, isWhole: true)
        #expect(try ending(machine.received(.applied(version(4)), at: noon)).reason.contains("not on its way"))
    }

    @Test func `lets frames pass whose kind it does not know`() throws {
        var machine = try known(holding(5), newest: 5)
        #expect(machine.received(WireFrame(), at: noon) == [])
        #expect(machine.tick(at: noon) == [.heartbeat])
    }

    @Test func `does not answer a goodbye, and ends once`() throws {
        var machine = try known(holding(5), newest: 5)
        let ending = try ending(machine.received(.goodbye("restart"), at: noon))
        #expect(ending.isOrderly && !ending.saysGoodbye && ending.reason.contains("restart"))
        #expect(machine.disconnected() == [])
        #expect(machine.received(.heartbeat, at: noon) == [])
        #expect(machine.published(version(9)) == [])
    }

    // MARK: Over TCP

    @Test func `a session may only speak for the server that its certificate names`() throws {
        var machine = SessionMachine(limits: SessionLimits(), peer: .unknown, at: noon)
        machine.authenticated(.certified(try ServerName("ie1")))
        let ending = try ending(machine.received(.hello(try hello(nil)), at: noon))
        #expect(ending.refusal == .certificate)
        #expect(ending.reason == "its certificate is of server ie1, but it says that it is server za1")
        #expect(ending.saysGoodbye)
    }

    @Test func `its own server it may speak for, and ask for its next certificate`() throws {
        var machine = SessionMachine(limits: SessionLimits(), peer: .unknown, at: noon)
        machine.authenticated(.certified(try ServerName("za1")))
        let hello = try hello(nil)
        #expect(machine.received(.hello(hello), at: noon) == [.identify(hello)])
        #expect(machine.accepted(incarnation: incarnation, newest: version(1)) == [.sendSnapshot])
        #expect(machine.received(.certificateRequest([1, 2]), at: noon) == [.renew(request: [1, 2])])
    }

    @Test(arguments: [ChannelPeer.unknown, .anonymous])
    func `who has no certificate is no server`(peer: ChannelPeer) throws {
        var machine = SessionMachine(limits: SessionLimits(), peer: peer, at: noon)
        #expect(try ending(machine.received(.hello(try hello(nil)), at: noon)).refusal == .certificate)
    }

    @Test func `who has no certificate may enroll, once, and nobody else may`() throws {
        var stranger = SessionMachine(limits: SessionLimits(), peer: .unknown, at: noon)
        let enroll = WireFrame.enroll(token: "t", request: [7])
        stranger.authenticated(.anonymous)
        #expect(stranger.received(enroll, at: noon) == [.enroll(token: "t", request: [7])])
        #expect(try ending(stranger.received(enroll, at: noon)).refusal == .frame)
        for peer in [ChannelPeer.local, .unknown, .certified(try ServerName("za1"))] {
            var machine = SessionMachine(limits: SessionLimits(), peer: peer, at: noon)
            #expect(try ending(machine.received(enroll, at: noon)).refusal == .hello)
        }
    }

    @Test func `over the Unix socket there are no certificates to ask for`() throws {
        var machine = try known(nil, newest: 1)
        #expect(try ending(machine.received(.certificateRequest([1]), at: noon)).refusal == .frame)
    }
}
