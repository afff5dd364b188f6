import Domain
import Glibc
import Syscalls
import Testing
import Wire

@testable import DataPlane

@Suite struct `The prober` {
    private static let monitorBody = #"{"server":"za1","state":"serving"}"#
    private static let monitorAnswer =
        "HTTP/1.1 200 OK\r\nContent-Length: \(monitorBody.utf8.count)\r\nConnection: close\r\n\r\n\(monitorBody)"

    /// A server that is probed every second, which is as much as a busy machine takes for an answer.
    private func target(
        _ server: String = "za1", hostname: String = "za1.dfree.test", addresses: [String] = ["127.0.0.1"],
        http: Int, https: Int, milliseconds: UInt32 = 1000, checks: [WireWatchCheck] = []
    ) -> WireWatchTarget {
        watchTarget(
            server, hostname: hostname, addresses: addresses, http: http, https: https, interval: milliseconds,
            timeout: milliseconds, checks: checks)
    }

    private func target(
        _ server: String = "za1", hostname: String = "za1.dfree.test", at responder: AnsweringAddresses,
        addresses: [String] = ["127.0.0.1"], checks: [WireWatchCheck] = []
    ) -> WireWatchTarget {
        target(
            server, hostname: hostname, addresses: addresses, http: Int(responder.http.port),
            https: Int(responder.https.port), checks: checks)
    }

    /// A port of 127.0.0.1 on which nobody listens.
    private func deadPort() throws -> Int { Int(try TestListener().port) }

    @Test func `tells that a server answers, in the clear and by TLS`() throws {
        try withResponder(try Samples.servingBoard()) { responder in
            try withProber(of: [target(at: responder)]) { _, told in
                let probe = try told.answered()
                #expect(probe.server == "za1")
                #expect(probe.durationMicroseconds > 0)
            }
        }
    }

    @Test func `tells that another server answers in its place`() throws {
        try withResponder(try Samples.servingBoard()) { responder in
            try withProber(of: [target("ie1", at: responder)]) { _, told in
                let error = try told.missed().error
                #expect(error.contains("is server za1, not ie1"))
            }
        }
    }

    @Test func `tells whose the certificate is that it has met`() throws {
        try withResponder(try Samples.servingBoard()) { responder in
            try withProber(of: [target(hostname: "za2.dfree.test", at: responder)]) { _, told in
                let error = try told.missed().error
                #expect(error == "127.0.0.1:\(responder.https.port): certificate is for za1.dfree.test")
            }
        }
    }

    @Test func `tells the status of a server that is in trouble`() throws {
        let board = try Samples.servingBoard()
        board.stage(.draining)
        try withResponder(board) { responder in
            try withProber(of: [target(at: responder)]) { _, told in
                let error = try told.missed().error
                #expect(error.contains(": status 503"))
            }
        }
    }

    @Test func `tells that nobody listens well before the timeout`() throws {
        let dead = try deadPort()
        try withProber(of: [target(http: dead, https: dead, milliseconds: 3000)]) { _, told in
            // A busy machine may take its time for one round, and not for all.
            let probe = try told.first("a round that is missed before its end") {
                !$0.error.isEmpty && $0.durationMicroseconds < 2_500_000
            }
            #expect(probe.error.hasPrefix("127.0.0.1:\(dead): refused"))
        }
    }

    @Test func `tells that somebody is silent when the timeout has passed`() throws {
        let silent = try SilentListener()
        let port = silent.listener.port
        try withProber(of: [target(http: Int(port), https: Int(port))]) { _, told in
            let probe = try told.missed()
            #expect(probe.error.contains("127.0.0.1:\(port): no answer in 1000 ms"))
            #expect(probe.durationMicroseconds >= 990_000)
        }
        withExtendedLifetime(silent) {}
    }

    @Test func `tells that somebody takes connections and says nothing`() throws {
        let mute = try TestListener()
        try withProber(of: [target(http: Int(mute.port), https: Int(mute.port))]) { _, told in
            let probe = try told.missed()
            let words = "127.0.0.1:\(mute.port): accepted, but no answer in 1000 ms"
            #expect(probe.error == "\(words); \(words)")
            #expect(probe.accepted)
        }
        withExtendedLifetime(mute) {}
    }

    @Test func `tells that connections are reset, or closed, before anything has come`() throws {
        let dead = try deadPort()
        let check = [watchCheck("reset", usesTLS: false), watchCheck("closed", path: "/close", usesTLS: false)]
        try withPeer({ connection, head, _ in
            if head.hasPrefix("GET /close ") { connection.shutdownWriting() } else { connection.reset() }
        }) { port in
            try withProber(of: [target(http: port, https: dead, checks: check)]) { _, told in
                let reset = try told.missed(of: "reset").error
                let words = "127.0.0.1:\(port): accepted, but no answer in 1000 ms, and once: "
                #expect(reset == words + "Connection reset by peer")
                let closed = try told.missed(of: "closed").error
                #expect(closed == words + "closed without an answer")
            }
        }
    }

    @Test func `tells that somebody speaks no TLS`() throws {
        try withResponder(try Samples.servingBoard()) { responder in
            let port = Int(responder.http.port)
            try withProber(of: [target(http: port, https: port)]) { _, told in
                let error = try told.missed().error
                #expect(error.hasPrefix("127.0.0.1:\(port): accepted, but no answer in 1000 ms, and once: TLS: "))
            }
        }
    }

    @Test func `needs an answer from every address`() throws {
        let other = Loopback.fresh()
        try withResponder(try Samples.servingBoard()) { responder in
            try withProber(of: [target(at: responder, addresses: ["127.0.0.1", other])]) { _, told in
                let error = try told.missed().error
                #expect(error.contains("\(other):\(responder.http.port): refused"))
                #expect(!error.contains("127.0.0.1:"))
            }
        }
    }

    @Test func `calls again before the timeout when an attempt has come to nothing`() throws {
        let dead = try deadPort()
        let answer = Self.monitorAnswer
        let lost = LostConnections()
        try withPeer({ connection, _, count in
            if count < 4 { lost.keep(connection) } else { try? connection.send(answer) }
        }) { port in
            let check = watchCheck(usesTLS: false)
            // The port of TLS is dead, so that all that comes is the check and the monitor's request in the clear.
            let target = target(http: port, https: dead, milliseconds: 6000, checks: [check])
            try withProber(of: [target]) { _, told in
                // Without an error it was answered, and the first of its attempts were not.
                let probe = try told.first(of: "acme-app", "a round of the check")
                #expect(probe.error == "")
            }
        }
    }

    @Test func `a service's check is answered by whoever has the endpoint's certificate, with any status below 500`()
        throws
    {
        let workers = [try WorkerCounters(services: 4)]
        try withResponder(try Samples.servingBoard(), workers: workers) { responder in
            let checks = [
                watchCheck("by-tls", host: "app.acme.test", usesTLS: true),
                watchCheck("not-found", host: "app.acme.test", path: "/nothing/here", usesTLS: false),
            ]
            let target = target(
                http: Int(responder.admin.port), https: Int(responder.https.port), checks: checks)
            try withProber(of: [target]) { _, told in
                let byTLS = try told.answered(of: "by-tls")
                #expect(byTLS.error == "")
                let notFound = try told.answered(of: "not-found")
                #expect(notFound.error == "")
            }
        }
    }

    @Test func `a service's check is missed when its endpoint says that it is in trouble`() throws {
        let dead = try deadPort()
        try withPeer({ connection, _, _ in
            try? connection.send("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        }) { port in
            let target = target(http: port, https: dead, checks: [watchCheck(usesTLS: false)])
            try withProber(of: [target]) { _, told in
                let error = try told.missed(of: "acme-app").error
                #expect(error == "127.0.0.1:\(port): status 502")
            }
        }
    }

    @Test func `reads no more of an answer than it needs`() throws {
        let dead = try deadPort()
        let long =
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Long: \(String(repeating: "x", count: 90))\r\n", count: 1000)
        try withPeer({ connection, _, _ in try? connection.send(long) }) { port in
            let target = target(http: port, https: dead, checks: [watchCheck(usesTLS: false)])
            try withProber(of: [target]) { _, told in
                let error = try told.missed(of: "acme-app").error
                #expect(error.hasSuffix("an answer that is no HTTP"))
            }
        }
    }

    @Test func `tells nothing of a server that it could not ask`() throws {
        let dead = try deadPort()
        try withProber(of: [target(http: dead, https: dead)], mostAttempts: 0) { _, told in
            usleep(1_000_000)
            #expect(told.count == 0)
        }
    }

    @Test(arguments: [(1, 64), (407, 64), (8192, 256), (238_000, 4096)])
    func `leaves most descriptors to the flows`(flows: Int, attempts: Int) {
        #expect(Prober.mostAttempts(besideFlows: flows) == attempts)
    }

    @Test func `goes on as before when the list comes again`() throws {
        try withResponder(try Samples.servingBoard()) { responder in
            let targets = [target(at: responder)]
            try withProber(of: targets) { mailbox, told in
                // With a new beginning each time there would never be a round.
                try eventually("rounds in spite of lists") {
                    mailbox.post(.watch(watchList(targets)))
                    return told.count >= 3
                }
            }
        }
    }

    @Test func `stops when the list is empty`() throws {
        try withResponder(try Samples.servingBoard()) { responder in
            try withProber(of: [target(at: responder)]) { mailbox, told in
                _ = try told.answered()
                mailbox.post(.watch(WireWatch()))
                // What was asked when the list came may be answered yet.
                try eventually("nothing is told any more") {
                    let count = told.count
                    usleep(2_500_000)
                    return told.count == count
                }
            }
        }
    }
}

/// Connections that are kept open, and of which nothing comes.
private final class LostConnections: @unchecked Sendable {
    // Of the peer's thread.
    private var connections: [TestConnection] = []

    func keep(_ connection: TestConnection) { connections.append(connection) }
}
