import JSON
import Testing

@testable import ddirect

@Suite struct `A failover shown` {
    static func failover(stage: String = "done", _ members: JSONObject = [:]) -> JSONValue {
        let all: JSONObject = [
            "id": 12, "kind": "automatic", "server": "za1", "stage": .string(stage),
            "reason": "za1 is missed by 2 of 2 vantages", "author": "control plane", "at": "2026-03-01T12:00:06.200Z",
            "endedAt": "2026-03-01T12:00:09.500Z", "inForce": true, "returnsAt": .null,
            "moves": [["service": "acme-app", "from": "za1", "to": "ie1", "state": "written"]],
            "zones": [
                [
                    "zone": "acme.test", "state": "verified", "attempts": 2, "detail": "",
                    "writtenAt": "2026-03-01T12:00:06.400Z", "verifiedAt": "2026-03-01T12:00:06.900Z",
                    "authorities": [
                        ["server": "192.0.2.53:53", "agreesAt": "2026-03-01T12:00:06.500Z"],
                        ["server": "192.0.2.54:53", "agreesAt": "2026-03-01T12:00:06.900Z"],
                    ],
                ]
            ],
            "traffic": [["service": "acme-app", "toStandby": 12, "toFailed": 1, "share": .number(0.923)]],
            "timeline": [
                [
                    "at": "2026-03-01T12:00:00.000Z", "kind": "firstMiss", "detail": "control misses za1",
                    "evidence": [
                        [
                            "vantage": "control", "outcome": "missed", "detail": "192.0.2.1:443: no answer in 1000 ms",
                            "at": "2026-03-01T12:00:00.000Z",
                        ]
                    ],
                ],
                [
                    "at": "2026-03-01T12:00:06.200Z", "kind": "decision", "detail": "move 1 service",
                    "evidence": [
                        [
                            "vantage": "control", "outcome": "missed", "detail": "192.0.2.1:443: refused",
                            "at": "2026-03-01T12:00:06.000Z",
                        ],
                        ["vantage": "ie1", "outcome": "missed", "detail": "", "at": "2026-03-01T12:00:05.900Z"],
                    ],
                ],
                ["at": "2026-03-01T12:00:09.500Z", "kind": "ended", "detail": "", "evidence": []],
            ],
        ]
        return .object(all.adding(members))
    }

    @Test func `it is a timeline from the first miss on, with what each vantage saw below`() {
        let lines = FailoverReport(Self.failover()).lines
        #expect(
            lines == [
                "failover  12",
                "kind      automatic",
                "server    za1",
                "stage     done",
                "in force  yes",
                "reason    za1 is missed by 2 of 2 vantages",
                "author    control plane",
                "decided   2026-03-01 12:00:06 UTC",
                "ended     2026-03-01 12:00:09 UTC",
                "moves     acme-app: za1 → ie1, written",
                "",
                "timeline",
                "   +0.0 s  first miss  control misses za1",
                "                         control  missed at +0.0 s: 192.0.2.1:443: no answer in 1000 ms",
                "   +6.2 s  decision    move 1 service",
                "                         control  missed at +6.0 s: 192.0.2.1:443: refused",
                "                         ie1      missed at +5.9 s",
                "   +9.5 s  ended",
                "",
                "zones",
                "  acme.test: verified, 2 attempts",
                "   +6.4 s  written",
                "   +6.9 s  verified",
                "   +6.5 s  192.0.2.53:53 answers so",
                "   +6.9 s  192.0.2.54:53 answers so",
                "",
                "traffic",
                "  acme-app: new connections: 12 to the standby, 1 to the failed server (92 % to the standby)",
            ])
    }

    @Test func `what has not happened yet is said to be missing`() {
        let zone: JSONValue = [
            "zone": "acme.test", "state": "writing", "attempts": 1, "detail": "no answer in 5 s", "writtenAt": .null,
            "verifiedAt": .null, "authorities": [["server": "192.0.2.53:53", "agreesAt": .null]],
        ]
        let lines = FailoverReport(
            Self.failover(stage: "writing", ["zones": [zone], "traffic": [], "endedAt": .null])
        ).lines
        #expect(
            lines.suffix(5) == [
                "zones",
                "  acme.test: writing, 1 attempt: no answer in 5 s",
                "        -  written: not yet",
                "        -  verified: not yet",
                "        -  192.0.2.53:53 does not answer so yet",
            ])
        #expect(lines.contains("ended     not yet"))
    }

    @Test(arguments: [
        (0.0, "+0.0 s"), (3.14, "+3.1 s"), (-0.4, "-0.4 s"), (999.94, "+999.9 s"), (1000.0, "+16 min 40 s"),
        (86_400.0 * 2 + 5, "+2 d"), (Double.infinity, "+"), (Double.nan, "-"),
    ])
    func `moments are tenths of seconds while these matter`(seconds: Double, shown: String) {
        #expect(FailoverReport.relative(seconds).hasPrefix(shown))
    }

    @Test func `one begun by hand counts from its decision`() {
        let entry: JSONValue = [
            "at": "2026-03-01T12:00:06.200Z", "kind": "decision", "detail": "by ops", "evidence": [],
        ]
        let report = FailoverReport(Self.failover(["kind": "drill", "timeline": [entry]]))
        #expect(report.name == "drill 12 of za1")
        #expect(report.lines.contains("   +0.0 s  decision    by ops"))
    }

    @Test func `what has begun is said with its end and the way to see more`() {
        let drill = Self.failover(stage: "decided", ["kind": "drill", "returnsAt": "2026-03-01T12:10:00.000Z"])
        #expect(
            FailoverReport(drill).beginning
                == "drill 12 of za1 has begun: 1 service to ie1, and ends by itself at 2026-03-01 12:10:00 UTC; "
                + "`ddirect failover show 12` tells how it goes")
    }

    @Test func `an answer that lacks everything still has lines`() {
        #expect(!FailoverReport([:]).lines.isEmpty)
        #expect(!FailoverReport(["timeline": [[:], .null, "x"], "zones": [[:]], "traffic": [[:]]]).lines.isEmpty)
    }
}

@Suite struct `Following a failover` {
    private func failover(stage: String, _ members: JSONObject = [:]) -> JSONValue {
        `A failover shown`.failover(stage: stage, members)
    }

    @Test func `each entry of the timeline is shown once, when it comes`() {
        let whole = failover(stage: "done")
        let timeline = whole["timeline"].items
        func part(_ count: Int) -> JSONValue {
            failover(stage: "writing", ["timeline": .array(Array(timeline.prefix(count)))])
        }
        var progress = FailoverProgress(part(0))
        #expect(progress.take(part(1)).count == 2)
        #expect(progress.take(part(1)) == [])
        #expect(!progress.isOver)
        #expect(progress.take(whole).map { $0.contains("ended") } == [false, false, false, true])
        #expect(progress.isOver && progress.hasSucceeded)
        #expect(
            progress.success
                == "failover 12 of za1 is done at +9.5 s: 1 service to ie1, and 2 authoritative servers say so")
    }

    @Test func `what is missing at the deadline is named`() {
        let zones: JSONValue = [
            [
                "zone": "a.test", "detail": "no answer in 5 s", "writtenAt": .null, "verifiedAt": .null,
                "authorities": [],
            ],
            [
                "zone": "b.test", "detail": .null, "writtenAt": "2026-03-01T12:00:06.400Z", "verifiedAt": .null,
                "authorities": [
                    ["server": "192.0.2.53:53", "agreesAt": "2026-03-01T12:00:06.500Z"],
                    ["server": "192.0.2.54:53", "agreesAt": .null],
                ],
            ],
        ]
        let moves: JSONValue = [["service": "acme-app", "from": "za1", "to": "ie1", "state": "pending"]]
        let progress = FailoverProgress(failover(stage: "verifying", ["zones": zones, "moves": moves]))
        #expect(!progress.isOver)
        #expect(
            progress.shortfall(after: 120)
                == "failover 12 of za1 is still verifying after 120 s: a.test is not written (no answer in 5 s); "
                + "b.test is not answered so by 192.0.2.54:53; not moved: acme-app (pending); "
                + "`ddirect failover show 12` says more")
    }

    @Test func `devices that still arrive at the old server are what is missing last`() {
        let progress = FailoverProgress(failover(stage: "following"))
        #expect(!progress.isOver)
        #expect(
            progress.shortfall(after: 120).contains(
                "still following after 120 s: acme-app has had 1 new connection at the server that it left;"))
    }

    @Test(arguments: [
        ("abandoned", "abandoned", "was abandoned: za1 answers again"),
        ("conflicted", "conflict", "found other records than it expected, and left them: za1 answers again"),
    ])
    func `an end that is none is no success`(stage: String, kind: String, words: String) {
        let entry: JSONValue = ["at": "2026-03-01T12:00:06.200Z", "kind": .string(kind), "detail": "za1 answers again"]
        let progress = FailoverProgress(failover(stage: stage, ["timeline": [entry]]))
        #expect(progress.isOver && !progress.hasSucceeded)
        #expect(progress.shortfall(after: 3).contains(words))
    }

    @Test func `done, but for a service, is no success either`() {
        let moves: JSONValue = [
            ["service": "acme-app", "from": "za1", "to": "ie1", "state": "written"],
            ["service": "beta", "from": "za1", "to": "ie1", "state": "conflict"],
        ]
        let progress = FailoverProgress(failover(stage: "done", ["moves": moves]))
        #expect(progress.isOver && !progress.hasSucceeded)
        #expect(progress.shortfall(after: 3).contains("did not move beta (conflict)"))
    }
}
