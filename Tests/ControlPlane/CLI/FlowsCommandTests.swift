import ArgumentParser
import JSON
import Testing

@testable import ddirect

@Suite struct `The list of open flows` {
    static let flow: JSONValue = [
        "service": "acme-app", "monitor": false, "protocol": "https", "stage": "relaying",
        "client": "192.0.2.7:50000", "called": "198.51.100.1:443", "endpoint": "203.0.113.1:443", "target": .null,
        "bytesUp": 517, "bytesDown": 12_345_678, "ageMilliseconds": 93_784_000, "idleMilliseconds": 100, "worker": 0,
    ]

    static func changed(_ members: JSONObject) -> JSONValue {
        .object(flow.members.adding(members))
    }

    func listing(_ flows: [JSONValue], matching: Int, complete: Bool = true) -> FlowListing {
        FlowListing([
            "server": "za1", "flows": .array(flows), "matching": .integer(matching), "complete": .bool(complete),
        ])
    }

    @Test func `has a line for each, with sizes and times that a person can read`() {
        let flows = [
            Self.flow,
            Self.changed(["service": .null, "monitor": true, "stage": "dialling", "endpoint": .null, "bytesDown": 0]),
            Self.changed(["service": .null, "client": .null, "stage": "opening", "ageMilliseconds": 950]),
        ]
        #expect(
            listing(flows, matching: 3).lines(within: nil) == [
                "CLIENT           SERVICE             ENDPOINT         STAGE        UP   DOWN      AGE    IDLE",
                "192.0.2.7:50000  acme-app            203.0.113.1:443  relaying  517 B  12 MB  1 d 2 h  100 ms",
                "192.0.2.7:50000  (monitor endpoint)  -                dialling  517 B    0 B  1 d 2 h  100 ms",
                "-                -                   203.0.113.1:443  opening   517 B  12 MB   950 ms  100 ms",
            ])
        #expect(listing(flows, matching: 3).remarks == [])
    }

    @Test func `says when nothing is open, when there are more, and when a worker is missing`() {
        #expect(listing([], matching: 0).lines(within: nil) == ["no flow that matches is open"])
        #expect(
            listing([Self.flow], matching: 200).remarks == [
                "200 flows match, and these are the 1 oldest; --limit shows up to 1000"
            ])
        #expect(
            listing([], matching: 0, complete: false).remarks == [
                "the list is incomplete: a worker of the server has not answered in time"
            ])
    }

    @Test func `is asked for with the filters that were given`() throws {
        func url(_ line: String) throws -> String {
            let words = line.split(separator: " ").map(String.init)
            let command = try #require(try DDirect.parseAsRoot(words) as? FlowsCommand)
            return command.call.url(below: "http://api.test")
        }
        #expect(try url("flows za1") == "http://api.test/api/v1/servers/za1/flows?limit=100")
        #expect(
            try url("flows za1 --service acme-app --client 2001:db8::/32 --limit 7")
                == "http://api.test/api/v1/servers/za1/flows?limit=7&service=acme-app&client=2001%3Adb8%3A%3A%2F32")
    }

    @Test(arguments: [
        (Int(0), "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"), (9960, "10 kB"), (999_499, "999 kB"),
        (999_500, "1.0 MB"), (1_500_000_000, "1.5 GB"), (.max, "9223 PB"),
    ])
    func `spells bytes by the unit that leaves few digits`(bytes: Int, text: String) {
        #expect(spell(bytes: bytes) == text)
    }
}
