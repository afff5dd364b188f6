import Domain
import Testing

@testable import Probing

@Suite struct `Probe series` {
    let noon = ContinuousClock.now

    func series(service: String? = nil) throws -> ProbeSeries {
        ProbeSeries(
            server: try ServerName("za1"), service: try service.map { try ServiceName($0) },
            host: try DomainName("za1.dfree.test"), path: "/", doors: [], interval: .seconds(2), timeout: .seconds(1))
    }

    @Test func `asks as plainly as one can`() throws {
        #expect(
            try series().request(at: 1_800_000_000, nonce: 1)
                == "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\nUser-Agent: D-Direct probe\r\nConnection: close\r\n\r\n")
    }

    @Test func `shows a token of its own in each request when it has the server's key`() throws {
        var series = try series()
        let key = try #require(ProbeKey(octets: Array(1...32)))
        series.key = key
        let requests = (1...2).map { series.request(at: 1_800_000_000, nonce: UInt128($0)) }
        #expect(requests[0] != requests[1])
        let line = try #require(requests[0].split(separator: "\r\n").first { $0.hasPrefix("DDirect-Probe: ") })
        let token = try #require(ProbeToken(String(line.dropFirst(15))))
        #expect(token.vantage == "control")
        #expect(token.isGenuine(for: series.server, key: key, authenticate: ProbeToken.authenticate))
    }

    @Test func `the check of a service shows nobody's endpoint a token`() throws {
        var target = try `Publisher and probes`.target("za1", checks: ["shop"])
        target.key = ProbeKey(octets: Array(1...32))
        #expect(target.series.map { $0.key != nil } == [true, false])
    }

    @Test func `a monitor endpoint has to be the right one, and a service to be well`() throws {
        #expect(try series().end(status: 200, server: "za1") == .answered)
        #expect(try series().end(status: 200, server: "ie1") == .refused("is server ie1, not za1"))
        #expect(try series(service: "shop").end(status: 200, server: nil) == .answered)
        #expect(try series(service: "shop").end(status: 503, server: nil) == .refused("status 503"))
    }

    @Test func `rounds keep their rhythm, however late one begins`() throws {
        let series = try series()
        #expect(series.next(after: noon, at: noon + .milliseconds(3)) == noon + .seconds(2))
        #expect(series.next(after: noon, at: noon + .milliseconds(1999)) == noon + .seconds(2))
        #expect(series.next(after: noon, at: noon + .seconds(61)) == noon + .seconds(62))
        #expect(series.next(after: noon, at: noon - .seconds(1)) == noon + .seconds(2))
    }

    @Test func `a reason is one line, and no longer than is good for a log`() throws {
        let long = "a\nb\u{0}" + String(repeating: "x\u{301}", count: 1000)
        let outcome = ProbeOutcome(
            server: try ServerName("za1"), service: nil, vantage: .control, error: long, duration: .zero, at: noon)
        #expect(outcome.error?.hasPrefix("a b ") == true)
        #expect(outcome.error?.unicodeScalars.count == 300)
    }

    @Test func `vantages have names, and the control plane is the first`() throws {
        let vantages: [Vantage] = [.server(try ServerName("za1")), .control, .server(try ServerName("ie1"))]
        #expect(vantages.sorted().map(\.description) == ["control", "ie1", "za1"])
    }
}
