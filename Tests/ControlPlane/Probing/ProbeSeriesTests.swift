import Domain
import Testing

@testable import ControlPlane

@Suite struct `Probe series` {
    let noon = ContinuousClock.now

    func series(service: String? = nil) throws -> ProbeSeries {
        ProbeSeries(
            server: try ServerName("za1"), service: try service.map { try ServiceName($0) },
            host: try DomainName("za1.dfree.test"), path: "/", doors: [], interval: .seconds(2), timeout: .seconds(1))
    }

    @Test func `asks as plainly as one can`() throws {
        #expect(
            try series().request
                == "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\nUser-Agent: D-Direct probe\r\nConnection: close\r\n\r\n")
    }

    @Test func `a monitor endpoint has to be the right one, and well`() throws {
        let series = try series()
        #expect(series.problem(status: 200, server: "za1") == nil)
        #expect(series.problem(status: 200, server: "ie1") == "is server ie1, not za1")
        #expect(series.problem(status: 200, server: nil) == "an answer that is not of a monitor endpoint")
        #expect(series.problem(status: 503, server: nil) == "status 503")
        #expect(series.problem(status: 204, server: nil) == "status 204")
    }

    @Test(arguments: [200, 301, 401, 404, 429])
    func `what a service answers is its own affair`(status: Int) throws {
        #expect(try series(service: "shop").problem(status: status, server: nil) == nil)
    }

    @Test(arguments: [421, 500, 502, 503, 504])
    func `unless it is in trouble, or the server does not know it`(status: Int) throws {
        #expect(try series(service: "shop").problem(status: status, server: nil) == "status \(status)")
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
