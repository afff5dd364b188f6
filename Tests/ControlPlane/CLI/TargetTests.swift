import JSON
import Testing

@testable import ddirect

@Suite struct `Endpoints on the command line` {
    @Test(arguments: [
        ("origin.test", Target(host: "origin.test")),
        ("192.0.2.1:8080:8443", Target(host: "192.0.2.1", httpPort: 8080, httpsPort: 8443)),
        ("2001:db8::1", Target(host: "2001:db8::1")),
        ("::1", Target(host: "::1")),
        ("1::2", Target(host: "1::2")),
        ("[2001:db8::1]", Target(host: "2001:db8::1")),
        ("[2001:db8::1]:8080:8443", Target(host: "2001:db8::1", httpPort: 8080, httpsPort: 8443)),
    ])
    func `a host comes with both ports or none`(text: String, target: Target) throws {
        #expect(try Target(parsing: text) == target)
    }

    @Test(arguments: [
        "", "origin.test:80", "origin.test:http:https", "[2001:db8::1", "[2001:db8::1]:80", "[::1]x:1:2",
    ])
    func `what leaves a port open is refused`(text: String) {
        #expect(throws: Failure.self) { try Target(parsing: text) }
    }

    @Test(arguments: [":80:443", "origin.test::443", "1:2:3:4"])
    func `what could be an IPv6 address is left to the API to judge`(text: String) throws {
        #expect(try Target(parsing: text) == Target(host: text))
    }

    @Test(arguments: ["origin.test", "192.0.2.1:8080:8443", "[2001:db8::1]:80:8443", "2001:db8::1"])
    func `what is shown can be typed`(text: String) throws {
        #expect(try Target(parsing: text).description == text)
    }
}

@Suite struct `Endpoint checks` {
    func check(_ servers: JSONValue...) -> EndpointCheckReport {
        EndpointCheckReport(["service": "acme-app", "servers": .array(servers)])
    }

    func server(_ name: String, _ attempts: JSONValue..., resolveError: JSONValue = .null) -> JSONValue {
        [
            "server": .string(name), "state": "answered",
            "targets": [
                [
                    "host": "origin.test", "httpPort": 80, "httpsPort": 443, "resolveError": resolveError,
                    "ttlSeconds": 60,
                    "resolveMilliseconds": .number(1.23), "attempts": .array(attempts),
                ]
            ],
        ]
    }

    func attempt(_ address: String, _ port: Int, _ error: JSONValue = .null) -> JSONValue {
        ["address": .string(address), "port": .integer(port), "error": error, "connectMilliseconds": .number(0.44)]
    }

    @Test func `a check passes when each port is reached by one of its addresses`() {
        let check = check(
            server("za1", attempt("192.0.2.1", 80), attempt("192.0.2.1", 443), attempt("2001:db8::1", 443, "no route")),
            ["server": "ie1", "state": "disconnected", "targets": []])
        #expect(check.isPassed)
        #expect(
            check.lines == [
                "za1:", "  origin.test: resolved in 1.2 ms, for 60 s",
                "     ADDRESS      PORT  RESULT", "     192.0.2.1      80  connected in 0.4 ms",
                "     192.0.2.1     443  connected in 0.4 ms", "     2001:db8::1   443  no route", "ie1: disconnected",
            ])
    }

    @Test func `a port that no address answers on fails it, and is named`() {
        let check = check(server("za1", attempt("192.0.2.1", 80), attempt("192.0.2.1", 443, "connection refused")))
        #expect(check.faults == ["za1 cannot connect to origin.test port 443 (192.0.2.1: connection refused)"])
    }

    @Test func `a name that does not resolve, a server that is silent, and nobody to ask fail it`() {
        #expect(
            check(server("za1", resolveError: "no such name")).faults == [
                "za1: no such name"
            ])
        #expect(check(server("za1")).faults == ["za1 has no address of origin.test to connect to"])
        #expect(
            check(server("za1", attempt("192.0.2.1", 80)), ["server": "ie1", "state": "timeout"]).faults == [
                "ie1 did not answer in time"
            ])
        #expect(
            check(["server": "ie1", "state": "disconnected"]).faults == ["no server that carries the service answered"])
    }
}
