import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The health checker` {
    private let harness: CheckerHarness

    init() throws { harness = try CheckerHarness() }

    /// `seconds` are from one check to the next, and how long one may take: more than a busy machine takes for it.
    private func check(
        _ kind: HealthCheck.Kind, path: String = "/", seconds: Int = 2, fall: Int = 1, holdDown: Int = 0
    ) throws -> HealthCheck {
        try HealthCheck(
            kind: kind, path: path, interval: seconds, timeout: seconds, rise: 1, fall: fall, holdDown: holdDown)
    }

    @Test func `prefers a fallback while the endpoint answers with 503, and the endpoint again when it is well`() throws
    {
        let (first, second) = (try StatusPeer(), try StatusPeer())
        first.answer(503)
        try harness.check(
            check(.http, path: "/health?full"), [(["127.0.0.1"], first.port), (["127.0.0.1"], second.port)])
        #expect(try harness.preference() == TargetPreference(edition: 1, target: 1))
        try harness.awaitChecks(passed: 1, failed: 1)
        #expect(harness.isSilent)
        first.answer(404)
        #expect(try harness.preference() == TargetPreference(edition: 1, target: 0))
        let request = try #require(second.asked.first)
        #expect(request.hasPrefix("GET /health?full HTTP/1.1\r\nHost: one.acme.test\r\n"))
        #expect(request.contains("\r\nConnection: close\r\n"))
        #expect(harness.lines.all.contains { $0.contains("status 503") })
        first.stop()
        second.stop()
    }

    @Test func `goes back only after the hold-down`() throws {
        let (first, second) = (try StatusPeer(), try StatusPeer())
        first.answer(500)
        try harness.check(
            check(.http, holdDown: 2), [(["127.0.0.1"], first.port), (["127.0.0.1"], second.port)])
        #expect(try harness.preference().target == 1)
        let start = ContinuousClock.now
        first.answer(200)
        #expect(try harness.preference().target == 0)
        #expect(harness.lines.all.contains { $0.contains("healthy again") })
        #expect(ContinuousClock.now - start >= .seconds(2))
        first.stop()
        second.stop()
    }

    @Test func `a connection is enough for a tcp check, and silence or a refusal is not`() throws {
        let (well, silent) = (try TestListener(), try SilentListener())
        try harness.check(
            check(.tcp),
            [(["127.0.0.1"], silent.listener.port), (["127.0.0.1"], 1), (["127.0.0.1"], well.port)])
        try eventually("the preference of the third; the log: \(harness.lines.all)") {
            try harness.preference().target == 2
        }
        try eventually("the reasons; the log: \(harness.lines.all)") {
            let log = harness.lines.all.joined()
            return log.contains("no answer in 2000 ms") && log.contains("127.0.0.1:1: refused")
        }
        try eventually("the standing") {
            harness.checker.statistics.services.first?.targets.map(\.isHealthy) == [false, false, true]
        }
        // The names of those that fail are in doubt.
        #expect(Set(harness.doubts.drain().map(\.index)) == [0, 1])
    }

    @Test func `a handshake is enough for a tls check, and a connection is not`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let deaf = try TestListener()
            try harness.check(
                check(.tls), [(["127.0.0.1"], deaf.port), (["127.0.0.1"], addresses.https.port)],
                domains: ["*.wild.test"])
            let record = try hello(at: deaf)
            #expect(String(decoding: record, as: UTF8.self).contains("www.wild.test"))
            #expect(try harness.preference().target == 1)
            try harness.awaitChecks(passed: 1)
            // What speaks no TLS is told so.
            try harness.check(
                check(.tls), [(["127.0.0.1"], addresses.http.port), (["127.0.0.1"], addresses.https.port)])
            #expect(try harness.preference().target == 1)
            #expect(harness.lines.all.contains { $0.contains("TLS: ") })
        }
    }

    /// The TLS record with which the next connection begins; then that is closed.
    private func hello(at listener: TestListener) throws -> [UInt8] {
        let connection = try listener.accept()
        let header = try connection.receive(exactly: 5)
        return try connection.receive(exactly: Int(header[3]) << 8 | Int(header[4]))
    }

    @Test func `a target is well when one of its addresses is`() throws {
        let peer = try StatusPeer()
        let dead = (0..<3).map { _ in Loopback.fresh() }
        try harness.check(check(.http, seconds: 3), [(dead + ["127.0.0.1"], peer.port)])
        try harness.awaitChecks(passed: 2)
        #expect(harness.checker.statistics.failed == 0)
        peer.stop()
    }

    @Test func `what an endpoint says before it has heard all is no answer, nor is half an answer`() throws {
        let listener = try TestListener()
        try harness.check(check(.http), [(["127.0.0.1"], listener.port)])
        let answers = ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200", "HTTP/1.1 100 Continue\r\n\r\n", ""]
        for (index, answer) in answers.enumerated() {
            let connection = try listener.accept()
            _ = try connection.receive(untilSuffix: "\r\n\r\n")
            try connection.send(answer)
            connection.shutdownWriting()
            try harness.awaitChecks(failed: UInt64(index + 1))
        }
        #expect(harness.checker.statistics.passed == 0)
    }

    @Test func `an endpoint that wants a PROXY header is told one, with our own address`() throws {
        for (index, version) in [SendProxyProtocol.v1, .v2].enumerated() {
            let kind: HealthCheck.Kind = version == .v1 ? .http : .tcp
            let listener = try TestListener()
            try harness.check(check(kind, seconds: 3), [(["127.0.0.1"], listener.port)], send: version)
            let connection = try listener.accept()
            if version == .v1 {
                let head = try connection.receive(untilSuffix: "\r\n\r\n")
                #expect(head.hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 "))
                #expect(head.contains(" \(listener.port)\r\nGET / HTTP/1.1\r\n"))
                try connection.send("HTTP/1.1 204 No Content\r\n\r\n")
            } else {
                #expect(try connection.receive(exactly: 28).prefix(5) == [13, 10, 13, 10, 0])
            }
            try harness.awaitChecks(passed: UInt64(index + 1))
        }
    }

    @Test func `an address that the endpoint policy forbids is not connected to`() throws {
        let peer = try StatusPeer()
        try harness.check(check(.http), [(["127.0.0.1"], peer.port), (["127.0.0.1"], peer.port)], allow: [])
        try harness.awaitChecks(failed: 3)
        #expect(peer.asked == [])
        #expect(harness.lines.all.contains { $0.contains("the endpoint policy forbids each of its addresses") })
        peer.stop()
    }

    @Test func `a name without an address fails`() throws {
        let peer = try StatusPeer()
        try harness.check(check(.http), [([], 80), (["127.0.0.1"], peer.port)])
        #expect(try harness.preference().target == 1)
        #expect(harness.lines.all.contains { $0.contains("its name cannot be resolved") })
        peer.stop()
    }

    @Test func `a name that is not known yet is waited for, and neither well nor ill meanwhile`() throws {
        let peer = try StatusPeer()
        peer.answer(503)
        try harness.check(check(.http), [(nil, peer.port), (["127.0.0.1"], peer.port)])
        try harness.awaitChecks(failed: 2)
        #expect(harness.isSilent)
        try harness.learn(target: 0)
        try eventually("the fall of the first") {
            harness.checker.statistics.services.first?.targets.map(\.isHealthy) == [false, false]
        }
        peer.stop()
    }

    @Test func `what is not wanted any more is not checked any more`() throws {
        let (former, present) = (try StatusPeer(), try StatusPeer())
        try harness.check(check(.http), [(["127.0.0.1"], former.port)])
        try harness.awaitChecks(passed: 1)
        try harness.check(check(.http), [(["127.0.0.1"], present.port)])
        try eventually("a check of the present endpoint") { !present.asked.isEmpty }
        let asked = former.asked.count
        // Three checks take two intervals at least.
        try harness.awaitMoreChecks(passed: 3)
        #expect(former.asked.count == asked)
        former.stop()
        present.stop()
    }

    @Test func `it ends when it is told to, with checks under way`() throws {
        let deaf = try TestListener()
        try harness.check(check(.http, seconds: 4), [(["127.0.0.1"], deaf.port)])
        let underWay = try deaf.accept()
        harness.stop()
        _ = try underWay.receive(untilSuffix: "\r\n\r\n")
        #expect(underWay.receive() != .nothing)
        #expect(harness.checker.statistics.failed == 0, "it was not waited for")
    }
}
