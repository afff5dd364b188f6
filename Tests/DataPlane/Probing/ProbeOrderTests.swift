import Domain
import Foundation
import Syscalls
import Testing
import Wire

@testable import DataPlane

/// A target of a list as the control plane sends it.
func watchTarget(
    _ server: String = "za1", hostname: String = "za1.dfree.test", addresses: [String] = ["127.0.0.1"], http: Int = 80,
    https: Int = 443, key: [UInt8] = [], interval: UInt32 = 2000, timeout: UInt32 = 1000, checks: [WireWatchCheck] = []
) -> WireWatchTarget {
    var target = WireWatchTarget()
    target.server = server
    target.hostname = hostname
    target.addresses = addresses
    target.httpPort = UInt32(http)
    target.httpsPort = UInt32(https)
    target.intervalMilliseconds = interval
    target.timeoutMilliseconds = timeout
    target.probeKey = Data(key)
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
    private func only(_ target: WireWatchTarget) throws -> ProbeOrder {
        let (orders, problems) = ProbeOrder.orders(of: watchList([target]))
        #expect(problems == [])
        return try #require(orders.first { $0.question.service == nil })
    }

    @Test func `is each address of a server on both ports, in the clear and by TLS`() throws {
        let order = try only(watchTarget(addresses: ["192.0.2.1", "2001:db8::1"], http: 8080, https: 8443))
        #expect(
            order.question.doors.map { "\($0.address) \($0.usesTLS)" } == [
                "192.0.2.1:8080 false", "192.0.2.1:8443 true", "[2001:db8::1]:8080 false", "[2001:db8::1]:8443 true",
            ])
        #expect(order.interval == 2000)
        #expect(order.timeout == 1000)
    }

    @Test func `is asked for by the server's host name, over a connection of its own`() throws {
        let request = try only(watchTarget()).question.request(from: ServerName("ie1"), at: 1_800_000_000, nonce: 7)
        #expect(
            String(decoding: request, as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\nUser-Agent: D-Direct probe\r\nConnection: close\r\n\r\n")
    }

    @Test func `shows the token of a probe, with a nonce of its own, when the list has the server's key`() throws {
        let (za1, ie1) = (try ServerName("za1"), try ServerName("ie1"))
        let order = try only(watchTarget(key: Array(1...32)))
        let request = String(decoding: order.question.request(from: ie1, at: 1_800_000_000, nonce: 7), as: UTF8.self)
        let line = try #require(request.split(separator: "\r\n").first { $0.hasPrefix("DDirect-Probe: ") })
        let token = try #require(ProbeToken(String(line.dropFirst(15))))
        #expect(token.vantage == "ie1")
        #expect(token.time == 1_800_000_000)
        #expect(token.nonce == 7)
        let key = try #require(ProbeKey(octets: Array(1...32)))
        #expect(token.isGenuine(for: za1, key: key) { Authentication.hmac($0, key: $1.octets) })
    }

    @Test func `a key that is none leaves the probe without a token`() throws {
        let order = try only(watchTarget(key: [1, 2, 3]))
        #expect(order.question.key == nil)
    }

    @Test func `a message is authenticated as RFC 4231 has it`() {
        // Its second test case.
        let mac = Authentication.hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(mac.prefix(8) == [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e])
        #expect(mac.count == 32)
    }

    @Test(arguments: [false, true])
    func `is a service's check through the first address alone`(usesTLS: Bool) throws {
        let target = watchTarget(
            addresses: ["192.0.2.1", "192.0.2.2"], key: Array(1...32), checks: [watchCheck(usesTLS: usesTLS)])
        let (orders, problems) = ProbeOrder.orders(of: watchList([target]))
        #expect(problems == [])
        let check = try #require(orders.first { $0.question.service != nil })
        #expect(check.question.doors.map { "\($0.address)" } == [usesTLS ? "192.0.2.1:443" : "192.0.2.1:80"])
        let request = String(
            decoding: check.question.request(from: try ServerName("ie1"), at: 1_800_000_000, nonce: 7), as: UTF8.self)
        #expect(request.hasPrefix("GET /health HTTP/1.1\r\nHost: app.acme.test\r\n"))
        // A token is nothing to a customer's endpoint.
        #expect(!request.contains("DDirect-Probe"))
    }

    @Test func `a timeout is no longer than its interval, and an interval no shorter than makes sense`() throws {
        let order = try only(watchTarget(interval: 1000, timeout: 5000))
        #expect(order.timeout == 1000)
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
        let (orders, problems) = ProbeOrder.orders(of: list)
        let asked = orders.map(\.question).map { "\($0.server) \($0.service?.text ?? "-")" }
        #expect(asked.sorted() == ["de1 -", "de1 c"])
        #expect(problems.count == 8)
        #expect(problems.contains { $0.hasPrefix("ie1: '192.0.2' is not an IP address") })
        #expect(problems.contains { $0.hasPrefix("de1, service acme-app: '/a b' is no path") })
    }

    @Test func `no list is so long that it has no end`() {
        let checks = (0..<300).map { watchCheck("service-\($0)") }
        let list = watchList((0..<300).map { watchTarget("server-\($0)", checks: $0 == 0 ? checks : []) })
        let (orders, problems) = ProbeOrder.orders(of: list)
        #expect(orders.count == ProbeOrder.mostTargets + ProbeOrder.mostChecks)
        #expect(
            problems == ["of 300 servers only 256 are probed", "server-0: of 300 checks only 200 are made"])
    }

    @Test func `a server's answer is its own and says 200, a service's any that is no trouble`() throws {
        let order = try only(watchTarget())
        #expect(order.question.end(status: 200, server: "za1") == .answered)
        #expect(order.question.end(status: 200, server: "ie1") == .refused("is server ie1, not za1"))
        #expect(order.question.end(status: 429, server: nil) == .turnedAway("status 429"))
        let orders = ProbeOrder.orders(of: watchList([watchTarget(checks: [watchCheck()])])).orders
        let check = try #require(orders.first { $0.question.service != nil })
        #expect(check.question.end(status: 404, server: nil) == .answered)
        #expect(check.question.end(status: 502, server: nil) == .refused("status 502"))
    }
}
