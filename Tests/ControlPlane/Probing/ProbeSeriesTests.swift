import Domain
import Testing

@testable import Probing

@Suite struct `Probe series` {
    let noon = ContinuousClock.now

    private func question(key: ProbeKey? = nil) throws -> ProbeQuestion {
        .monitor(
            of: try ServerName("za1"), host: try DomainName("za1.dfree.test"),
            addresses: [Address(ipv4: 0xC000_020A), Address(ipv4: 0xC000_020B)], httpPort: try Port(80),
            httpsPort: try Port(443), key: key)
    }

    private func request(_ question: ProbeQuestion, nonce: UInt128 = 1) -> String {
        question.request(
            from: "control", at: 1_800_000_000, nonce: nonce, authenticate: ProbeToken.authenticate)
    }

    @Test func `asks as plainly as one can`() throws {
        #expect(
            request(try question())
                == "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\nUser-Agent: D-Direct probe\r\nConnection: close\r\n\r\n")
    }

    @Test func `shows a token of its own in each request when it has the server's key`() throws {
        let key = try #require(ProbeKey(octets: Array(1...32)))
        let question = try question(key: key)
        let requests = (1...2).map { request(question, nonce: $0) }
        #expect(requests[0] != requests[1])
        let line = try #require(requests[0].split(separator: "\r\n").first { $0.hasPrefix("DDirect-Probe: ") })
        let token = try #require(ProbeToken(String(line.dropFirst(15))))
        #expect(token.vantage == "control")
        #expect(token.isGenuine(for: question.server, key: key, authenticate: ProbeToken.authenticate))
    }

    @Test func `goes through every door of the monitor endpoint, and a check through the first of its kind`() throws {
        let question = try question()
        #expect(
            question.doors.map { "\($0.address) \($0.usesTLS)" } == [
                "192.0.2.10:80 false", "192.0.2.10:443 true", "192.0.2.11:80 false", "192.0.2.11:443 true",
            ])
        let check = question.check(
            of: try ServiceName("shop"), host: try DomainName("shop.test"), path: "/up", usesTLS: true)
        #expect(check.doors.map { "\($0.address)" } == ["192.0.2.10:443"])
    }

    @Test func `the check of a service shows nobody's endpoint a token`() throws {
        var target = try `Publisher and probes`.target("za1", checks: ["shop"])
        target.key = ProbeKey(octets: Array(1...32))
        #expect(target.series.map { $0.question.key != nil } == [true, false])
    }

    @Test func `a monitor endpoint has to be the right one, and a service to be well`() throws {
        let monitor = try question()
        let check = monitor.check(
            of: try ServiceName("shop"), host: try DomainName("shop.test"), path: "/", usesTLS: false)
        #expect(monitor.end(status: 200, server: "za1") == .answered)
        #expect(monitor.end(status: 200, server: "ie1") == .refused("is server ie1, not za1"))
        #expect(check.end(status: 200, server: nil) == .answered)
        #expect(check.end(status: 503, server: nil) == .refused("status 503"))
    }

    @Test func `rounds keep their rhythm, however late one begins`() throws {
        let series = ProbeSeries(question: try question(), interval: .seconds(2), timeout: .seconds(1))
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
