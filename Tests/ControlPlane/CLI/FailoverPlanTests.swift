import JSON
import Testing

@testable import ddirect

@Suite struct `A failover's plan` {
    static func service(
        _ name: String = "acme-app", to standby: JSONValue = "ie1",
        candidates: JSONValue = [["server": "ie1", "ready": true, "obstacles": []]], obstacles: JSONValue = []
    ) -> JSONValue {
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

    func plan(_ services: [JSONValue], obstacles: JSONValue = []) -> FailoverPlanReport {
        FailoverPlanReport(["server": "za1", "services": .array(services), "obstacles": obstacles])
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

    @Test func `what stops all of it is said, and the API's own word of what to do`() {
        let frozen = plan(
            [Self.service()], obstacles: ["the fleet is frozen until 14:00; `ddirect unfreeze` ends that"])
        #expect(frozen.isStopped)
        #expect(
            frozen.sentence
                == "a failover of za1 would be stopped: the fleet is frozen until 14:00; `ddirect unfreeze` ends that.")
    }

    @Test func `a service that has nowhere to go stays, and the others would be moved`() {
        let plan = plan([Self.service(), Self.service("beta", to: .null, candidates: [])])
        #expect(plan.isStopped)
        #expect(
            plan.sentence
                == "`ddirect failover run za1 --reason …` would move 1 service to ie1, by changing 1 name in 1 zone; "
                + "what stays: service beta: it has no standby that may take it over.")
        #expect(plan.lines.contains("beta: za1 → nowhere"))
    }

    @Test func `what --force would overrule is said where it would`() {
        let unready = Self.service(
            to: .null, candidates: [["server": "ie1", "ready": false, "obstacles": ["it drains"]]],
            obstacles: ["none of its standbys may take it over: ie1: it drains"])
        // The API's obstacle to the whole is that of its only service.
        let plan = plan(
            [unready], obstacles: ["service acme-app: none of its standbys may take it over: ie1: it drains"])
        #expect(
            plan.sentence
                == "a failover of za1 would be stopped: service acme-app: none of its standbys may take it over: ie1: it drains. "
                + "--force overrules what is said against standbys and of records that are not ours, and nothing else.")
    }

    @Test func `a standby that is taken for want of a better one is shown with its flaw`() {
        let plan = plan([
            Self.service(candidates: [["server": "ie1", "ready": false, "obstacles": ["it was not checked yet"]]])
        ])
        #expect(!plan.isStopped)
        #expect(plan.lines.contains("  standby ie1         taken in spite of: it was not checked yet"))
    }

    @Test func `what stops many services is said of three`() {
        let plan = plan((1...9).map { Self.service("s\($0)", to: .null, candidates: []) })
        #expect(plan.sentence.hasPrefix("a failover of za1 would be stopped: service s1: "))
        #expect(plan.sentence.hasSuffix("service s3: it has no standby that may take it over; and 6 more."))
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
