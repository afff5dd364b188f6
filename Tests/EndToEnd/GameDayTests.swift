import Foundation
import Glibc
import JSON
import Testing

/// Failover with real parts from end to end: what a device and the DNS see when things go wrong in a fleet of three
/// regions.
///
/// These cases are played by `make test`; those of the other files, too, by `make game-day`.
@Suite(
    .load, .serialized, .printsTable,
    .enabled(
        if: Capability.held(.sysAdmin, .netAdmin), "networks of its own take CAP_SYS_ADMIN and CAP_NET_ADMIN"))
struct `A game day` {
    // MARK: What moves

    @Test
    func `za1 is killed: ie1 answers within seconds, and an operator takes everything back without a lost call`() throws
    {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.killServer("za1")
        try expectFailover("killed", of: day, witnesses, since: fault)

        try day.startServer("za1")
        try day.awaitStatus("za1 is well again") {
            $0.server("za1")["state"].text == "recovering"
        }
        try day.awaitEvent("failback.ready", since: fault)
        #expect(try day.names.target == "ie1.dfree.test.", "that is left to the operator")
        let told = momentNow()
        let said = try day.ddirect("failback", "za1", "--reason", "it is well again")
        #expect(said.code == 0, "\(said.errors)")
        let failback = try day.awaitVerified("failback")
        try expectReturn(
            "failback", failback, of: day, witnesses, since: told, undoing: "automatic", quietSince: told,
            remark: "no call lost")
    }

    @Test func `za1 is cut off without a word: ie1 answers within seconds`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.network.unplug("za1")
        try expectFailover("cut off", of: day, witnesses, since: fault)
    }

    // MARK: What does not

    @Test func `30 % of what goes to and from za1 is lost: it is alive, and nothing moves`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let length = Duration.seconds(GameDay.isWhole ? 20 : 10 * GameDay.interval)
        let fault = momentNow()
        try day.network.lose(30, of: "za1")
        pause(length)
        let lossy = witnesses.calls(from: fault, to: momentNow())
        try day.network.mend()
        try day.awaitHealth()
        #expect(try day.events("server.failed", since: fault) == [])
        try expectNothingMoved(day, witnesses)
        let share = Double(lossy.count { !$0.isPrompt }) / Double(max(1, lossy.count))
        GameDayTable.add(
            GameDayRow(
                "30 % loss each way for \(length.milliseconds / 1000) s", since: fault,
                remark: String(format: "nothing moves; %.0f %% of the device's calls took over 1 s", share * 100)))
    }

    @Test func `only the control plane is cut off from za1: the others see it, and nothing moves`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.network.cut("control", "za1")
        try day.awaitStatus("the control plane misses za1") {
            $0.server("za1").misses(from: "control") >= GameDay.threshold
        }
        let missed = momentNow() - fault
        // As long again as it took, and for a while.
        try witnesses.awaitVerdicts()
        let za1 = try day.status.server("za1")
        #expect(za1.misses(from: "control") > GameDay.threshold)
        #expect(["ie1", "us1"].allSatisfy { za1.misses(from: $0) < GameDay.threshold }, "\(za1)")
        #expect(za1["state"].text == "suspect")
        #expect(try day.status["holding"] == .null)
        try day.network.mend()
        try day.awaitHealth()
        try expectNothingMoved(day, witnesses)
        #expect(witnesses.calls(from: fault).faults == "")
        GameDayTable.add(
            GameDayRow(
                "control plane cut off from za1 alone", since: fault,
                remark: "nothing moves; its misses are shown after \(GameDayRow.seconds(missed)); no call lost"))
    }

    @Test
    func `the control plane loses its own network: it suspects itself, and nothing moves then or when it is back`()
        throws
    {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.network.unplug("control")
        try day.awaitStatus("the control plane suspects itself") { $0["holding"].text != nil }
        let held = momentNow() - fault
        // Whatever is still believed of a server.
        try witnesses.awaitVerdicts()
        #expect(try day.status["holding"].text != nil)
        #expect(try day.failovers == [])
        try day.network.plug("control")
        try day.awaitHealth()
        try witnesses.awaitMore(30)
        try expectNothingMoved(day, witnesses)
        #expect(witnesses.calls(from: fault).faults == "", "traffic needs no control plane")
        #expect(try !day.events("failover.held", since: fault).isEmpty)
        GameDayTable.add(
            GameDayRow(
                "the control plane's own network lost", since: fault,
                remark: "nothing moves; it suspects itself after \(GameDayRow.seconds(held)); no call lost"))
    }

    @Test func `somebody else changed the record just before: it is not overwritten, and that is shown`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        try day.names.point(at: "us1.dfree.test")
        let fault = momentNow()
        try day.killServer("za1")
        let failover = try day.awaitFailover("automatic", "has met a conflict") {
            $0["stage"].text == "conflicted" || !$0["timeline"].items.allSatisfy { $0["kind"].text != "conflict" }
        }
        try day.awaitEvent("failover.conflict", since: fault)
        // As long as another attempt would take, and more.
        try witnesses.awaitVerdicts()
        let after = try day.failover(failover["id"].integer ?? 0)
        #expect(after["stage"].text == "conflicted")
        #expect(after["moves"].items.map { $0["state"].text } == ["conflict"])
        #expect(!after.isInForce)
        let words = after["timeline"].items.filter { $0["kind"].text == "conflict" }.compactMap { $0["detail"].text }
        #expect(words.contains { $0.contains("us1.dfree.test") }, "it says what is there: \(after)")
        #expect(witnesses.answers == [["za1.dfree.test", "us1.dfree.test"]].repeated(2), "never anything else")
        #expect(day.names.changes(to: "ie1.dfree.test") == 0)
        #expect(try day.failovers.count == 1, "it is not tried again and again")
        var row = GameDayRow("the record is somebody else's", since: fault, remark: "not overwritten: conflicted")
        row.firstMiss = after.moment(of: "firstMiss")
        row.decision = after.moment(of: "decision")
        GameDayTable.add(row)
    }
}

// MARK: What is expected

/// The last look-ups before a name turns may be answered late: from this long after the first new answer on, in
/// seconds, there are new answers only.
let afterTurning = Double(FleetNames.timeToLive)

/// Waits until za1's service is answered by a standby, and holds what the device and the DNS saw against what we
/// promise.
@discardableResult
func expectFailover(
    _ name: String, of day: GameDay, _ witnesses: Witnesses, since fault: Moment, to standby: String = "ie1",
    promptly isPrompt: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
) throws -> GameDayRow {
    func expect(_ condition: Bool, _ words: @autoclosure () -> String) {
        if !condition { Issue.record("\(name): \(words())", sourceLocation: sourceLocation) }
    }
    let (old, new) = (try day.network.host("za1"), try day.network.host(standby))
    let failover = try day.awaitVerified()
    let first = try witnesses.awaitAnswer(through: new.address, after: fault)
    try witnesses.awaitMore(20)
    let row = GameDayRow(name, since: fault, failover, witnesses, from: old, to: new)
    GameDayTable.add(row)

    let all = try day.failovers
    expect(all.count == 1, "there is one failover: \(all)")
    expect(failover.isInForce && failover["server"].text == "za1", "it is in force: \(failover)")
    let moves = failover["moves"].items.map { [$0["service"], $0["from"], $0["to"], $0["state"]].map(\.text) }
    expect(moves == [["acme-app", "za1", standby, "written"]], "it moves the service: \(moves)")
    expect(
        failover["zones"].items.flatMap { $0["authorities"].items }.count { $0["agreesAt"] != .null } == 2,
        "both authoritative servers were asked: \(failover)")
    expect(day.names.changes(to: "\(standby).dfree.test") == 1, "the name is changed once")
    let answers = witnesses.answers
    expect(
        answers == [["za1.dfree.test", "\(standby).dfree.test"]].repeated(2),
        "the name changes once, and is never without an answer: \(answers)")
    let later = witnesses.calls(from: first.opened + afterTurning)
    expect(later.faults == "" && later.addresses == [new.address], "all is well from then on: \(later.faults)")

    guard isPrompt else { return row }
    guard let decision = row.decision, let everywhere = row.everywhere, let outage = row.outage, let held = row.held
    else {
        Issue.record("\(name): no time line in \(failover)", sourceLocation: sourceLocation)
        return row
    }
    expect((row.firstMiss ?? .infinity) <= decision, "the first miss comes before the decision: \(failover)")
    // How long that takes is the table's; only where figures are held does a machine have to be quick.
    guard Figures.areHeld else { return row }
    // The resolver counts in whole seconds, so that a TTL may last for one more. What it took is what it is held to.
    let timeToLive = Double(FleetNames.timeToLive)
    expect(held <= timeToLive + 1.3, "the resolver goes by the TTL: it gave the old answer for \(held) s")
    let bound = (decision - fault) + max(timeToLive, held) + 1
    expect(outage <= bound, "an outage of \(outage) s is no longer than detection, TTL and a second: \(bound) s")
    expect(everywhere - fault <= 5, "every authoritative server answers within 5 s: \(everywhere - fault) s")
    return row
}

/// Waits until za1 answers again by a failback, and holds what the device and the DNS saw since `quiet` against what we
/// promise.
func expectReturn(
    _ name: String, _ failback: JSONValue, of day: GameDay, _ witnesses: Witnesses, since returned: Moment,
    undoing kind: String, quietSince quiet: Moment, remark: String
) throws {
    let za1 = try day.network.host("za1")
    let first = try witnesses.awaitAnswer(through: za1.address, after: returned)
    try witnesses.awaitMore(20)
    #expect(witnesses.calls(from: quiet).faults == "", "devices do not notice")
    #expect(witnesses.calls(from: first.opened + afterTurning).addresses == [za1.address])
    #expect(witnesses.answers == [["za1.dfree.test", "ie1.dfree.test", "za1.dfree.test"]].repeated(2))
    #expect(try day.failovers.map { $0["kind"].text } == ["failback", kind])
    #expect(try day.failovers.count { $0.isInForce && $0["kind"].text == kind } == 0)
    var row = GameDayRow(
        name, since: returned, failback, witnesses, from: try day.network.host("ie1"), to: za1)
    row.outage = nil
    row.remark = remark
    GameDayTable.add(row)
}

/// Nothing was decided, and the name has led to za1 all the time.
func expectNothingMoved(
    _ day: GameDay, _ witnesses: Witnesses, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let failovers = try day.failovers
    #expect(failovers == [], sourceLocation: sourceLocation)
    #expect(witnesses.answers == [["za1.dfree.test"]].repeated(2), sourceLocation: sourceLocation)
}

extension Array {
    /// The only element so many times.
    func repeated(_ times: Int) -> [Element] { (0..<times).flatMap { _ in self } }
}
