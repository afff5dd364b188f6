import Domain
import Testing
import Wire

@testable import DataPlane

/// A target of a list as the control plane sends it.
func watchTarget(
    _ server: String = "za1", hostname: String = "za1.dfree.test", addresses: [String] = ["127.0.0.1"], http: Int = 80,
    https: Int = 443, interval: UInt32 = 2000, timeout: UInt32 = 1000, checks: [WireWatchCheck] = []
) -> WireWatchTarget {
    var target = WireWatchTarget()
    target.server = server
    target.hostname = hostname
    target.addresses = addresses
    target.httpPort = UInt32(http)
    target.httpsPort = UInt32(https)
    target.intervalMilliseconds = interval
    target.timeoutMilliseconds = timeout
    target.checks = checks
    return target
}

func watchCheck(
    _ service: String = "acme-app", host: String = "app.acme.test", path: String = "/health", usesTLS: Bool = true
) -> WireWatchCheck {
    var check = WireWatchCheck()
    check.service = service
    check.host = host
    check.path = path
    check.usesTls = usesTLS
    return check
}

func watchList(_ targets: [WireWatchTarget]) -> WireWatch {
    var list = WireWatch()
    list.targets = targets
    return list
}

@Suite struct `What is to be probed` {
    private func only(_ target: WireWatchTarget) throws -> ProbePlan {
        let (plans, problems) = ProbePlan.plans(of: watchList([target]))
        #expect(problems == [])
        return try #require(plans.first { $0.service == nil })
    }

    @Test func `is each address of a server on both ports, in the clear and by TLS`() throws {
        let plan = try only(watchTarget(addresses: ["192.0.2.1", "2001:db8::1"], http: 8080, https: 8443))
        #expect(
            plan.doors.map { "\($0.address) \($0.usesTLS)" } == [
                "192.0.2.1:8080 false", "192.0.2.1:8443 true", "[2001:db8::1]:8080 false", "[2001:db8::1]:8443 true",
            ])
        #expect(plan.interval == 2000)
        #expect(plan.timeout == 1000)
    }

    @Test func `is asked for by the server's host name, over a connection of its own`() throws {
        #expect(
            String(decoding: try only(watchTarget()).request, as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\nUser-Agent: D-Direct probe\r\nConnection: close\r\n\r\n")
    }

    @Test(arguments: [false, true])
    func `is a service's check through the first address alone`(usesTLS: Bool) throws {
        let target = watchTarget(addresses: ["192.0.2.1", "192.0.2.2"], checks: [watchCheck(usesTLS: usesTLS)])
        let (plans, problems) = ProbePlan.plans(of: watchList([target]))
        #expect(problems == [])
        let check = try #require(plans.first { $0.service != nil })
        #expect(check.doors.map { "\($0.address)" } == [usesTLS ? "192.0.2.1:443" : "192.0.2.1:80"])
        #expect(
            String(decoding: check.request, as: UTF8.self).hasPrefix("GET /health HTTP/1.1\r\nHost: app.acme.test\r\n"))
    }

    @Test func `a timeout is no longer than its interval, and an interval no shorter than makes sense`() throws {
        let plan = try only(watchTarget(interval: 1000, timeout: 5000))
        #expect(plan.timeout == 1000)
        let hasty = try only(watchTarget(interval: 0, timeout: 0))
        #expect(hasty.interval == 100)
        #expect(hasty.timeout == 1)
    }

    @Test func `what cannot be probed is named, and the rest is probed`() {
        let list = watchList([
            watchTarget("ZA 1"), watchTarget("ie1", addresses: ["192.0.2"]), watchTarget("ie2", addresses: []),
            watchTarget("ie3", https: 0), watchTarget("ie4", hostname: "x\r\ny"),
            watchTarget("de1", checks: [watchCheck(path: "/a b"), watchCheck("b", host: "a"), watchCheck("c")]),
            watchTarget("de2", addresses: (1...65).map { "192.0.2.\($0)" }),
        ])
        let (plans, problems) = ProbePlan.plans(of: list)
        #expect(plans.map { "\($0.server) \($0.service?.text ?? "-")" }.sorted() == ["de1 -", "de1 c"])
        #expect(problems.count == 8)
        #expect(problems.contains { $0.hasPrefix("ie1: '192.0.2' is not an IP address") })
        #expect(problems.contains { $0.hasPrefix("de1, service acme-app: '/a b' is no path") })
    }

    @Test func `no list is so long that it has no end`() {
        let checks = (0..<300).map { watchCheck("service-\($0)") }
        let list = watchList((0..<300).map { watchTarget("server-\($0)", checks: $0 == 0 ? checks : []) })
        let (plans, problems) = ProbePlan.plans(of: list)
        #expect(plans.count == ProbePlan.mostTargets + ProbePlan.mostChecks)
        #expect(
            problems == ["of 300 servers only 256 are probed", "server-0: of 300 checks only 200 are made"])
    }

    @Test func `a server's answer is its own and says 200, a service's any that is no trouble`() throws {
        let plan = try only(watchTarget())
        #expect(plan.problem(status: 200, server: "za1") == nil)
        #expect(plan.problem(status: 200, server: "ie1") == "is server ie1, not za1")
        #expect(plan.problem(status: 200, server: nil) == "an answer that is not of a monitor endpoint")
        #expect(plan.problem(status: 404, server: nil) == "status 404")
        let plans = ProbePlan.plans(of: watchList([watchTarget(checks: [watchCheck()])])).plans
        let check = try #require(plans.first { $0.service != nil })
        for status in [200, 301, 404, 499] { #expect(check.problem(status: status, server: nil) == nil) }
        #expect(check.problem(status: 502, server: nil) == "status 502")
    }
}
