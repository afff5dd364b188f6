import Glibc
import Testing

/// The rest of a game day: what changes the name is in trouble itself, the DNS server or the control plane.
extension `A game day` {
    /// What may be wrong with the server that takes updates.
    enum Trouble: String, CaseIterable, CustomTestStringConvertible {
        case down, hung, refusing
        var testDescription: String { rawValue }
    }

    @Test(.onWholeGameDay, arguments: Trouble.allCases)
    func `the primary DNS server takes no updates for a while: it is tried until it does`(trouble: Trouble) throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        switch trouble {
        case .down: day.names.killPrimary()
        case .hung: day.names.hangPrimary()
        case .refusing:
            day.names.killPrimary()
            try day.names.startPrimary(refusing: true)
        }
        let fault = momentNow()
        try day.killServer("za1")
        try day.awaitFailover("automatic", "has been tried") { ($0["zones"][0]["attempts"].integer ?? 0) > 0 }
        let meanwhile = try day.awaitFailover("automatic", "says what is wrong") {
            $0["zones"][0]["detail"].text?.isEmpty == false
        }
        // A minute of it.
        pause(.seconds(60))
        let stage = try day.failover(meanwhile["id"].integer ?? 0)["stage"].text
        #expect(stage == "writing", "\(meanwhile)")
        #expect(day.names.changes(to: "ie1.dfree.test") == 0)
        switch trouble {
        case .down: try day.names.startPrimary()
        case .hung: day.names.wakePrimary()
        case .refusing:
            day.names.killPrimary()
            try day.names.startPrimary()
        }
        let mended = momentNow()
        var row = try expectFailover(
            "primary DNS server \(trouble.rawValue)", of: day, witnesses, since: fault, promptly: false)
        row = GameDayRow(
            "… and well again", since: mended, try day.awaitVerified(), witnesses, from: try day.network.host("za1"),
            to: try day.network.host("ie1"))
        row.firstMiss = nil
        row.decision = nil
        row.outage = nil
        GameDayTable.add(row)
    }

    @Test(.onWholeGameDay)
    func
        `the primary DNS server is slow for a minute: a change that was made and answered too late is found, not repeated`()
        throws
    {
        let day = try GameDay(slow: ["ns1"])
        let witnesses = try day.witnesses()
        // To be connected takes 3 s, and to be answered 6. Nobody waits for so long.
        try day.network.link(of: "ns1").slow(by: .milliseconds(1500), losing: 0)
        let fault = momentNow()
        try day.killServer("za1")
        let meanwhile = try day.awaitFailover("automatic", "says what is wrong") {
            $0["zones"][0]["detail"].text?.isEmpty == false
        }
        pause(.seconds(60))
        let stage = try day.failover(meanwhile["id"].integer ?? 0)["stage"].text
        #expect(stage == "writing", "\(meanwhile)")
        try day.network.link(of: "ns1").slow(by: .zero, losing: 0)
        try expectFailover("primary DNS server slow", of: day, witnesses, since: fault, promptly: false)
        #expect(day.names.unmetUpdates == 0, "nothing is asked for twice")
    }

    @Test(.onWholeGameDay)
    func `a service with an alias in one zone and an apex with addresses in another moves in both, and comes back`()
        throws
    {
        let day = try GameDay()
        try day.addApex()
        func expectApex(at server: String) throws {
            let address = try day.address(of: server)
            for host in day.names.authorities + [day.names.resolver] {
                try eventually("\(host.name) has the apex lead to \(server)") {
                    try day.names.answer(of: host, FleetNames.apex, "A") == "\(address)\n"
                }
            }
            #expect(try day.names.target == "\(server).dfree.test.")
            let said = try day.network.host("device").run(
                "curl", ["-sS", "--resolve", "\(FleetNames.apex):80:\(address)", "http://\(FleetNames.apex)/"])
            #expect(said.output == "name=origin\n", "\(said.errors)")
        }
        try expectApex(at: "za1")
        try day.killServer("za1")
        let failover = try day.awaitVerified()
        #expect(failover["zones"].items.compactMap { $0["zone"].text }.sorted() == ["acme.test", "shop.test"])
        #expect(failover["moves"].items.map { $0["state"].text } == ["written"])
        try expectApex(at: "ie1")

        try day.startServer("za1")
        try day.awaitStatus("za1 is well again") {
            $0.server("za1")["state"].text == "recovering"
        }
        let said = try day.ddirect("failback", "za1", "--reason", "it is well again")
        #expect(said.code == 0, "\(said.errors)")
        try day.awaitVerified("failback")
        try expectApex(at: "za1")
    }

    /// The stages of a failover before it is over, in their order.
    static let stages = ["decided", "writing", "verifying", "following"]

    @Test(.onWholeGameDay, arguments: stages)
    func `the control plane is killed in the middle of a failover: the next one goes on with it, and repeats nothing`(
        stage: String
    ) throws {
        let day = try GameDay()
        let witnesses = try day.witnesses()
        // A stage lasts as long as what it waits for; that one is then woken while no control plane is there.
        switch stage {
        case "writing": day.names.hangPrimary()
        case "verifying": day.names.hangSecondary()
        default: break
        }
        let fault = momentNow()
        try day.killServer("za1")
        let wanted = Self.stages.drop { $0 != stage }
        let seen = try day.awaitFailover("automatic", "is \(stage) or further on", every: .milliseconds(2)) {
            guard let now = $0["stage"].text else { return false }
            // Before the first attempt nobody waits for a server that hangs.
            return wanted.contains(now) && (stage != "writing" || ($0["zones"][0]["attempts"].integer ?? 0) > 0)
        }
        day.control.destroy()
        day.names.wakePrimary()
        day.names.wakeSecondary()
        try day.restartControl()
        try expectFailover(
            "control plane killed when \(stage)", of: day, witnesses, since: fault, promptly: false
        )
        let after = try day.failovers
        #expect(after.count { $0.isInForce } == 1, "\(after)")
        #expect(after[0]["id"] == seen["id"], "it is the same failover")
        #expect(day.names.unmetUpdates == 0, "nothing is asked for twice")
    }
}
