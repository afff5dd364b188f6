import Testing

@testable import ddirect

@Suite struct `A failover's plan` {
    static func service(
        _ name: String = "acme-app", to standby: JSON = "ie1",
        candidates: JSON = [["server": "ie1", "ready": true, "obstacles": []]], obstacles: JSON = []
    ) -> JSON {
        [
            "service": .string(name), "from": "za1", "to": standby, "candidates": candidates, "obstacles": obstacles,
            "records": [
                [
                    "zone": "acme.test", "name": .string("\(name).acme.test"), "before": ["CNAME 5 za1.dfree.test"],
                    "after": standby.isNull ? ["CNAME 5 za1.dfree.test"] : ["CNAME 5 ie1.dfree.test"],
                ]
            ],
        ]
    }

    func plan(_ services: [JSON], obstacles: JSON = []) -> FailoverPlan {
        FailoverPlan(["server": "za1", "services": .array(services), "obstacles": obstacles])
    }

    @Test func `each record is shown before and after, and each standby with what is against it`() {
        let plan = plan([
            Self.service(candidates: [
                ["server": "us1", "ready": false, "obstacles": ["it drains", "it has refused version 42"]],
                ["server": "ie1", "ready": true, "obstacles": []],
            ])
        ])
        #expect(
            plan.lines == [
                "acme-app: za1 → ie1",
                "  acme-app.acme.test  CNAME 5 za1.dfree.test → CNAME 5 ie1.dfree.test  (zone acme.test)",
                "  standby us1         not ready: it drains; it has refused version 42",
                "  standby ie1         ready",
                "",
            ])
        #expect(!plan.isStopped)
        #expect(
            plan.sentence
                == "`ddirect failover run za1 --reason …` would move 1 service to ie1, by changing 1 name in 1 zone.")
    }

    @Test func `several services are counted, and where they go is said once`() {
        let plan = plan([Self.service(), Self.service("beta"), Self.service("gamma", to: "us1")])
        #expect(plan.sentence.contains("would move 3 services to ie1, us1, by changing 3 names in 1 zone."))
    }

    @Test func `what stops it is said with what to do about it`() {
        let frozen = plan([Self.service()], obstacles: ["the fleet is frozen until 14:00"])
        #expect(frozen.isStopped)
        #expect(
            frozen.sentence
                == "a failover of za1 would be stopped: the fleet is frozen until 14:00. "
                + "Mend that, or overrule it: ddirect failover run za1 --force --reason …")
    }

    @Test func `a service without a standby wants one, and one whose standbys are not ready wants one that is`() {
        let bare = plan([Self.service(), Self.service("beta", to: nil, candidates: [])])
        #expect(bare.isStopped)
        #expect(bare.sentence.contains("beta has no standby that could take over"))
        #expect(bare.sentence.hasSuffix("Give beta a standby: ddirect service edit beta --standby SERVER."))
        #expect(bare.lines.contains("beta: za1 → nowhere"))
        let unready = plan([
            Self.service(
                to: nil, candidates: [["server": "ie1", "ready": false, "obstacles": ["it drains"]]],
                obstacles: ["no standby is ready"])
        ])
        #expect(unready.sentence.contains("would be stopped: acme-app: no standby is ready."))
        #expect(unready.sentence.contains("Make a standby ready (ie1)"))
    }

    @Test func `what stops many services is said of three`() {
        let plan = plan((1...9).map { Self.service("s\($0)", to: nil, candidates: []) })
        #expect(plan.sentence.contains("s3 has no standby that could take over; and 6 more."))
    }

    @Test func `a server that is active for nothing has nothing to move`() {
        let plan = plan([])
        #expect(!plan.isStopped)
        #expect(plan.sentence == "za1 is active for no service, so a failover of it would move nothing.")
    }

    @Test func `what the API says cannot steer the terminal`() {
        let plan = plan([Self.service(obstacles: ["\u{1B}[2J"])], obstacles: ["\u{202E}evil"])
        #expect(!(plan.lines + [plan.sentence]).joined().unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
    }
}
