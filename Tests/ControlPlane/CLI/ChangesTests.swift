import JSON
import Testing

@testable import ddirect

@Suite struct `Changes shown` {
    let before: JSONValue = [
        "name": "acme-app", "revision": 4, "updatedAt": "2026-03-01T12:00:00Z", "clientDomains": ["a.test"],
        "endpoint": ["host": "192.0.2.1", "httpPort": 80, "httpsPort": 443, "fallbacks": []],
    ]

    @Test func `a cutover shows the endpoint before and after, and no bookkeeping`() {
        let after: JSONValue = [
            "name": "acme-app", "revision": 5, "updatedAt": "2026-03-02T12:00:00Z", "clientDomains": ["a.test"],
            "endpoint": [
                "host": "192.0.2.9", "httpPort": 80, "httpsPort": 8443,
                "fallbacks": [["host": "2001:db8::1", "httpPort": 8080, "httpsPort": 8443]],
            ],
        ]
        #expect(
            ChangesReport.lines([["kind": "service", "name": "acme-app", "before": before, "after": after]]) == [
                "service acme-app: changed",
                "  endpoint.fallbacks  none → [2001:db8::1]:8080:8443",
                "  endpoint.host       192.0.2.1 → 192.0.2.9",
                "  endpoint.httpsPort  443 → 8443",
            ])
    }

    @Test func `something new shows all it has, and something gone all it had`() {
        let server: JSONValue = [
            "name": "za1", "region": "af-south-1", "addresses": ["192.0.2.7", "192.0.2.8"], "revision": 1,
        ]
        let fields = ["  addresses  192.0.2.7, 192.0.2.8", "  region     af-south-1"]
        #expect(
            ChangesReport.lines([["kind": "server", "name": "za1", "before": .null, "after": server]]) == [
                "server za1: created"
            ] + fields)
        #expect(
            ChangesReport.lines([["kind": "server", "name": "za1", "before": server, "after": .null]]) == [
                "server za1: deleted"
            ] + fields)
    }

    @Test func `a long list shows what came and what went`() {
        let (before, after): (JSONValue, JSONValue) = (["d": ["a", "b", "c", "d"]], ["d": ["b", "c", "d", "e"]])
        #expect(
            ChangesReport.lines([["kind": "service", "name": "s", "before": before, "after": after]]).last
                == "  d  - a, + e")
    }

    @Test func `a long list in another order shows both orders`() {
        let (before, after): (JSONValue, JSONValue) = (["d": ["a", "b", "c", "d"]], ["d": ["b", "a", "c", "d"]])
        #expect(
            ChangesReport.lines([["kind": "service", "name": "s", "before": before, "after": after]]).last
                == "  d  a, b, c, d → b, a, c, d")
    }

    @Test func `a dry run that changes nothing says so`() {
        #expect(Conversation.rehearsal(["dryRun": true, "changes": []]) == ["dry run: nothing would change"])
    }

    @Test func `a patch that leaves the revision, and a restoration without changes, have changed nothing`() {
        #expect(Conversation.changedNothing(["name": "acme-app", "revision": 4], before: 4))
        #expect(!Conversation.changedNothing(["name": "acme-app", "revision": 5], before: 4))
        #expect(Conversation.changedNothing(["version": 5, "restoredFrom": 3, "changes": []], before: nil))
        let change: JSONValue = ["kind": "customer", "name": "acme", "before": .null, "after": ["name": "acme"]]
        #expect(!Conversation.changedNothing(["version": 5, "restoredFrom": 3, "changes": [change]], before: nil))
        // What a creation and a deletion answer says of neither.
        #expect(!Conversation.changedNothing(["name": "acme", "revision": 1], before: nil))
        #expect(!Conversation.changedNothing(.null, before: nil))
    }
}

@Suite struct `Waiting for applied` {
    func applied(complete: Bool, _ states: [String]) -> Applied? {
        let servers = states.enumerated().map { index, state in
            ["server": .string("s\(index)"), "state": .string(state)] as JSONValue
        }
        return Applied(["applied": ["version": 42, "complete": .bool(complete), "servers": .array(servers)]])
    }

    @Test func `a change is in force when every server that it concerns has it`() throws {
        #expect(try #require(applied(complete: true, ["applied", "applied"])).isInForce)
        #expect(try #require(applied(complete: true, [])).isInForce)
    }

    @Test func `a change is not in force when a server is late, has refused it, or is away`() throws {
        #expect(try !#require(applied(complete: false, ["applied", "pending"])).isInForce)
        #expect(try !#require(applied(complete: false, ["applied", "refused"])).isInForce)
        #expect(try !#require(applied(complete: false, ["applied", "disconnected"])).isInForce)
    }

    @Test func `who waits is told when it is not in force, and when nobody has said so`() throws {
        try Conversation.confirm(applied(complete: true, ["applied"]))
        #expect(throws: Failure.self) { try Conversation.confirm(applied(complete: false, ["pending"])) }
        let error = #expect(throws: Failure.self) { try Conversation.confirm(nil) }
        #expect(error?.exit.rawValue == 2)
    }

    @Test func `a refusal is shown with its reasons`() throws {
        let applied = try #require(
            Applied([
                "applied": [
                    "version": 42, "complete": false,
                    "servers": [
                        ["server": "ie1", "state": "refused", "version": 42, "reasons": ["one", "two"]],
                        ["server": "za1", "state": "applied", "version": 42, "reasons": []],
                    ],
                ]
            ]))
        #expect(
            applied.lines == [
                "version 42 is applied on 1 of 2 servers",
                "SERVER  STATE    VERSION  REASONS",
                "ie1     refused       42  one; two",
                "za1     applied       42  -",
            ])
        #expect(applied.shortfall.contains("ie1 (refused)"))
        #expect(!applied.shortfall.contains("za1"))
    }

    @Test func `an answer without it is not taken for one`() {
        #expect(Applied(["version": 42]) == nil)
        #expect(Applied(.null) == nil)
    }
}
