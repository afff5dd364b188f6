import Glibc
import Testing

/// The rest of a game day: standbys that may not be used, and servers that come and go.
extension `A game day` {
    @Test(.onWholeGameDay)
    func `za1 and its only standby are killed: nothing moves, and that is said`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.killServer("ie1")
        try day.killServer("za1")
        let (said, saidAt) = try day.awaitEvent("failover.held", since: fault)
        let held = saidAt - fault
        try witnesses.awaitMore(80)
        try expectNothingMoved(day, witnesses)
        let status = try day.status
        #expect(
            status["holding"].text != nil || status.server("za1")["detail"].text?.isEmpty == false, "\(status)")
        GameDayTable.add(
            GameDayRow(
                "the standby is dead as well", since: fault,
                remark: "nothing moves; said after \(GameDayRow.seconds(held)): \(said)"))

        // It may take over as soon as it is there.
        let back = momentNow()
        try day.startServer("ie1")
        try expectFailover("… until the standby is back", of: day, witnesses, since: back, promptly: false)
    }

    @Test(.onWholeGameDay)
    func `ie1 lags behind the configuration: it is not chosen, and the next standby is`() throws {
        let day = try GameDay(standbys: ["ie1", "us1"])
        try day.letLag("ie1")
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.killServer("za1")
        try expectFailover("the first standby lags: the second", of: day, witnesses, since: fault, to: "us1")
    }

    @Test(.onWholeGameDay)
    func `ie1 lags behind the configuration, and there is no other standby: nothing moves until it has caught up`()
        throws
    {
        let day = try GameDay()
        try day.letLag("ie1")
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.killServer("za1")
        let (said, saidAt) = try day.awaitEvent("failover.held", since: fault)
        let held = saidAt - fault
        #expect(said.contains("acme-app") || said.contains("ie1"), "\(said)")
        try witnesses.awaitMore(50)
        try expectNothingMoved(day, witnesses)
        let plan = try day.asOperator { try $0.grant("GET", "/servers/za1/failover-plan").body }
        let candidate = plan["services"][0]["candidates"][0]
        #expect(candidate["server"].text == "ie1" && candidate["ready"] != true, "\(plan)")
        #expect(!candidate["obstacles"].items.isEmpty, "\(plan)")
        GameDayTable.add(
            GameDayRow(
                "the only standby lags", since: fault,
                remark: "nothing moves; said after \(GameDayRow.seconds(held)): \(said)"))

        let caught = momentNow()
        try day.network.mend()
        try expectFailover("… until it has caught up", of: day, witnesses, since: caught, promptly: false)
    }

    @Test(.onWholeGameDay) func `za1 comes and goes every four seconds: its services move at most once`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let fault = momentNow()
        for _ in 0..<5 {
            try day.network.unplug("za1")
            pause(.seconds(4))
            try day.network.plug("za1")
            pause(.seconds(4))
        }
        try witnesses.awaitMore(30)
        let failovers = try day.failovers
        #expect(failovers.count <= 1, "\(failovers)")
        for answers in witnesses.answers {
            #expect(answers == ["za1.dfree.test"] || answers == ["za1.dfree.test", "ie1.dfree.test"])
        }
        #expect(day.names.changes(to: "ie1.dfree.test") <= 1)
        #expect(day.names.changes(to: "za1.dfree.test") == 0)
        if let first = failovers.first, first["stage"].text != "abandoned" {
            #expect(try day.names.target == "ie1.dfree.test.")
            #expect(witnesses.calls(from: momentNow() - 2).faults == "", "it ends well")
        }
        let calls = witnesses.calls(from: fault)
        let share = Double(calls.count { !$0.isGood }) / Double(max(1, calls.count)) * 100
        GameDayTable.add(
            GameDayRow(
                "comes and goes for 40 s", since: fault,
                remark: "\(failovers.count) failover(s), no way back; \(Int(share.rounded())) % of calls failed"))
    }

    @Test(.onWholeGameDay)
    func `za1 loses its way to the endpoint and answers itself: by the service's own check that is a failure`() throws {
        let day = try GameDay()
        _ = try day.asOperator { api in
            try api.grant("PATCH", "/services/acme-app", ["check": ["path": "/", "scheme": "https"]])
        }
        let witnesses = try day.witnesses()
        // The first rounds of the check, by every vantage and through both servers.
        pause(.seconds(3 * GameDay.interval))
        let fault = momentNow()
        try day.network.cut("za1", "origin")
        try expectFailover(
            "za1 loses its way to the endpoint", of: day, witnesses, since: fault, promptly: false)
        try day.awaitStatus("za1 answers probes of itself, and is failed over all the same") {
            $0.server("za1")["state"].text == "failedOver"
        }
    }

    @Test(.onWholeGameDay)
    func
        `za1 is killed and comes back where failback is automatic: its services return by themselves, after the hold-down`()
        throws
    {
        let day = try GameDay()
        try day.asOperator { try $0.grant("PATCH", "/settings", ["failover": ["failback": "automatic"]]) }
        let witnesses = try day.witnesses()
        let fault = momentNow()
        try day.killServer("za1")
        try expectFailover("killed, where failback is automatic", of: day, witnesses, since: fault)

        let started = momentNow()
        try day.startServer("za1")
        let (_, recovered) = try day.awaitEvent("server.recovered", since: started)
        let failback = try day.awaitVerified("failback")
        let returned = failback["at"].moment ?? started
        #expect(returned - recovered >= Double(GameDay.holdDown), "not before it has been well for the hold-down")
        try expectReturn(
            "… and taken back", failback, of: day, witnesses, since: returned, undoing: "automatic",
            quietSince: started,
            remark: "by itself, \(GameDayRow.seconds(returned - recovered)) after za1 was well again; no call lost")
    }

    @Test(.onWholeGameDay) func `a drill of ten seconds moves the service, and takes it back by itself`() throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        let told = momentNow()
        try day.asOperator {
            try $0.grant(
                "POST", "/servers/za1/failover", ["reason": "game day", "forSeconds": 10, "force": false])
        }
        let answered = momentNow()
        let drill = try day.awaitVerified("drill")
        let bounds = told + 9.9...answered + 10
        #expect(drill["returnsAt"].moment.map(bounds.contains) == true, "\(drill)")
        try witnesses.awaitAnswer(through: day.address(of: "ie1"), after: told)
        var row = GameDayRow(
            "drill: there", since: told, drill, witnesses, from: try day.network.host("za1"),
            to: try day.network.host("ie1"))
        row.outage = nil
        GameDayTable.add(row)

        let failback = try day.awaitVerified("failback")
        let returned = failback["at"].moment ?? told
        #expect(returned - told >= 9.5, "not before its time")
        try expectReturn(
            "drill: and back", failback, of: day, witnesses, since: returned, undoing: "drill", quietSince: told,
            remark: "by itself, \(GameDayRow.seconds(returned - told)) after the order; no call lost")
    }
}

extension GameDay {
    /// Leaves a server carrying traffic and out of reach of changes, of which it then lacks one.
    fileprivate func letLag(_ server: String) throws {
        try network.cut(server, "control", port: GameDay.channelPort)
        try asOperator { api in
            try eventually("\(server) is not connected any more") {
                try api.grant("GET", "/servers/\(server)").body["connected"] != true
            }
            // Devices call by HTTPS, so it is all the same to them.
            try api.grant("PATCH", "/services/acme-app", ["endpoint": ["httpPort": 8080]])
            try eventually("the others have applied the change") {
                try ["za1", "us1"].allSatisfy {
                    let status = try api.grant("GET", "/servers/\($0)").body
                    return status["appliedVersion"] == status["currentVersion"]
                }
            }
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For the cases that `make test` leaves out.
    static var onWholeGameDay: ConditionTrait {
        .enabled(if: GameDay.isWhole, "`make game-day` plays this too, by DDIRECT_GAME_DAY=all")
    }
}
