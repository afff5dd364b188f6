import JSON
import Testing

@testable import ddirect

@Suite struct `The failover status` {
    static let well: JSONValue = [
        "server": "ie1", "state": "healthy", "since": "2026-03-01T10:00:00.000Z", "detail": "", "override": .null,
        "failover": .null, "activeServices": 1,
        "vantages": [
            ["vantage": "control", "outcome": "answered", "misses": 0, "at": "2026-03-01T12:00:00.000Z", "detail": ""]
        ],
    ]
    static let suspect: JSONValue = [
        "server": "za1", "state": "suspect", "since": "2026-03-01T12:00:00.000Z", "detail": "1 of 2 vantages misses it",
        "override": .null, "failover": .null, "activeServices": 3,
        "vantages": [
            [
                "vantage": "control", "outcome": "missed", "misses": 2, "at": "2026-03-01T12:00:04.123Z",
                "detail": "192.0.2.1:443: no answer in 1000 ms",
            ],
            ["vantage": "ie1", "outcome": "answered", "misses": 0, "at": "2026-03-01T12:00:04.000Z", "detail": ""],
        ],
    ]

    func lines(_ members: JSONObject) -> [String] {
        let quiet: JSONObject = ["frozen": .null, "holding": .null, "servers": [], "standbys": [], "zones": []]
        return FailoverStatus(.object(quiet.adding(members))).lines(within: nil)
    }

    @Test func `a server that is missed stands in the table and, with what was seen, below it`() {
        #expect(
            lines(["servers": [Self.suspect, Self.well]]) == [
                "SERVER  STATE    SINCE (UTC)          ACTIVE  MISSES            OVERRIDE  FAILOVER",
                "za1     suspect  2026-03-01 12:00:00       3  control 2, ie1 0  -                -",
                "ie1     healthy  2026-03-01 10:00:00       1  none              -                -",
                "",
                "za1 is suspect: 1 of 2 vantages misses it",
                "  control at 2026-03-01 12:00:04: 192.0.2.1:443: no answer in 1000 ms",
            ])
    }

    @Test func `a freeze and a doubt of oneself come before all else`() {
        let lines = lines([
            "servers": [Self.well],
            "frozen": [
                "until": "2026-03-01T14:00:00.000Z", "reason": "new uplink", "author": "ops",
                "since": "2026-03-01T12:00:00.000Z",
            ],
            "holding": "all servers are missed from here at once",
        ])
        #expect(
            lines[0]
                == "FROZEN until 2026-03-01 14:00:00 UTC by ops, since 2026-03-01 12:00:00 UTC: new uplink. "
                + "No service is moved; `ddirect unfreeze` ends that.")
        #expect(lines[1] == "HOLDING, nothing moves by itself: all servers are missed from here at once")
        #expect(lines[2] == "" && lines[3].hasPrefix("SERVER"))
    }

    @Test func `what is forced is shown with its end, and below with its author and reason`() {
        var server = Self.well.members
        server["override"] = [
            "state": "down", "until": "2026-03-01T14:00:00.000Z", "reason": "fibre cut", "author": "ops",
        ]
        server["failover"] = 12
        let lines = lines(["servers": [.object(server)]])
        #expect(lines[1].hasSuffix("none    down until 2026-03-01 14:00:00        12"))
        #expect(lines.suffix(2) == ["ie1 is healthy", "  forced down by ops: fibre cut"])
    }

    @Test func `standbys and zones that are not ready follow, and those that are do not`() {
        let lines = lines([
            "servers": [Self.well],
            "standbys": [
                ["service": "acme-app", "server": "ie1", "ready": true, "obstacles": [], "checkedAt": .null],
                [
                    "service": "acme-app", "server": "us1", "ready": false, "obstacles": ["it drains", "it is behind"],
                    "checkedAt": "2026-03-01T12:00:00.000Z",
                ],
            ],
            "zones": [
                [
                    "zone": "acme.test", "ready": false, "detail": "TSIG: bad key",
                    "checkedAt": "2026-03-01T12:00:00.000Z",
                ]
            ],
        ])
        #expect(
            lines.dropFirst(2) == [
                "", "not ready to take over:",
                "  us1 for acme-app: it drains; it is behind (checked 2026-03-01 12:00:00 UTC)", "",
                "zones that could not be changed:", "  acme.test: TSIG: bad key (checked 2026-03-01 12:00:00 UTC)",
            ])
    }

    @Test func `when everything is ready, that is said`() {
        let zone: JSONValue = ["zone": "acme.test", "ready": true, "detail": "", "checkedAt": .null]
        #expect(lines(["servers": [Self.well], "zones": [zone]]).last == "every standby and every zone is ready")
        #expect(lines([:]) == ["no servers yet"])
    }
}
