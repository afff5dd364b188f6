import Foundation
import Glibc
import Testing

/// Invariant 1 where it is tried hardest: between the control plane and the server is a network.
@Suite(
    .load, .serialized,
    .enabled(
        if: Capability.held(.sysAdmin, .netAdmin), "networks of its own take CAP_SYS_ADMIN and CAP_NET_ADMIN"))
struct `A server in another region` {
    /// Three beats, and what it takes to notice.
    private static let noticing = Duration.seconds(6)
    /// The longest pause between two attempts to connect, an attempt that comes to nothing, and some round trips.
    private static let comingBack = Duration.seconds(14)

    @Test
    func `with 200 ms there and back and one frame of twenty lost, it enrolls and stays connected through changes`()
        throws
    {
        let region = try Region()
        try region.link.slow(by: .milliseconds(100), losing: 5)
        try region.enroll()
        try region.startServer()
        let load = try region.load()
        try load.awaitMore(50)
        let since = try region.status["connectedSince"]
        #expect(since != .null)
        var waits: [Int] = []
        for site in ["second", "first", "second"] {
            let asked = now()
            try region.move(to: site)
            waits.append((now() - asked).milliseconds)
        }
        let applied = now()
        try load.awaitMore(50)
        print("changes over 200 ms and 5 % loss were applied after \(waits) ms")
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(from: applied) == ["second"])
        // What devices do never takes that way. A call would go there and back twice, and a change does so once; on the
        // same busy machine.
        let durations = seen.map { $0.ended - $0.opened }.sorted()
        #expect(durations[0].milliseconds * 2 < waits.min() ?? 0, "\(durations[0]), \(waits) ms")
        figure("a device's call beside a slow channel", durations[durations.count / 2], under: .milliseconds(100))
        #expect(try region.status["connectedSince"] == since, "it is the first session still: \(region.serverLog)")
    }

    @Test
    func
        `cut off without a word, both sides notice, traffic goes on, and a change made meanwhile arrives when the link is back`()
        throws
    {
        let region = try Region()
        try region.link.slow(by: .milliseconds(20), losing: 0)
        try region.enroll()
        try region.startServer()
        let load = try region.load()
        try load.awaitMore(50)
        let cut = now()
        try region.link.cut()
        try eventually("the server notices; it says: \(region.serverLog)") {
            region.serverLog.contains("has been silent for")
        }
        try region.awaitStatus("is not connected") { $0["connected"] != true }
        figure("a cut channel is noticed at both ends", now() - cut, under: Self.noticing)
        try region.move(to: "second", waits: false)
        try load.awaitMore(100)
        #expect(try !region.knowsSession)
        let restored = now()
        try region.link.restore()
        try region.awaitStatus("is back and current") {
            $0["connected"] == true && $0["appliedVersion"] == $0["currentVersion"]
        }
        let applied = now()
        figure("a cut channel is back with all that was missed", applied - restored, under: Self.comingBack)
        try load.awaitMore(50)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(to: restored) == ["first"])
        #expect(seen.answers(from: applied) == ["second"])
    }

    @Test func `tries the control plane's addresses in turn, says when it is hung, and is back when it goes on`() throws
    {
        let region = try Region()
        try region.enroll()
        // At the first nobody answers, and nobody says so.
        let nobody = "10.77.0.99"
        try region.network.host("za1").loseAll(to: nobody)
        try region.startServer(control: ["tcp:\(nobody):7443", "tcp:\(Region.channel)"])
        #expect(region.serverLog.contains("no answer to the connection"), "\(region.serverLog)")
        let load = try region.load()
        try load.awaitMore(50)
        let before = try region.status["connectedSince"]
        region.control.signal(SIGSTOP)
        let hung = now()
        // Its kernel takes connections still, and says nothing over them.
        try eventually("the server notices; it says: \(region.serverLog)") {
            region.serverLog.contains("has been silent for")
        }
        figure("a hung control plane is noticed", now() - hung, under: Self.noticing)
        #expect(try !region.knowsSession)
        try load.awaitMore(100)
        region.control.signal(SIGCONT)
        let wokenUp = now()
        try eventually("the session is back; it says: \(region.serverLog)") { try region.knowsSession }
        // The turn of the address where nobody answers may come in between, and takes its time.
        figure("a session is back after a hang", now() - wokenUp, under: Self.comingBack * 2)
        try region.awaitStatus("is back") { $0["connected"] == true && $0["connectedSince"] != before }
        try region.move(to: "second")
        let applied = now()
        try load.awaitMore(50)
        let seen = load.stop()
        #expect(seen.failures.map(\.description) == [])
        #expect(seen.answers(from: applied) == ["second"])
    }
}
